package zk_test

import (
	"context"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// jobs are the chunk jobs of a small fleet, by chunk.
func (a *answered) jobs(t testing.TB, s *statement.Statement) map[uint32]*zk.ChunkJob {
	t.Helper()
	out := map[uint32]*zk.ChunkJob{}
	for i := range a.facts.Chunks {
		f := &a.facts.Chunks[i]
		point, err := commit.ParsePoint(f.Commitment)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Index] = &zk.ChunkJob{Statement: s, Commitment: point, Chunk: a.chunks[f.Index], Place: verify.ChunkPlace{
			Ledger: a.facts.Ledger, SRS: a.keys.SRS().Digest(), Statement: s.Digest(a.facts.Ledger), Fleet: s.Fleet, Chunk: f.Index, Size: f.Size, Epoch: s.Epoch,
		}}
	}
	return out
}

func (a *answered) ring(t testing.TB) *verify.Keyring {
	t.Helper()
	published, err := a.keys.Published(provenSlots)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// TestProveElsewhere sends every job and every result through its encoding.
func TestProveElsewhere(t *testing.T) {
	a := answer(t, 1, 3)
	ring := a.ring(t)
	var mu sync.Mutex
	var order []uint32
	elsewhere := func(ctx context.Context, job *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
		b, err := job.Marshal()
		if err != nil {
			return nil, nil, err
		}
		there, err := zk.ParseChunkJob(b)
		if err != nil {
			return nil, nil, err
		}
		if !reflect.DeepEqual(there.Place, job.Place) || !slices.Equal(there.Chunk.Records, job.Chunk.Records) || !slices.Equal(there.Chunk.R, job.Chunk.R) || there.Commitment != job.Commitment {
			t.Errorf("chunk %d is another after its encoding", job.Place.Chunk)
		}
		proof, opened, err := zk.ProveHere(a.keys)(ctx, there)
		if err != nil {
			return nil, nil, err
		}
		if b, err = (&zk.ChunkResult{Proof: proof, Opened: opened}).Marshal(); err != nil {
			return nil, nil, err
		}
		r, err := zk.ParseChunkResult(b)
		if err != nil {
			return nil, nil, err
		}
		mu.Lock()
		order = append(order, job.Place.Chunk)
		mu.Unlock()
		return r.Proof, r.Opened, job.Verify(ring, r.Proof, r.Opened)
	}
	b, err := zk.Prover{Keys: a.keys, Chunks: elsewhere, AtOnce: 1}.Prove(t.Context(), chargers(), a.facts, a.source, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := verify.VerifyBundle(raw, a.facts, ring); err != nil {
		t.Error(err)
	}
	if !slices.Equal(order, []uint32{1, 3}) {
		t.Errorf("proven in the order %v, want one at a time", order)
	}
}

func TestProveElsewhereFails(t *testing.T) {
	a := answer(t, 1)
	away := errors.New("nobody there")
	_, err := zk.Prover{Keys: a.keys, Chunks: func(context.Context, *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) { return nil, nil, away }}.
		Prove(t.Context(), chargers(), a.facts, a.source, nil)
	if !errors.Is(err, away) || !strings.Contains(err.Error(), "chunk 1") {
		t.Errorf("got %v", err)
	}
}

func TestProveHereRefuses(t *testing.T) {
	a := answer(t, 2)
	job := a.jobs(t, chargers())[2]
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx    context.Context
		change func(*zk.ChunkJob)
		want   string
	}{
		"stopped":           {stopped, func(*zk.ChunkJob) {}, "canceled"},
		"another SRS":       {t.Context(), func(j *zk.ChunkJob) { j.Place.SRS[0] ^= 1 }, "the keys here are over"},
		"another statement": {t.Context(), func(j *zk.ChunkJob) { j.Place.Statement[0] ^= 1 }, "not the statement's"},
		"another fleet":     {t.Context(), func(j *zk.ChunkJob) { j.Place.Fleet = "g" }, "not the statement's"},
		"another epoch":     {t.Context(), func(j *zk.ChunkJob) { j.Place.Epoch++ }, "not the statement's"},
		"another chunk":     {t.Context(), func(j *zk.ChunkJob) { j.Place.Chunk++ }, "want 64 of chunk 3"},
		"no such size":      {t.Context(), func(j *zk.ChunkJob) { j.Place.Size = 63 }, "want 63 of chunk 2"},
		"nothing":           {t.Context(), func(j *zk.ChunkJob) { *j = zk.ChunkJob{} }, "missing"},
	} {
		j := *job
		c.change(&j)
		if _, _, err := zk.ProveHere(a.keys)(c.ctx, &j); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
}

// TestJobVerify takes a result of this job and nothing else.
func TestJobVerify(t *testing.T) {
	a := answer(t, 2, 3)
	ring := a.ring(t)
	jobs := a.jobs(t, chargers())
	other := chargers()
	other.Nonce = "ff112233445566778899aabbccddeeff"
	prove := func(j *zk.ChunkJob) *zk.ChunkResult {
		proof, opened, err := zk.ProveHere(a.keys)(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		return &zk.ChunkResult{Proof: proof, Opened: opened}
	}
	good, again, third, elsewhere := prove(jobs[2]), prove(jobs[2]), prove(jobs[3]), prove(a.jobs(t, other)[2])
	if err := jobs[2].Verify(ring, good.Proof, good.Opened); err != nil {
		t.Fatal(err)
	}
	one := fr.One()
	for name, c := range map[string]struct {
		change func(p *verify.ChunkProof, o *zk.Opened)
		want   string
	}{
		"another chunk's result":     {func(p *verify.ChunkProof, o *zk.Opened) { *p, *o = *third.Proof, *third.Opened }, "totals are not"},
		"another chunk's proof":      {func(p *verify.ChunkProof, _ *zk.Opened) { *p = *third.Proof }, "opening is not"},
		"another chunk's opening":    {func(_ *verify.ChunkProof, o *zk.Opened) { *o = *third.Opened }, "totals are not"},
		"another attempt's opening":  {func(_ *verify.ChunkProof, o *zk.Opened) { *o = *again.Opened }, "opening is not"},
		"another statement's result": {func(p *verify.ChunkProof, o *zk.Opened) { *p, *o = *elsewhere.Proof, *elsewhere.Opened }, "mask M"},
		"one device more":            {func(_ *verify.ChunkProof, o *zk.Opened) { o.Totals.Count++ }, "totals are not"},
		"another sum":                {func(_ *verify.ChunkProof, o *zk.Opened) { o.Totals.Sums[3]++ }, "totals are not"},
		"another value":              {func(_ *verify.ChunkProof, o *zk.Opened) { o.Totals.Exact = big.NewInt(7) }, "totals are not"},
		"no value":                   {func(_ *verify.ChunkProof, o *zk.Opened) { o.Totals.Exact = nil }, "totals are not"},
		"another salt":               {func(_ *verify.ChunkProof, o *zk.Opened) { o.Output.Salt.Add(&o.Output.Salt, &one) }, "opening is not"},
		"another T beside":           {func(_ *verify.ChunkProof, o *zk.Opened) { o.T.Add(&o.T, &one) }, "opening is not"},
		"another packing":            {func(_ *verify.ChunkProof, o *zk.Opened) { o.Output.First.Add(&o.Output.First, &one) }, "opening is not"},
		"another T":                  {func(p *verify.ChunkProof, o *zk.Opened) { p.T.Add(&p.T, &one); o.T = p.T }, "opening is not"},
		"another y":                  {func(p *verify.ChunkProof, _ *zk.Opened) { p.Y.Add(&p.Y, &one) }, "chunk-64/v1"},
		"another mask":               {func(p *verify.ChunkProof, _ *zk.Opened) { p.M = third.Proof.M }, "mask M"},
		"another quotient":           {func(p *verify.ChunkProof, _ *zk.Opened) { p.Opening = third.Proof.Opening }, "opening of the anchored"},
	} {
		proof, opened := *good.Proof, *good.Opened
		c.change(&proof, &opened)
		if err := jobs[2].Verify(ring, &proof, &opened); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
	moved := *jobs[2]
	moved.Commitment = jobs[3].Commitment
	if err := moved.Verify(ring, good.Proof, good.Opened); err == nil {
		t.Error("accepted for another commitment")
	}
}

// BenchmarkJobVerify is what a requester pays to check a worker, beside BenchmarkProveHere, what the worker pays.
func BenchmarkJobVerify(b *testing.B) {
	a, job := benchJob(b)
	proof, opened, err := zk.ProveHere(a)(b.Context(), job)
	if err != nil {
		b.Fatal(err)
	}
	published, err := a.Published(int(job.Place.Size))
	if err != nil {
		b.Fatal(err)
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := job.Verify(ring, proof, opened); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkProveHere(b *testing.B) {
	a, job := benchJob(b)
	if _, err := a.Chunk(int(job.Place.Size)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := zk.ProveHere(a)(b.Context(), job); err != nil {
			b.Fatal(err)
		}
	}
}

// benchJob is a full chunk of 1,024.
func benchJob(b *testing.B) (*setup.Unsafe, *zk.ChunkJob) {
	b.Helper()
	keys, err := setup.UnsafeSingleParty("", nil)
	if err != nil {
		b.Fatal(err)
	}
	s, c, ledger := benchStatement(), benchChunk(3, 1024, 1024), commit.Digest{1}
	point, err := c.Commitment(keys.SRS())
	if err != nil {
		b.Fatal(err)
	}
	return keys, &zk.ChunkJob{Statement: s, Commitment: point, Chunk: c, Place: verify.ChunkPlace{
		Ledger: ledger, SRS: keys.SRS().Digest(), Statement: s.Digest(ledger), Fleet: s.Fleet, Chunk: 3, Size: 1024, Epoch: s.Epoch,
	}}
}
