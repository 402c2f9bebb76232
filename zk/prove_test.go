package zk_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

const provenSlots = 64

// answered is a small fleet with everything to prove about it.
type answered struct {
	keys   *setup.Unsafe
	facts  *verify.Facts
	chunks map[uint32]*zk.Chunk
}

func answer(t *testing.T, indices ...uint32) *answered {
	t.Helper()
	if testing.Short() {
		t.Skip("needs keys and proofs")
	}
	keys, err := setup.UnsafeSingleParty("", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := &answered{keys: keys, chunks: map[uint32]*zk.Chunk{}}
	a.facts = &verify.Facts{Ledger: commit.Digest{1}, Fleet: "f", Owner: "o", Schema: "charger/v1", Epoch: 7}
	for _, index := range indices {
		c := &zk.Chunk{Index: index, Records: make([]record.Record, provenSlots), R: make([]fr.Element, provenSlots)}
		for s := range 3 * int(index) {
			c.Records[s] = record.Record{1, uint32(1000 * s), uint32(s), 5, 6, 7, 0, uint32(index)}
			c.R[s].MustSetRandom()
		}
		point, err := c.Commitment(a.keys.SRS())
		if err != nil {
			t.Fatal(err)
		}
		b := point.Bytes()
		n := 3 * index
		a.chunks[index] = c
		a.facts.Chunks = append(a.facts.Chunks, verify.ChunkFacts{
			Index: index, Size: provenSlots, Enrolled: n, Attested: n, Classes: map[string]uint32{"gateway": n}, Anchored: true, Commitment: b[:],
		})
		a.facts.Enrolled += uint64(n)
	}
	return a
}

func (a *answered) source(_ context.Context, f *verify.ChunkFacts) (*zk.Chunk, error) {
	return a.chunks[f.Index], nil
}

func chargers() *statement.Statement {
	return &statement.Statement{
		Version: statement.Version, Fleet: "f", Epoch: 7, Schema: "charger/v1", MinimumCoverage: "100",
		Claims:   []statement.Claim{{Terms: []statement.Term{{Total: "energy_Wh", Coefficient: "0.001"}}, AtLeast: "102"}},
		Disclose: []string{"count", "age_days"}, Requester: "lender", Purpose: "loan",
		Nonce: "00112233445566778899aabbccddeeff", Expiry: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// TestProve proves a fleet of charging piles in chunks that finish in any order.
func TestProve(t *testing.T) {
	a := answer(t, 1, 3, 4)
	var mu sync.Mutex
	var seen []int
	b, err := zk.Prove(t.Context(), a.keys, chargers(), a.facts, a.source, func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, done)
		if total != 4 {
			t.Errorf("%d proofs in all, want 4", total)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, []int{1, 2, 3, 4}) {
		t.Errorf("progress %v", seen)
	}
	published, err := a.keys.Published(provenSlots)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	v, err := verify.VerifyBundle(raw, a.facts, ring)
	if err != nil {
		t.Fatal(err)
	}
	// Energy: 3 + 36 + 66 kWh; ages: 3·1 + 9·3 + 12·4 days.
	want := []statement.DisclosedTotal{{Name: "population", Value: "24", Unit: "devices"}, {Name: "count", Value: "24", Unit: "devices"}, {Name: "sum of age_days", Value: "78", Unit: "days"}}
	if !slices.Equal(v.Disclosed, want) || !v.Holds() {
		t.Errorf("got %+v, %+v", v.Disclosed, v.Claims)
	}
}

func TestProveRefuses(t *testing.T) {
	a := answer(t, 2)
	ours := a.chunks[2]
	changed := func(change func(c *zk.Chunk)) zk.Source {
		c := *ours
		c.Records, c.R = slices.Clone(c.Records), slices.Clone(c.R)
		change(&c)
		return func(context.Context, *verify.ChunkFacts) (*zk.Chunk, error) { return &c, nil }
	}
	lost := errors.New("disk lost")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx    context.Context
		change func(s *statement.Statement, f *verify.Facts)
		source zk.Source
		want   string
	}{
		"statement":           {change: func(s *statement.Statement, _ *verify.Facts) { s.Nonce = "" }, want: "nonce"},
		"facts":               {change: func(_ *statement.Statement, f *verify.Facts) { f.Enrolled++ }, want: "ledger facts"},
		"anchored point":      {change: func(_ *statement.Statement, f *verify.Facts) { f.Chunks[0].Commitment = []byte{1} }, want: "chunk 2: anchored commitment"},
		"another record":      {source: changed(func(c *zk.Chunk) { c.Records[0][1]++ }), want: "chunk 2: the records do not open the anchored commitment"},
		"another blinding":    {source: changed(func(c *zk.Chunk) { c.R[0].SetOne() }), want: "chunk 2: the records do not open the anchored commitment"},
		"another index":       {source: changed(func(c *zk.Chunk) { c.Index = 3 }), want: "chunk 3 has 64 records and 64 blinding scalars, want 64 of chunk 2"},
		"a blinding less":     {source: changed(func(c *zk.Chunk) { c.R = c.R[:63] }), want: "chunk 2"},
		"a blinding more":     {source: changed(func(c *zk.Chunk) { c.R = append(c.R, fr.Element{}) }), want: "65 blinding scalars"},
		"another size":        {source: changed(func(c *zk.Chunk) { c.Records, c.R = c.Records[:32], c.R[:32] }), want: "chunk 2"},
		"source that fails":   {source: func(context.Context, *verify.ChunkFacts) (*zk.Chunk, error) { return nil, lost }, want: lost.Error()},
		"caller that stopped": {ctx: stopped, want: context.Canceled.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := chargers(), *a.facts
			f.Chunks = slices.Clone(f.Chunks)
			if c.change != nil {
				c.change(s, &f)
			}
			if c.source == nil {
				c.source = a.source
			}
			if c.ctx == nil {
				c.ctx = t.Context()
			}
			b, err := zk.Prove(c.ctx, a.keys, s, &f, c.source, nil)
			if b != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v, want an error about %q", b, err, c.want)
			}
		})
	}
}

// failing has no fleet key.
type failing struct{ zk.Keys }

var errNoKey = errors.New("no fleet key")

func (failing) Fleet() (*zk.CircuitKey, error) { return nil, errNoKey }

func TestProveReturnsNoHalfBundle(t *testing.T) {
	a := answer(t, 1)
	b, err := zk.Prove(t.Context(), failing{a.keys}, chargers(), a.facts, a.source, nil)
	if !errors.Is(err, errNoKey) {
		t.Fatal(err)
	}
	if b != nil {
		t.Error("a bundle without results beside the error")
	}
}

// TestProveChunkRefusesUnprovableRecord: a record that no row holds is named by
// its slot, and its values are not.
func TestProveChunkRefusesUnprovableRecord(t *testing.T) {
	a := answer(t, 2)
	c := *a.chunks[2]
	c.Records = slices.Clone(c.Records)
	c.Records[4] = record.Record{1, 987_654_321, 1 << 20}
	anchored, err := c.Commitment(a.keys.SRS())
	if err != nil {
		t.Fatal(err)
	}
	p, err := chargers().Parameters()
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = zk.ProveChunk(a.keys, verify.ChunkPlace{Chunk: 2, Size: provenSlots}, &anchored, &c, p)
	if err == nil || !strings.Contains(err.Error(), "slot 4") {
		t.Fatalf("got %v, want an error that names slot 4", err)
	}
	for _, secret := range []string{"987654321", "1048576"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error %q shows a record", err)
		}
	}
}
