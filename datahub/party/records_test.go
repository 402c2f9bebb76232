package party_test

import (
	"context"
	"maps"
	"sync"

	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/verify"
)

// reading counts how often each owner's records are read.
type reading struct {
	w *partytest.World

	mu    sync.Mutex
	times map[string]int
}

// counted starts some nodes.
func counted(w *partytest.World, orgs ...string) *reading {
	r := &reading{w: w, times: map[string]int{}}
	for _, org := range orgs {
		r.start(org)
	}
	return r
}

func (r *reading) start(org string) {
	o := r.w.Options(org)
	if openings := o.Openings; openings != nil {
		o.Openings = func(ctx context.Context, fleet string, epoch uint64, f *verify.ChunkFacts) (*zk.Chunk, error) {
			r.mu.Lock()
			r.times[org]++
			r.mu.Unlock()
			return openings(ctx, fleet, epoch, f)
		}
	}
	r.w.StartWith(org, o)
}

func (r *reading) all() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.times)
}
