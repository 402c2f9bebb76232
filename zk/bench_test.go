package zk_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/measure"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

var benchTable = flag.String("bench-table", "", "measure everything and write the figures to this file")

type benchmark struct {
	t     *testing.T
	keys  *setup.Unsafe
	table *measure.Table
}

// TestBenchTable measures what the package is for. Nothing is asserted about time.
func TestBenchTable(t *testing.T) {
	if *benchTable == "" {
		t.Skip("run by make bench")
	}
	b := &benchmark{t: t, keys: benchKeys(t), table: measure.NewTable(os.Stdout)}
	b.sizes()
	b.tree()
	b.verification()
	b.anchorCheck()
	b.fleet()
	if err := b.table.Write(*benchTable); err != nil {
		t.Fatal(err)
	}
}

func benchKeys(t *testing.T) *setup.Unsafe {
	keys, err := setup.UnsafeSingleParty("", func(s string) { fmt.Fprintln(os.Stderr, s) })
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func benchStatement() *statement.Statement {
	return &statement.Statement{
		Version: statement.Version, Fleet: "bench", Epoch: 7, Schema: "battery/v1",
		Cohort: []statement.Range{{Lane: "state_of_health", Min: "70.00"}, {Lane: "fault_count", Max: "2"}},
		Valuation: &statement.Valuation{Price: "1000.00", Currency: "EUR", Curves: []statement.Curve{
			{Lane: "state_of_health", Knots: []statement.Knot{{At: "70.00", Factor: "0.2"}, {At: "80.00", Factor: "0.6"}, {At: "100.00", Factor: "1"}}},
			{Lane: "age_days", Knots: []statement.Knot{{At: "0", Factor: "1"}, {At: "3650", Factor: "0.5"}}},
		}},
		Claims:          []statement.Claim{{Terms: []statement.Term{{Total: "count", Coefficient: "1"}}, AtLeast: "10"}},
		Disclose:        []string{"value"},
		MinimumCoverage: "50.00", Requester: "lender", Purpose: "benchmark",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// benchChunk makes the same chunk whenever it is asked for it.
func benchChunk(index uint32, n, present int) *zk.Chunk {
	rng := rand.New(rand.NewPCG(7, uint64(index)))
	c := &zk.Chunk{Index: index, Records: make([]record.Record, n), R: make([]fr.Element, n)}
	for i := range present {
		c.Records[i] = record.Record{
			1, uint32(6000 + rng.IntN(4000)), uint32(rng.IntN(9000)), uint32(rng.IntN(3000)), uint32(rng.IntN(200_000)),
			uint32(rng.IntN(100)), uint32(400 + rng.IntN(300)), uint32(rng.IntN(4)),
		}
		var seed [48]byte
		for j := range seed {
			seed[j] = byte(rng.Uint32())
		}
		c.R[i].SetBytes(seed[:])
	}
	return c
}

// benchFacts anchors chunks of n slots that hold devices in all.
func (b *benchmark) facts(n, devices int) *verify.Facts {
	f := &verify.Facts{Ledger: commit.Digest{1}, Fleet: "bench", Owner: "owner", Schema: "battery/v1", Epoch: 7, Enrolled: uint64(devices)}
	for i := 0; i*n < devices; i++ {
		present := min(n, devices-i*n)
		c, err := benchChunk(uint32(i), n, present).Commitment(b.keys.SRS())
		if err != nil {
			b.t.Fatal(err)
		}
		point := c.Bytes()
		f.Chunks = append(f.Chunks, verify.ChunkFacts{
			Index: uint32(i), Size: uint32(n), Enrolled: uint32(present), Attested: uint32(present),
			Classes: map[string]uint32{"module": uint32(present)}, Anchored: true, Commitment: point[:],
		})
	}
	return f
}

func (b *benchmark) proveChunk(n, times int) (time.Duration, *verify.ChunkProof, *verify.Facts) {
	s := benchStatement()
	p, err := s.Parameters()
	if err != nil {
		b.t.Fatal(err)
	}
	f := b.facts(n, n)
	anchored, err := commit.ParsePoint(f.Chunks[0].Commitment)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.keys.Chunk(n); err != nil {
		b.t.Fatal(err)
	}
	place := verify.ChunkPlace{Ledger: f.Ledger, Statement: s.Digest(f.Ledger), Fleet: f.Fleet, Size: uint32(n), Epoch: f.Epoch}
	var proof *verify.ChunkProof
	start := time.Now()
	for range times {
		if proof, _, err = zk.ProveChunk(b.keys, place, &anchored, benchChunk(0, n, n), p); err != nil {
			b.t.Fatal(err)
		}
	}
	return time.Since(start) / time.Duration(times), proof, f
}

func (b *benchmark) sizes() {
	for _, n := range commit.Sizes {
		took, _, _ := b.proveChunk(n, max(2, 4096/n))
		key, err := b.keys.Chunk(n)
		if err != nil {
			b.t.Fatal(err)
		}
		constraints := float64(key.System.GetNbConstraints()) / float64(n)
		millis := took.Seconds() * 1000 / float64(n)
		suffix := fmt.Sprintf("_%d", n)
		if n == 1024 {
			suffix = ""
		}
		b.table.Add("constraints_per_battery"+suffix, constraints, "constraints", "", 0)
		b.table.Add("prove_ms_per_battery"+suffix, millis, "ms", "", 0)
		b.keys.Release()
	}
}

// tree measures the same statement over a Poseidon2 Merkle tree of the same
// records, in turns with the chunk circuit, so that both meet the same machine.
// Its key is random points, which take as long as real ones.
func (b *benchmark) tree() {
	const n = 1024
	key, err := zk.CompileTree(n)
	if err != nil {
		b.t.Fatal(err)
	}
	key.Proving = new(groth16.ProvingKey)
	if err := groth16.DummySetup(key.System, key.Proving); err != nil {
		b.t.Fatal(err)
	}
	p, err := benchStatement().Parameters()
	if err != nil {
		b.t.Fatal(err)
	}
	chunk := benchChunk(0, n, n)
	const times = 3
	var tree, chunks time.Duration
	for range times {
		took, _, _ := b.proveChunk(n, 4)
		chunks += took
		start := time.Now()
		a, err := zk.TreeWitness(chunk.Records, chunk.R, p)
		if err != nil {
			b.t.Fatal(err)
		}
		full, err := a.Full()
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := groth16.Prove(key.System, key.Proving, full); err != nil {
			b.t.Fatal(err)
		}
		tree += time.Since(start)
	}
	millis, speedup := tree.Seconds()*1000/times/n, tree.Seconds()/chunks.Seconds()
	ours, err := b.keys.Chunk(n)
	if err != nil {
		b.t.Fatal(err)
	}
	ratio := float64(key.System.GetNbConstraints()) / float64(ours.System.GetNbConstraints())
	b.table.Add("tree_constraints_per_battery", float64(key.System.GetNbConstraints())/n, "constraints", "constraints_per_battery", ratio)
	b.table.Add("tree_prove_ms_per_battery", millis, "ms", "prove_ms_per_battery", speedup)
	b.table.Add("prove_speedup_vs_poseidon2_tree", speedup, "×", "tree_prove_ms_per_battery", speedup)
}

func (b *benchmark) verification() {
	const n = 1024
	_, proof, f := b.proveChunk(n, 1)
	s := benchStatement()
	p, err := s.Parameters()
	if err != nil {
		b.t.Fatal(err)
	}
	published, err := b.keys.Published(n)
	if err != nil {
		b.t.Fatal(err)
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		b.t.Fatal(err)
	}
	anchored, err := commit.ParsePoint(f.Chunks[0].Commitment)
	if err != nil {
		b.t.Fatal(err)
	}
	place := verify.ChunkPlace{Ledger: f.Ledger, Statement: s.Digest(f.Ledger), Fleet: f.Fleet, Size: n, Epoch: f.Epoch}
	b.table.Add("verify_chunk_ms", b.median(51, func() error { return ring.Chunk(place, &anchored, p, proof) }), "ms", "", 0)
	b.bundleBytes(s, proof)
}

// median is the middle of several runs, in milliseconds: short runs meet the
// collector's work on what came before.
func (b *benchmark) median(times int, do func() error) float64 {
	took := make([]float64, times)
	for i := range took {
		start := time.Now()
		if err := do(); err != nil {
			b.t.Fatal(err)
		}
		took[i] = time.Since(start).Seconds() * 1000
	}
	slices.Sort(took)
	return took[times/2]
}

func (b *benchmark) bundleBytes(s *statement.Statement, proof *verify.ChunkProof) {
	var lengths [2]int
	for i, chunks := range []int{1000, 2000} {
		bundle := &verify.Bundle{Statement: s}
		for index := range chunks {
			bundle.Chunks = append(bundle.Chunks, verify.IndexedChunkProof{Index: uint32(index), Proof: proof})
		}
		raw, err := bundle.Marshal()
		if err != nil {
			b.t.Fatal(err)
		}
		lengths[i] = len(raw)
	}
	b.table.Add("bundle_bytes_per_chunk", float64(lengths[1]-lengths[0])/1000, "bytes", "", 0)
}

// anchorCheck measures on one core what an endorser does for one anchor.
func (b *benchmark) anchorCheck() {
	const n = 1024
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		chunk := committest.NewChunk(n, algorithm)
		before := runtime.GOMAXPROCS(1)
		took := b.median(7, func() error {
			_, err := chunk.Check()
			return err
		})
		runtime.GOMAXPROCS(before)
		name := "anchor_check_ms_1024"
		if algorithm != commit.Ed25519 {
			name += "_p256"
		}
		b.table.Add(name, took, "ms", "", 0)
	}
}
