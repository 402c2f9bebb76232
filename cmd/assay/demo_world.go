package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

// world is the demonstration's consortium with everyone's belongings.
type world struct {
	*demoCall
	batteries batteries
	keys      *setup.Unsafe
	network   demoNetwork
	books     map[string]ledger.Book

	owner, lender, regulator string

	fleet    *demoDevices
	reported uint64 // the epoch that the devices report about
	closed   []*datahub.Closed
	grant    string
	request  commit.Digest
	bundle   []byte
	accepted ledger.Receipt
	verdict  *verify.Verdict
}

func newWorld(ctx context.Context, c *demoCall, keys *setup.Unsafe, b batteries) (*world, error) {
	w := &world{demoCall: c, batteries: b, keys: keys, books: map[string]ledger.Book{}}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, cli.Usage("--out: %w", err)
	}
	var err error
	if w.network, err = c.openNetwork(ctx, keys); err != nil {
		return nil, err
	}
	if err := w.meet(); err != nil {
		w.network.Close()
		return nil, err
	}
	c.say("Consortium", "%s", w.network.Title(w.owner, w.lender, w.regulator))
	return w, nil
}

func (c *demoCall) openNetwork(ctx context.Context, keys *setup.Unsafe) (demoNetwork, error) {
	if c.ledger == "fabric" {
		return openFabricNetwork(ctx, c)
	}
	return newEmbeddedNetwork(c.files().Ledger, keys.SRS())
}

func (w *world) meet() error {
	var err error
	if w.owner, w.lender, w.regulator, err = roles(w.network.Genesis()); err != nil {
		return err
	}
	for _, org := range []string{w.owner, w.lender, w.regulator} {
		if w.books[org], err = w.network.Book(org); err != nil {
			return err
		}
	}
	return nil
}

// enrol pins keys, registers maker and fleet, and enrols the devices.
func (w *world) enrol(ctx context.Context) error {
	if err := w.pin(ctx); err != nil {
		return err
	}
	var err error
	fleet := w.network.Name(w.owner + "-fleet")
	if w.fleet, err = newDemoDevices(w.network.Name("voltworks"), fleet, w.batteries.Count(), w.chunk); err != nil {
		return err
	}
	maker := w.fleet.makerCA()
	if err := w.network.Agree(maker.Digest(), "maker "+maker.ID); err != nil {
		return err
	}
	if _, err := w.books[w.regulator].RegisterMaker(ctx, maker); err != nil {
		return err
	}
	if _, err := w.books[w.owner].RegisterFleet(ctx, ledger.RegisterFleet{ID: fleet, Schema: "battery/v1", ChunkSize: uint32(w.chunk)}); err != nil {
		return err
	}
	done := w.Progress("enrolling devices", w.fleet.chunks())
	for i := range w.fleet.chunks() {
		if err := w.enrolChunk(ctx, uint32(i)); err != nil {
			return err
		}
		done(i + 1)
	}
	w.say(maker.Name, "certifies the key in each device; %s enrols %d devices in %d chunks,\nwith effect from epoch %d.", w.owner, w.batteries.Count(), w.fleet.chunks(), w.reported)
	return nil
}

// pin publishes the verifying keys that the ledger does not have yet.
func (w *world) pin(ctx context.Context) error {
	wanted, err := w.keys.Published(w.chunk)
	if err != nil {
		return err
	}
	published, err := pinKeys(ctx, w.books[w.regulator], wanted, w.network.Agree)
	if err != nil {
		return err
	}
	w.say(w.regulator, "pins %d verifying keys. Their setup is UNSAFE: one party made it, for this demonstration.", len(published))
	return nil
}

// enrolChunk enrols a chunk's devices in the epoch that it is. If that ends
// meanwhile, they are enrolled in the next.
func (w *world) enrolChunk(ctx context.Context, chunk uint32) error {
	enrolment, err := w.fleet.enrolment(w.place(chunk))
	if err != nil {
		return err
	}
	for {
		epoch, err := w.books[w.regulator].OpenEpoch(ctx)
		if err != nil {
			return err
		}
		_, err = w.books[w.owner].Enrol(ctx, enrolment)
		if ledger.CodeOf(err) == ledger.Expired && w.network.Now().After(w.network.Genesis().EpochEnd(epoch).Add(-w.network.Genesis().ClockSkew())) {
			if err := w.network.Until(ctx, w.network.Genesis().EpochEnd(epoch), "the next epoch"); err != nil {
				return err
			}
			continue
		}
		w.reported = epoch + 1
		return err
	}
}

// place is a chunk in the epoch that is reported about.
func (w *world) place(chunk uint32) commit.ChunkPlace {
	return commit.ChunkPlace{Ledger: w.books[w.owner].ID(), SRS: w.keys.SRS().Digest(), Fleet: w.fleet.fleet, Chunk: chunk, Size: uint32(w.chunk), Epoch: w.reported}
}

// epoch lets the first epoch pass in which all are enrolled, collects what the devices sign, and anchors it.
func (w *world) epoch(ctx context.Context) error {
	for _, epoch := range []uint64{w.reported, w.reported + 1} {
		if err := w.network.Until(ctx, w.network.Genesis().EpochStart(epoch), fmt.Sprintf("epoch %d ends", epoch-1)); err != nil {
			return err
		}
		if _, err := w.books[w.regulator].OpenEpoch(ctx); err != nil {
			return err
		}
	}
	records := w.batteries.Records()
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		return err
	}
	done := w.Progress("devices commit and sign", w.fleet.chunks())
	attested := 0
	for i := range w.fleet.chunks() {
		place := w.place(uint32(i))
		reports, err := w.fleet.attest(w.keys.SRS(), place, records)
		if err != nil {
			return err
		}
		if len(reports) == 0 {
			continue
		}
		closed, err := datahub.CloseChunk(w.keys.SRS(), schema, place, w.fleet.members(uint32(i)), reports)
		if err != nil {
			return err
		}
		w.closed = append(w.closed, closed)
		attested += closed.Checked.Attested
		done(i + 1)
	}
	w.say("Devices", "%d of %d commit to their health record of epoch %d and sign the commitment.\nThe records go to %s alone; nobody else sees one.", attested, w.batteries.Count(), w.reported, w.owner)
	return w.anchor(ctx)
}

// anchorsAtOnce is how many anchors are on their way together: a network takes time for each.
const anchorsAtOnce = 8

func (w *world) anchor(ctx context.Context) error {
	o := &datahub.Owner{Book: w.books[w.owner], Keys: w.keys}
	done := w.Progress("anchoring", len(w.closed))
	receipts := make([]ledger.Receipt, len(w.closed))
	finished := make(chan struct{}, len(w.closed))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(anchorsAtOnce)
	for i, closed := range w.closed {
		group.Go(func() (err error) {
			receipts[i], err = o.Anchor(ctx, closed)
			finished <- struct{}{}
			done(len(finished))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	last := slices.MaxFunc(receipts, func(a, b ledger.Receipt) int { return int(a.Height) - int(b.Height) })
	w.say(w.owner, "anchors %d chunk commitments, the last in block %d.\n%s checked every signature and proof before they endorsed.", len(w.closed), last.Height, strings.Join(others(last.Endorsers, w.owner), " and "))
	return nil
}

func others(all []string, but string) []string {
	var out []string
	for _, o := range all {
		if o != but {
			out = append(out, o)
		}
	}
	return out
}
