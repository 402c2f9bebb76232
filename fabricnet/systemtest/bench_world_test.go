package systemtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/measure"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

const (
	smallChunk, largeChunk = 64, 1024
	largeChunks            = 32
	largeFleet             = "bench-large"
)

// smallFleet has one chunk. Verdicts about one fleet at one epoch come one after the other, so each is about another.
func smallFleet(i int) string { return fmt.Sprintf("bench-small-%d", i) }

// bench is a network with fleets to anchor and to ask about.
type bench struct {
	t         *testing.T
	table     *measure.Table
	consensus string
	net, bare *benchNetwork
	keys      *setup.Unsafe
	epoch     uint64 // that is anchored

	small, large []benchChunk
}

// benchChunk is a chunk's devices and what they attested.
type benchChunk struct {
	place        commit.ChunkPlace
	devices      []contracttest.Device
	attestations [][]byte
	anchor       ledger.AnchorChunk
}

func newBench(t *testing.T, table *measure.Table, consensus string) *bench {
	keys, err := setup.UnsafeSingleParty("", func(step string) { t.Log(step) })
	if err != nil {
		t.Fatal(err)
	}
	flags := []string{"--consensus", consensus, "--epoch", "60s", "--anchor-window", "60s", "--clock-skew", "15s"}
	return &bench{t: t, table: table, consensus: consensus, keys: keys,
		net: newBenchNetwork(t, flags...), bare: newBenchNetwork(t, append(flags, "--contract", bareBinary(t))...)}
}

// prepare enrols all devices and has them attest to an epoch that is then over.
func (b *bench) prepare() {
	b.t.Helper()
	ctx := context.Background()
	b.net.pin(b.keys, smallChunk)
	maker := contracttest.NewMaker("bench-maker")
	registration := ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}
	b.net.agree(registration.Digest())
	b.must(b.net.book(benchRegulator).RegisterMaker(ctx, registration))
	register := func(ctx context.Context, fleet string, size uint32) error {
		_, err := b.net.book(benchOwner).RegisterFleet(ctx, ledger.RegisterFleet{ID: fleet, Schema: contracttest.Schema, ChunkSize: size})
		return err
	}
	if err := register(ctx, largeFleet, largeChunk); err != nil {
		b.t.Fatal(err)
	}
	anchored := 0
	for _, l := range loads {
		anchored += l.calls
	}
	b.small, b.large = make([]benchChunk, anchored), make([]benchChunk, largeChunks)
	b.load(64, 0, anchored, func(ctx context.Context, i int) error { return register(ctx, smallFleet(i), smallChunk) })
	b.inParallel(anchored, func(i int) error { return b.small[i].make(maker, smallFleet(i), 0, smallChunk) })
	b.inParallel(largeChunks, func(i int) error { return b.large[i].make(maker, largeFleet, i, largeChunk) })
	b.enrol()
	b.open(b.epoch)
	b.attest()
	b.open(b.epoch + 1)
}

// open waits for an epoch and opens it.
func (b *bench) open(epoch uint64) {
	b.t.Helper()
	b.net.until(b.net.genesis.EpochStart(epoch))
	if opened, err := b.net.book(benchRegulator).OpenEpoch(context.Background()); err != nil || opened != epoch {
		b.t.Fatalf("opening epoch %d: it is %d, %v", epoch, opened, err)
	}
}

func (b *bench) must(_ ledger.Receipt, err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (c *benchChunk) make(maker *contracttest.Maker, fleet string, index, size int) error {
	c.place = commit.ChunkPlace{Fleet: fleet, Chunk: uint32(index), Size: uint32(size)}
	c.devices = maker.Devices(fmt.Sprintf("%s-%d", fleet, index), size)
	return nil
}

// enrol starts with an epoch, so that all are enrolled in the same.
func (b *bench) enrol() {
	b.t.Helper()
	ctx := context.Background()
	now, err := b.net.book(benchRegulator).Epoch(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	b.open(now.Epoch + 1)
	b.epoch = now.Epoch + 2
	all := append(append([]benchChunk{}, b.large...), b.small...)
	b.load(16, 0, len(all), func(ctx context.Context, i int) error {
		_, err := b.net.book(benchOwner).Enrol(ctx, contracttest.Enrolment(b.net.genesis.ID(), all[i].place.Fleet, all[i].place.Chunk, 0, all[i].devices))
		return err
	})
}

func (b *bench) attest() {
	b.t.Helper()
	each := func(c *benchChunk) error {
		c.place.Ledger, c.place.SRS, c.place.Epoch = b.net.genesis.ID(), b.keys.SRS().Digest(), b.epoch
		for slot, d := range c.devices {
			c.attestations = append(c.attestations, contracttest.Attest(b.keys.SRS(), c.place, uint32(slot), d))
		}
		c.anchor = contracttest.Anchor(c.place, c.attestations)
		return nil
	}
	b.inParallel(len(b.small), func(i int) error { return each(&b.small[i]) })
	b.inParallel(len(b.large), func(i int) error { return each(&b.large[i]) })
}

func (b *bench) submitBare(ctx context.Context, args any, transient [][]byte) error {
	call := ledger.Call{Function: "put", Args: ledger.Encode(args)}
	if transient != nil {
		call.Transient = map[string][]byte{ledger.TransientAttestations: ledger.JoinAttestations(transient)}
	}
	_, err := b.bare.clients[benchOwner].Submit(ctx, call)
	return err
}

func (b *bench) anchorChunk(c *benchChunk) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := b.net.book(benchOwner).Anchor(ctx, c.anchor, c.attestations)
		return err
	}
}

// anchors measures anchors of small chunks.
func (b *bench) anchors() {
	b.compare("anchor_64", func(ctx context.Context, i int) error { return b.anchorChunk(&b.small[i])(ctx) },
		func(ctx context.Context, i int) error {
			return b.submitBare(ctx, b.small[i].anchor, b.small[i].attestations)
		})
}

// attested measures how many device records a second become part of anchors, with all that endorsers check.
func (b *bench) attested() {
	const clients = 16
	bare := b.load(clients, 0, largeChunks, func(ctx context.Context, i int) error {
		return b.submitBare(ctx, b.large[i].anchor, b.large[i].attestations)
	})
	ours := b.load(clients, 0, largeChunks, func(ctx context.Context, i int) error { return b.anchorChunk(&b.large[i])(ctx) })
	name := b.consensus + "_attested_records"
	b.table.Add(name+"_bare", bare.rate*largeChunk, "records/s", "", 0)
	b.table.Add(name, ours.rate*largeChunk, "records/s", name+"_bare", ours.rate/bare.rate)
	b.table.Add(name+"_p50", ours.p50, "ms", "", 0)
}

// verdicts measures verified proofs, each about a fleet of one chunk.
func (b *bench) verdicts() {
	b.t.Helper()
	proofs := b.proofs()
	b.compare("verdict", func(ctx context.Context, i int) error {
		_, _, err := b.net.book(benchOwner).SubmitProof(ctx, proofs[i].Request, proofs[i].Bundle)
		return err
	}, func(ctx context.Context, i int) error { return b.submitBare(ctx, proofs[i], nil) })
}

// proofs answers a request about each of the small fleets, which are anchored.
func (b *bench) proofs() []ledger.SubmitProof {
	b.t.Helper()
	ctx := context.Background()
	if _, _, err := b.net.book(benchOwner).PublishPolicy(ctx, contracttest.PermissivePolicy()); err != nil {
		b.t.Fatal(err)
	}
	proofs := make([]ledger.SubmitProof, len(b.small))
	statements := make([]*statement.Statement, len(proofs))
	b.load(64, 0, len(proofs), func(ctx context.Context, i int) error {
		statements[i] = b.statement(i)
		id, err := b.approved(ctx, i, statements[i])
		proofs[i].Request = id
		return err
	})
	b.inParallel(len(proofs), func(i int) error {
		entry, err := b.net.book(benchOwner).Facts(ctx, smallFleet(i), b.epoch)
		if err != nil {
			return err
		}
		chunk := b.small[i].opened()
		bundle, err := zk.Prove(ctx, b.keys, statements[i], &entry.Facts, func(context.Context, *verify.ChunkFacts) (*zk.Chunk, error) { return chunk, nil }, nil)
		if err != nil {
			return err
		}
		proofs[i].Bundle, err = bundle.Marshal()
		return err
	})
	return proofs
}

// approved asks under a grant of its own, and approves.
func (b *bench) approved(ctx context.Context, i int, s *statement.Statement) (commit.Digest, error) {
	terms := contracttest.Terms(smallFleet(i))
	terms.ID, terms.Grantee = s.Grant, s.Requester
	if _, err := b.net.book(benchOwner).Grant(ctx, terms); err != nil {
		return commit.Digest{}, err
	}
	id, _, err := b.net.book(benchLender).Request(ctx, s)
	if err != nil {
		return id, err
	}
	if _, err := b.net.book(benchOwner).Decide(ctx, ledger.Decide{Request: id, Approve: true, Reasons: []string{"benchmark"}}); err != nil {
		return id, err
	}
	return id, b.net.book(benchOwner).StartProof(ctx, id)
}

func (b *bench) statement(i int) *statement.Statement {
	s := contracttest.Statement(smallFleet(i), b.epoch, 0, time.Now().Add(time.Hour).Truncate(time.Second))
	s.Requester, s.Grant, s.Nonce = benchLender, smallFleet(i), fmt.Sprintf("%032x", i+1)
	return s
}

// opened is the chunk as its owner knows it.
func (c *benchChunk) opened() *zk.Chunk {
	out := &zk.Chunk{Index: c.place.Chunk, Records: make([]record.Record, c.place.Size), R: make([]fr.Element, c.place.Size)}
	for slot, d := range c.devices {
		out.Records[slot] = committest.Record(slot)
		out.R[slot] = c.place.At(uint32(slot)).Blinding(d.Secret, out.Records[slot].Pack())
	}
	return out
}
