package verify_test

import (
	"encoding/json"
	"flag"
	"math/big"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestMain(m *testing.M) {
	logger.Disable()
	flag.Parse()
	os.Exit(m.Run())
}

// size is that of every chunk under test but where a test is about sizes.
const size = 64

// lending is a fleet with an answered statement. Everything in it is shared:
// copy before you change.
type lending struct {
	keys      *setup.Unsafe
	published []verify.PublishedKey
	ring      *verify.Keyring
	facts     *verify.Facts
	statement *statement.Statement
	chunks    []*zk.Chunk
	opened    []*zk.Opened // by chunk
	bundle    *verify.Bundle
	raw       []byte
}

var lend = sync.OnceValues(func() (*lending, error) {
	l := &lending{statement: asked()}
	var err error
	if l.keys, err = setup.UnsafeSingleParty("", nil); err != nil {
		return nil, err
	}
	if l.published, err = l.keys.Published(size, 256); err != nil {
		return nil, err
	}
	if l.ring, err = verify.NewKeyring(l.published); err != nil {
		return nil, err
	}
	if err := l.anchor(); err != nil {
		return nil, err
	}
	if l.bundle, l.opened, err = l.prove(&cheat{}); err != nil {
		return nil, err
	}
	l.raw, err = l.bundle.Marshal()
	return l, err
})

func proven(t *testing.T) *lending {
	t.Helper()
	if testing.Short() {
		t.Skip("needs keys and proofs")
	}
	l, err := lend()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// asked is the statement of most tests. Its first claim holds exactly.
func asked() *statement.Statement {
	return &statement.Statement{
		Version: statement.Version, Fleet: "fleet-a", Epoch: 7, Schema: "battery/v1",
		Cohort: []statement.Range{{Lane: "state_of_health", Min: "70"}, {Lane: "fault_count", Max: "2"}},
		Valuation: &statement.Valuation{Price: "1000.00", Currency: "EUR", Curves: []statement.Curve{
			{Lane: "state_of_health", Knots: []statement.Knot{{At: "70", Factor: "0.2"}, {At: "80", Factor: "0.6"}, {At: "100", Factor: "1"}}},
			{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}, {At: "3650", Factor: "0.5"}}},
		}},
		Claims: []statement.Claim{
			{Terms: []statement.Term{{Total: "count", Coefficient: "1"}}, AtLeast: "70"},
			{Terms: []statement.Term{{Total: "state_of_health", Coefficient: "1"}, {Total: "count", Coefficient: "-99"}}, AtLeast: "0"},
		},
		Disclose: []string{"value", "age_days"}, MinimumCoverage: "60.00",
		Requester: "lender", Grant: "grant-1", Purpose: "loan", Nonce: "00112233445566778899aabbccddeeff",
		Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// anchor makes three chunks with reports, one without, and one that was not
// anchored.
func (l *lending) anchor() error {
	if err := l.report(2, 5, 6); err != nil {
		return err
	}
	silent := bn254.G1Affine{}
	point := silent.Bytes()
	l.facts.Chunks = append(l.facts.Chunks,
		verify.ChunkFacts{Index: 8, Size: size, Enrolled: 2, Classes: map[string]uint32{"module": 2}, Anchored: true, Commitment: point[:], Height: 12, TxID: "tx-8"},
		verify.ChunkFacts{Index: 9, Size: 256, Enrolled: 5, Classes: map[string]uint32{"gateway": 5}})
	for _, f := range l.facts.Chunks {
		l.facts.Enrolled += uint64(f.Enrolled)
	}
	return nil
}

// report starts the facts with anchored chunks.
func (l *lending) report(indices ...uint32) error {
	l.facts = &verify.Facts{Ledger: commit.Digest{1}, Fleet: "fleet-a", Owner: "owner", Schema: "battery/v1", Epoch: 7, Retired: 3}
	for _, index := range indices {
		c := newChunk(index)
		f, err := l.factsOf(c)
		if err != nil {
			return err
		}
		l.chunks = append(l.chunks, c)
		l.facts.Chunks = append(l.facts.Chunks, *f)
	}
	return nil
}

func newChunk(index uint32) *zk.Chunk {
	rng := rand.New(rand.NewPCG(11, uint64(index)))
	c := &zk.Chunk{Index: index, Records: make([]record.Record, size), R: make([]fr.Element, size)}
	for s := range 40 {
		c.Records[s] = record.Record{
			1, uint32(6500 + rng.IntN(3500)), uint32(rng.IntN(9000)), uint32(rng.IntN(4000)), uint32(rng.IntN(200_000)),
			uint32(rng.IntN(100)), uint32(400 + rng.IntN(300)), uint32(rng.IntN(4)),
		}
		c.R[s].MustSetRandom()
	}
	return c
}

func (l *lending) factsOf(c *zk.Chunk) (*verify.ChunkFacts, error) {
	point, err := c.Commitment(l.keys.SRS())
	if err != nil {
		return nil, err
	}
	b := point.Bytes()
	attested := uint32(0)
	for _, r := range c.Records {
		attested += r[record.Presence]
	}
	return &verify.ChunkFacts{
		Index: c.Index, Size: uint32(len(c.Records)), Enrolled: attested + 2, Classes: map[string]uint32{"module": attested, "secure_element": 2},
		Anchored: true, Attested: attested, Commitment: b[:], Height: 10 + uint64(c.Index), TxID: "tx",
	}, nil
}

// cloned copies what JSON can carry.
func cloned[T any](t *testing.T, v *T) *T {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// copied is the bundle, to be changed.
func (l *lending) copied(t *testing.T) *verify.Bundle {
	t.Helper()
	b, err := verify.ParseBundle(l.raw)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func marshalled(t *testing.T, b *verify.Bundle) []byte {
	t.Helper()
	raw, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// refuses shows that a bundle is refused for the reason given.
func refuses(t *testing.T, ring *verify.Keyring, facts *verify.Facts, b *verify.Bundle, reason string) {
	t.Helper()
	v, err := verify.VerifyBundle(marshalled(t, b), facts, ring)
	switch {
	case err == nil:
		t.Errorf("accepted, want an error about %q", reason)
	case v != nil:
		t.Errorf("a verdict beside the error %v", err)
	case !strings.Contains(err.Error(), reason):
		t.Errorf("refused for %q, want %q", err, reason)
	}
}

func (l *lending) refuses(t *testing.T, b *verify.Bundle, reason string) {
	t.Helper()
	refuses(t, l.ring, l.facts, b, reason)
}

var bigOne = big.NewInt(1)
