package ceremony

import (
	"crypto"
	"flag"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

var realCircuit = flag.Bool("real", false, "hold a ceremony for a circuit of the prover's")

// TestChunkProof holds a ceremony for the smallest chunk circuit, proves a chunk with the key that comes out, and has the verifier check the proof with the
// published keys. Nothing in them says unsafe. It takes a minute of two processors: `make ceremony-check` runs it.
func TestChunkProof(t *testing.T) {
	if !*realCircuit {
		t.Skip("holds a ceremony for 6,156 constraints: run it with -args -real")
	}
	const n = 64
	keyset, err := Standard(n)
	if err != nil {
		t.Fatal(err)
	}
	keyset.Circuits = keyset.Circuits[:1]
	c, err := Init(t.TempDir(), testPlan(t), keyset)
	if err != nil {
		t.Fatal(err)
	}
	c.Marks = t.TempDir()
	if err := c.Use(keyset); err != nil {
		t.Fatal(err)
	}
	var published []verify.PublishedKey
	keyset.Check = func(k verify.PublishedKey) error {
		published = append(published, k)
		return verify.CheckKey(k)
	}
	cache := t.TempDir()
	var r *transcript.Record
	for _, beacon := range []transcript.Beacon{beaconOne, beaconTwo} {
		for _, who := range []crypto.Signer{alice, bob} {
			if _, err := c.Contribute(ctx, who); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		if r, err = c.Finalize(ctx, beacon, cache); err != nil {
			t.Fatal(err)
		}
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := setup.Finished(cache, r.Transcript)
	if err != nil {
		t.Fatal(err)
	}
	job := oneChunk(t, keys, n)
	proof, opened, err := zk.ProveHere(keys)(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if err := job.Verify(ring, proof, opened); err != nil {
		t.Error(err)
	}
	for _, k := range published {
		if k.Setup != verify.CeremonySetup(r.Transcript) {
			t.Errorf("%s: setup %q", k.CircuitID, k.Setup)
		}
	}
}

func oneChunk(t *testing.T, keys *setup.Keys, n int) *zk.ChunkJob {
	t.Helper()
	s := &statement.Statement{
		Version: statement.Version, Fleet: "fleet", Epoch: 3, Schema: "battery/v1",
		Cohort:   []statement.Range{{Lane: "state_of_health", Min: "70.00"}},
		Claims:   []statement.Claim{{Terms: []statement.Term{{Total: "count", Coefficient: "1"}}, AtLeast: "1"}},
		Disclose: []string{"count"}, MinimumCoverage: "10.00", Requester: "lender", Purpose: "test",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	chunk := &zk.Chunk{Records: make([]record.Record, n), R: make([]fr.Element, n)}
	for i := range 5 {
		chunk.Records[i] = record.Record{1, 8000 + uint32(i), 100, 200, 3000, 10, 600, 0}
		chunk.R[i].SetUint64(uint64(1000 + i))
	}
	point, err := chunk.Commitment(keys.SRS())
	if err != nil {
		t.Fatal(err)
	}
	ledger := commit.Digest{7}
	return &zk.ChunkJob{Statement: s, Commitment: point, Chunk: chunk, Place: verify.ChunkPlace{
		Ledger: ledger, SRS: keys.SRS().Digest(), Statement: s.Digest(ledger), Fleet: s.Fleet, Size: uint32(n), Epoch: s.Epoch,
	}}
}
