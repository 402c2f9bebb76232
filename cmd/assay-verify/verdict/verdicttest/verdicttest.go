// Package verdicttest makes bundles, and the exports of a ledger that go with them, for tests and benchmarks: a consortium whose keys are known, and fleets whose batteries are drawn from a seed.
package verdicttest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// Names of the consortium.
const (
	Owner     = "operator"
	Lender    = "lender"
	Regulator = "regulator"
	Fleet     = "fleet-a"
	Epoch     = 7
)

// Size is a fleet's: so many batteries, in chunks of so many slots. With Absent there is one more chunk, which was not anchored.
type Size struct {
	Batteries, Slots int
	Absent           bool
}

// Genesis is the consortium's; every key of it is known.
func Genesis() ledger.Genesis {
	g := ledger.Genesis{
		Version: ledger.GenesisVersion, Name: "Test consortium for battery leases",
		Organisations: []ledger.Organisation{
			{ID: Owner, Name: "Operator", Roles: []ledger.Role{ledger.RoleOwner}},
			{ID: Lender, Name: "Lender", Roles: []ledger.Role{ledger.RoleFinancier}},
			{ID: Regulator, Name: "Regulator for Batteries", Roles: []ledger.Role{ledger.RoleRegulator}},
		},
		EpochZero: 1_700_000_000, EpochSeconds: 86_400, AnchorWindowSeconds: 21_600, ClockSkewSeconds: 15, ProposalAgeSeconds: 300,
		Quorum: ledger.Quorum{Regulators: 1, Others: 1},
	}
	for i := range g.Organisations {
		der, err := x509.MarshalPKIXPublicKey(Key(g.Organisations[i].ID).Public())
		if err != nil {
			panic(err)
		}
		g.Organisations[i].Key = der
	}
	return g
}

// Key is an organisation's, which anybody can work out.
func Key(id string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{id[0]}, ed25519.SeedSize))
}

// Statement asks for a count, a mean state of health, which is low if easy and else more than any fleet has, and the value.
func Statement(count int, easy bool) *statement.Statement {
	each := map[bool]string{true: "-70", false: "-99"}[easy]
	return &statement.Statement{
		Version: statement.Version, Fleet: Fleet, Epoch: Epoch, Schema: "battery/v1",
		Cohort: []statement.Range{{Lane: "state_of_health", Min: "70"}, {Lane: "fault_count", Max: "2"}},
		Valuation: &statement.Valuation{Price: "1000.00", Currency: "EUR", Curves: []statement.Curve{
			{Lane: "state_of_health", Knots: []statement.Knot{{At: "70", Factor: "0.2"}, {At: "80", Factor: "0.6"}, {At: "100", Factor: "1"}}},
		}},
		Claims: []statement.Claim{
			{Terms: []statement.Term{{Total: "count", Coefficient: "1"}}, AtLeast: fmt.Sprint(count)},
			{Terms: []statement.Term{{Total: "state_of_health", Coefficient: "1"}, {Total: "count", Coefficient: each}}, AtLeast: "100"},
		},
		Disclose: []string{"value"}, MinimumCoverage: "60.00", Requester: Lender, Grant: "grant-1", Purpose: "loan secured on batteries",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// Prove proves a statement about a fleet, with keys of an unsafe setup from the cache.
func Prove(of Size, s *statement.Statement) (bundle []byte, trust *ledger.Trust, err error) {
	keys, err := setup.UnsafeSingleParty("", nil)
	if err != nil {
		return nil, nil, err
	}
	facts, err := factsOf(of, keys.SRS())
	if err != nil {
		return nil, nil, err
	}
	source := func(_ context.Context, c *verify.ChunkFacts) (*zk.Chunk, error) {
		return chunk(c.Index, of.Slots, int(c.Attested)), nil
	}
	proven, err := zk.Prove(context.Background(), keys, s, facts, source, nil)
	if err != nil {
		return nil, nil, err
	}
	if bundle, err = proven.Marshal(); err != nil {
		return nil, nil, err
	}
	published, err := keys.Published(of.Slots)
	if err != nil {
		return nil, nil, err
	}
	g := Genesis()
	trust = &ledger.Trust{
		Version: ledger.TrustVersion, Ledger: g.ID(), Genesis: g, Height: 40, BlockHash: commit.Digest{40}, Keys: published, Facts: []verify.Facts{*facts},
		Requests:   []ledger.TrustRequest{{ID: s.Digest(g.ID()), Fleet: s.Fleet, Epoch: s.Epoch, Requester: s.Requester, Status: ledger.StatusVerified, Time: 1_700_700_000}},
		ExportedAt: 1_700_900_000, ExportedBy: Regulator,
	}
	Sign(trust)
	return bundle, trust, nil
}

// Sign signs an export anew as the one that it names.
func Sign(t *ledger.Trust) {
	t.Signature = ed25519.Sign(Key(t.ExportedBy), t.SigningBytes())
}

func factsOf(of Size, srs *commit.SRS) (*verify.Facts, error) {
	g := Genesis()
	f := &verify.Facts{Ledger: g.ID(), Fleet: Fleet, Owner: Owner, Schema: "battery/v1", Epoch: Epoch}
	for i := 0; i*of.Slots < of.Batteries; i++ {
		n := min(of.Slots, of.Batteries-i*of.Slots)
		c, err := chunk(uint32(i), of.Slots, n).Commitment(srs)
		if err != nil {
			return nil, err
		}
		point := c.Bytes()
		f.Chunks = append(f.Chunks, verify.ChunkFacts{
			Index: uint32(i), Size: uint32(of.Slots), Enrolled: uint32(n), Attested: uint32(n), Classes: map[string]uint32{"module": uint32(n)}, Anchored: true, Commitment: point[:],
			Height: uint64(10 + i), TxID: fmt.Sprintf("%064x", i+1),
		})
	}
	if of.Absent {
		f.Chunks = append(f.Chunks, verify.ChunkFacts{Index: uint32(len(f.Chunks)), Size: uint32(of.Slots), Enrolled: 3, Classes: map[string]uint32{"module": 3}})
	}
	for i := range f.Chunks {
		f.Enrolled += uint64(f.Chunks[i].Enrolled)
	}
	return f, nil
}

// chunk makes the same chunk whenever it is asked for it.
func chunk(index uint32, slots, present int) *zk.Chunk {
	rng := rand.New(rand.NewPCG(7, uint64(index)))
	c := &zk.Chunk{Index: index, Records: make([]record.Record, slots), R: make([]fr.Element, slots)}
	for i := range present {
		c.Records[i] = record.Record{
			1, uint32(6000 + rng.IntN(4000)), uint32(rng.IntN(9000)), uint32(rng.IntN(3000)), uint32(rng.IntN(200_000)),
			uint32(rng.IntN(100)), uint32(400 + rng.IntN(300)), uint32(rng.IntN(4)),
		}
		c.R[i].SetUint64(rng.Uint64())
	}
	return c
}
