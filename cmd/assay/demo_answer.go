package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// ask submits the financier's question, which the owner approves under its grant.
func (w *world) ask(ctx context.Context) error {
	asked, now := w.demoStatement(), w.network.Now()
	asked.Expiry = now.Add(30 * 24 * time.Hour).Truncate(time.Second)
	err := complete(asked, w.lender, now)
	if err != nil {
		return err
	}
	if w.request, _, err = w.books[w.lender].Request(ctx, asked); err != nil {
		return err
	}
	w.say(w.lender, "asks, as request %s:\n%s", short(w.request), strings.TrimRight(asked.Text(), "\n"))
	if _, err := w.books[w.owner].Decide(ctx, ledger.Decide{Request: w.request, Approve: true, Reasons: []string{"demonstration"}}); err != nil {
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
		return nil, fmt.Errorf("chunk %d is not %s's", f.Index, w.owner)
	}
	o := &datahub.Owner{Book: w.books[w.owner], Keys: w.keys}
	if err := w.settled(ctx); err != nil {
		return err
	}
	if err := w.books[w.owner].StartProof(ctx, w.request); err != nil {
		return err
	}
	start := time.Now()
	var update func(int)
	var err error
	w.bundle, err = o.Prove(ctx, w.request, source, func(done, total int) {
		if update == nil {
			update = w.Progress("proving", total)
		}
		update(done)
	})
	if err != nil {
		return err
	}
	w.say(w.owner, "approves, and proves the answer in %.1f s: a bundle of %d bytes.", time.Since(start).Seconds(), len(w.bundle))
	var recorded *ledger.ProofVerdict
	if recorded, w.accepted, err = w.books[w.owner].SubmitProof(ctx, w.request, w.bundle); err != nil {
		return err
	}
	w.say("Ledger", "verifies the proof on every peer, with its own keys and anchors, and records the verdict\nin block %d, endorsed by %s: claims hold: %v.", w.accepted.Height, strings.Join(w.accepted.Endorsers, ", "), recorded.Holds)
	return os.WriteFile(w.files().Bundle, w.bundle, 0o644)
}

// settled waits until nothing can be anchored any more: a chunk that is not anchored then counts as absent.
func (w *world) settled(ctx context.Context) error {
	facts, err := w.books[w.owner].Facts(ctx, w.fleet.fleet, w.reported)
	if err != nil || facts.Final {
		return err
	}
	after := w.network.Genesis().SettledAfter(w.reported).Add(time.Second)
	return w.network.Until(ctx, after, "the window for anchors passes: a chunk has none")
}

// regulate exports what an offline verifier needs, and verifies from files.
func (w *world) regulate(ctx context.Context) error {
	if err := w.books[w.regulator].Await(ctx, w.accepted.Height); err != nil {
		return err
	}
	signer, err := w.network.Signer(w.regulator)
	if err != nil {
		return err
	}
	trust, err := w.books[w.regulator].ExportTrust(ctx, w.regulator, signer, w.network.Now(), ledger.EpochRef{Fleet: w.fleet.fleet, Epoch: w.reported})
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
		return cli.No("the regulator refuses the bundle: %w", err)
	}
	w.say(w.regulator, "exports the ledger's facts and verifies the bundle from the two files, offline.")
	if w.JSON {
		return nil
	}
	return w.Line("\n%s", strings.TrimRight(cli.Printable(verdictText(w.verdict, trust)), "\n"))
}

// finish says who saw what, and where things are.
func (w *world) finish(took time.Duration) error {
	f := w.files()
	f.Ledger = w.network.Place()
	if w.JSON {
		if err := w.Object(demoResult{
			"demo", true, w.verdict.Holds(), w.batteries.Count(), w.verdict.Coverage.Attested, w.verdict.Ledger, w.fleet.fleet, w.reported, w.request,
			w.accepted.Height, w.accepted.Endorsers, f, took.Seconds(),
		}); err != nil {
			return err
		}
	} else if err := w.Line("%s", w.whoSawWhat(f, took)); err != nil {
		return err
	}
	if !w.verdict.Holds() {
		return cli.No("the proof is valid, but not every claim holds")
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
		w.owner, w.lender, w.regulator, took.Seconds(), f.Bundle, f.Trust, f.Statement, f.Ledger, f.Bundle, f.Trust)
}

func writeStatement(path string, s *statement.Statement) error {
	b, err := prettyStatement(s)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}
