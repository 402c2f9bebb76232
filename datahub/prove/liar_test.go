package prove_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// lies are what a worker could make of an honest result. Each is told the first result that the worker made, for another chunk.
var lies = map[string]struct {
	change func(p *verify.ChunkProof, o *zk.Opened, first *zk.ChunkResult)
	want   string
}{
	"wrong proof":             {func(p *verify.ChunkProof, _ *zk.Opened, _ *zk.ChunkResult) { one := fr.One(); p.Y.Add(&p.Y, &one) }, "chunk-64/v1"},
	"swapped result":          {func(p *verify.ChunkProof, o *zk.Opened, first *zk.ChunkResult) { *p, *o = *first.Proof, *first.Opened }, "totals are not"},
	"another chunk's opening": {func(_ *verify.ChunkProof, o *zk.Opened, first *zk.ChunkResult) { *o = *first.Opened }, "totals are not"},
	"another chunk's proof":   {func(p *verify.ChunkProof, _ *zk.Opened, first *zk.ChunkResult) { *p = *first.Proof }, "opening is not"},
	"better totals":           {func(_ *verify.ChunkProof, o *zk.Opened, _ *zk.ChunkResult) { o.Totals.Sums[1]++ }, "totals are not"},
}

// liar proves its first chunk honestly and lies about every other.
func (s *scene) liar(lie string) zk.ChunkProver {
	var mu sync.Mutex
	var first *zk.ChunkResult
	return func(ctx context.Context, job *zk.ChunkJob) (*verify.ChunkProof, *zk.Opened, error) {
		mu.Lock()
		defer mu.Unlock()
		proof, opened, err := zk.ProveHere(s.keys)(ctx, job)
		if err != nil {
			return nil, nil, err
		}
		if first == nil {
			first = &zk.ChunkResult{Proof: proof, Opened: opened}
			return proof, opened, nil
		}
		p, o := *proof, *opened
		lies[lie].change(&p, &o, first)
		return &p, &o, nil
	}
}

// A worker that lies is caught by name, and its chunk proven by another.
func TestLiar(t *testing.T) {
	for lie, about := range lies {
		t.Run(lie, func(t *testing.T) {
			s := newScene(t, 3, nil)
			liar := s.work("liar", prove.WorkerOptions{Prove: s.liar(lie), Unchecked: true})
			done := s.start()
			s.until("the liar is caught", func() bool { return len(s.prover.Wrong()) == 1 })
			if why := s.prover.Wrong()["liar"]; !strings.Contains(why, about.want) || !strings.Contains(why, "chunk ") {
				t.Errorf("caught for %q, want %q", why, about.want)
			}
			s.work("anna", prove.WorkerOptions{})
			if err := <-done; err != nil {
				t.Fatalf("%v\n%s", err, strings.Join(s.stages(), "\n"))
			}
			if n := s.count("anna", prove.Proven); n == 0 {
				t.Error("nobody did the liar's work again")
			}
			liar.stop()
			if err := <-liar.ended; err != nil && !errors.Is(err, prove.ErrAccused) {
				t.Errorf("the liar ended with %v", err)
			}
			s.empty()
		})
	}
}

// A worker that checks its own proofs, as it does unless told otherwise, finds out before anybody else.
func TestBrokenMachineFindsOut(t *testing.T) {
	s := newScene(t, 2, nil)
	s.work("liar", prove.WorkerOptions{Prove: s.liar("wrong proof")})
	if err := <-s.start(); err == nil || !strings.Contains(err.Error(), "worker liar: the proof just made does not hold") {
		t.Errorf("got %v", err)
	}
	if len(s.prover.Wrong()) != 0 {
		t.Errorf("%v", s.prover.Wrong())
	}
}

// With nobody but a liar, the node proves by itself if it may, and gives up if not.
func TestOnlyLiars(t *testing.T) {
	for name, here := range map[string]bool{"the node may prove": true, "the node may not": false} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, 2, func(_ *workqueue.Options, o *prove.Options) {
				if here {
					keys, err := cachedKeys()
					if err != nil {
						t.Fatal(err)
					}
					o.Here = zk.ProveHere(keys)
				}
			})
			taking := s.takeAndKeepSilent()
			defer taking()
			err := <-s.start()
			if here && err != nil {
				t.Error(err)
			}
			if !here && (err == nil || !strings.Contains(err.Error(), "given up after 3 failures") || !strings.Contains(err.Error(), "returned nothing that could be used")) {
				t.Errorf("got %v", err)
			}
			s.empty()
		})
	}
}

// takeAndKeepSilent takes every job out of the queue and answers none, until it is called.
func (s *scene) takeAndKeepSilent() (stop func()) {
	s.t.Helper()
	js, err := jetstream.New(s.broker.Dial("root"))
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := js.Consumer(s.t.Context(), "ASSAY_WORK_prove_JOBS", "workers")
	if err != nil {
		s.t.Fatal(err)
	}
	consuming, err := c.Consume(func(m jetstream.Msg) { m.Ack() }, jetstream.PullMaxMessages(1)) //nolint:errcheck // nobody to tell
	if err != nil {
		s.t.Fatal(err)
	}
	return consuming.Stop
}
