package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// world is the demonstration's consortium with everyone's belongings.
type world struct {
	*demoCall
	batteries batteries
	keys      *setup.Unsafe
	ledger    *embedded.Ledger
	books     map[string]ledger.Book
	now       atomic.Int64 // simulated Unix seconds

	fleet    *demoDevices
	closed   []*datahub.Closed
	request  commit.Digest
	bundle   []byte
	accepted ledger.Receipt
	verdict  *verify.Verdict
}

func newWorld(ctx context.Context, c *demoCall, keys *setup.Unsafe, b batteries) (*world, error) {
	w := &world{demoCall: c, batteries: b, keys: keys, books: map[string]ledger.Book{}}
	w.now.Store(demoStart.Add(time.Hour).Unix())
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return nil, usage("--out: %w", err)
	}
	var err error
	w.ledger, err = embedded.Create(c.files().Ledger, demoGenesis(), embedded.Options{
		Clock: func() time.Time { return time.Unix(w.now.Load(), 0) }, SRS: keys.SRS(),
	})
	if err != nil {
		return nil, err
	}
	for _, org := range []string{owner, lender, regulator} {
		if w.books[org], err = w.ledger.Book(org); err != nil {
			return nil, errors.Join(err, w.ledger.Close())
		}
	}
	c.say("Consortium", "%s (owner), %s (financier) and %s found ledger %s.\nEach runs a peer that checks every transaction by itself.", owner, lender, regulator, short(w.books[owner].ID()))
	return w, nil
}

func (w *world) close() { w.ledger.Close() } //nolint:errcheck // every acknowledged block is on disk already

// enrol pins keys, registers maker and fleet, and enrols the devices.
func (w *world) enrol(ctx context.Context) error {
	published, err := w.keys.Published(w.chunk)
	if err != nil {
		return err
	}
	for _, k := range published {
		if _, err := w.books[regulator].PublishKey(ctx, k); err != nil {
			return err
		}
	}
	w.say(regulator, "pins %d verifying keys. Their setup is UNSAFE: one party made it, for this demonstration.", len(published))
	if w.fleet, err = newDemoDevices(w.batteries.Count(), w.chunk); err != nil {
		return err
	}
	maker := w.fleet.makerCA()
	if _, err := w.books[regulator].RegisterMaker(ctx, maker); err != nil {
		return err
	}
	if _, err := w.books[owner].RegisterFleet(ctx, ledger.RegisterFleet{ID: demoFleet, Schema: "battery/v1", ChunkSize: uint32(w.chunk)}); err != nil {
		return err
	}
	done := w.progress("enrolling devices", w.fleet.chunks())
	for i := range w.fleet.chunks() {
		if _, err := w.books[owner].Enrol(ctx, w.fleet.enrolment(uint32(i))); err != nil {
			return err
		}
		done(i + 1)
	}
	w.say(maker.Name, "certifies the key in each device; %s enrols %d devices in %d chunks,\nwith effect from epoch 1.", owner, w.batteries.Count(), w.fleet.chunks())
	return nil
}

// epoch lets epoch 1 pass, collects what the devices sign, and anchors it.
func (w *world) epoch(ctx context.Context) error {
	w.now.Store(demoStart.Add(2*demoEpoch + time.Hour).Unix()) // an hour after epoch 1 ended
	records := w.batteries.Records()
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		return err
	}
	done := w.progress("devices commit and sign", w.fleet.chunks())
	attested := 0
	for i := range w.fleet.chunks() {
		place := commit.ChunkPlace{Ledger: w.books[owner].ID(), SRS: w.keys.SRS().Digest(), Fleet: demoFleet, Chunk: uint32(i), Size: uint32(w.chunk), Epoch: 1}
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
	w.say("Devices", "%d of %d commit to their health record of epoch 1 and sign the commitment.\nThe records go to %s alone; nobody else sees one.", attested, w.batteries.Count(), owner)
	return w.anchor(ctx)
}

func (w *world) anchor(ctx context.Context) error {
	o := &datahub.Owner{Book: w.books[owner], Keys: w.keys}
	done := w.progress("anchoring", len(w.closed))
	var last ledger.Receipt
	for i, closed := range w.closed {
		var err error
		if last, err = o.Anchor(ctx, closed); err != nil {
			return err
		}
		done(i + 1)
	}
	w.say(owner, "anchors %d chunk commitments, the last in block %d.\n%s checked every signature and proof before they endorsed.", len(w.closed), last.Height, strings.Join(others(last.Endorsers, owner), " and "))
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

// ask submits the financier's question, which the owner approves.
func (w *world) ask(ctx context.Context) error {
	var nonce [statement.NonceBytes]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return err
	}
	expiry := time.Unix(w.now.Load(), 0).UTC().Add(30 * 24 * time.Hour)
	asked := demoStatement(w.from != "", w.batteries.Count(), hex.EncodeToString(nonce[:]), expiry)
	if err := asked.Check(); err != nil {
		return err
	}
	var err error
	if w.request, _, err = w.books[lender].Request(ctx, asked); err != nil {
		return err
	}
	w.say(lender, "asks, as request %s:\n%s", short(w.request), strings.TrimRight(asked.Text(), "\n"))
	if _, err := w.books[owner].Decide(ctx, ledger.Decide{Request: w.request, Approve: true, Reasons: []string{"demonstration"}}); err != nil {
		return err
	}
	return writeStatement(w.files().Statement, asked)
}

// prove answers the question; the ledger checks the answer by itself.
func (w *world) prove(ctx context.Context) error {
	source := func(_ context.Context, f *verify.ChunkFacts) (*zk.Chunk, error) {
		for _, c := range w.closed {
			if c.Place.Chunk == f.Index {
				return &c.Chunk, nil
			}
		}
		return nil, fmt.Errorf("chunk %d is not %s's", f.Index, owner)
	}
	o := &datahub.Owner{Book: w.books[owner], Keys: w.keys}
	w.now.Store(demoStart.Add(2*demoEpoch + 4*24*time.Hour).Unix()) // the anchors' window is over: a chunk that is not anchored counts as absent
	start := time.Now()
	var update func(int)
	var err error
	w.bundle, err = o.Prove(ctx, w.request, source, func(done, total int) {
		if update == nil {
			update = w.progress("proving", total)
		}
		update(done)
	})
	if err != nil {
		return err
	}
	w.say(owner, "approves, and proves the answer in %.1f s: a bundle of %d bytes.", time.Since(start).Seconds(), len(w.bundle))
	var recorded *ledger.ProofVerdict
	if recorded, w.accepted, err = w.books[owner].SubmitProof(ctx, w.request, w.bundle); err != nil {
		return err
	}
	w.say("Ledger", "verifies the proof on every peer, with its own keys and anchors, and records the verdict\nin block %d, endorsed by %s: claims hold: %v.", w.accepted.Height, strings.Join(w.accepted.Endorsers, ", "), recorded.Holds)
	return os.WriteFile(w.files().Bundle, w.bundle, 0o644)
}

// regulate exports what an offline verifier needs, and verifies from files.
func (w *world) regulate(ctx context.Context) error {
	signer, err := w.ledger.Signer(regulator)
	if err != nil {
		return err
	}
	trust, err := w.books[regulator].ExportTrust(ctx, regulator, signer, time.Unix(w.now.Load(), 0), ledger.EpochRef{Fleet: demoFleet, Epoch: 1})
	if err != nil {
		return err
	}
	if err := os.WriteFile(w.files().Trust, trust.Marshal(), 0o644); err != nil {
		return err
	}
	export, err := readFile(w.files().Trust, ledger.MaxTrust)
	if err != nil {
		return err
	}
	if trust, err = ledger.ParseTrust(export); err != nil {
		return err
	}
	bundle, err := readFile(w.files().Bundle, verify.MaxBundleBytes)
	if err != nil {
		return err
	}
	if w.verdict, err = verifyWith(trust, bundle); err != nil {
		return no("the regulator refuses the bundle: %w", err)
	}
	w.say(regulator, "exports the ledger's facts and verifies the bundle from the two files, offline.")
	if w.json {
		return nil
	}
	return w.line("\n%s", strings.TrimRight(printable(verdictText(w.verdict, trust)), "\n"))
}

// finish says who saw what, and where things are.
func (w *world) finish(took time.Duration) error {
	f := w.files()
	if w.json {
		if err := w.object(demoResult{
			"demo", true, w.verdict.Holds(), w.batteries.Count(), w.verdict.Coverage.Attested, w.verdict.Ledger, w.request,
			w.accepted.Height, w.accepted.Endorsers, f, took.Seconds(),
		}); err != nil {
			return err
		}
	} else if err := w.line("%s", w.whoSawWhat(f, took)); err != nil {
		return err
	}
	if !w.verdict.Holds() {
		return no("the proof is valid, but not every claim holds")
	}
	return nil
}

func (w *world) whoSawWhat(f demoFiles, took time.Duration) string {
	return fmt.Sprintf(`
Who saw what
  Devices     each its own readings
  %-11s the records of its own fleet
  %-11s how many devices are enrolled and reported, the value, and that the claims hold; no record
  %-11s the same, and every signature and proof; no record

Files (%.0f s in all)
  %s
  %s
  %s
  %s/

Verify again: assay verify %s --trust %s`,
		owner, lender, regulator, took.Seconds(), f.Bundle, f.Trust, f.Statement, f.Ledger, f.Bundle, f.Trust)
}

func short(d commit.Digest) string { return d.String()[:16] + "…" }

func writeStatement(path string, s *statement.Statement) error {
	b, err := prettyStatement(s)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
