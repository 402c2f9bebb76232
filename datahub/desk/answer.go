package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// withheld is why a proof that shows too much is not released. It must not say what the proof shows, nor which of the two it is.
const withheld = "the answer would be about fewer batteries than the grant allows, or would set that few apart from another answer; nothing is released"

// answer proves an approved request and submits the proof, once the facts are final.
func (d *Desk) answer(ctx context.Context, t *task, entry *ledger.RequestEntry) error {
	s, err := statement.Parse(entry.Request.Statement)
	if err != nil {
		return err
	}
	facts, err := d.book.Facts(ctx, s.Fleet, s.Epoch)
	if err != nil {
		return err
	}
	if !facts.Final {
		d.postpone(t, d.Retry)
		return nil
	}
	reason, err := unanswerable(s, &facts.Facts)
	if err != nil {
		return err
	}
	if reason != "" {
		return d.fail(ctx, t, entry, []string{reason})
	}
	begun, err := d.begin(ctx, t, entry, s, &facts.Facts)
	if err != nil || !begun {
		return err
	}
	began := time.Now()
	if err := d.prove(ctx, t, s); errors.Is(err, ErrGone) {
		return d.fail(ctx, t, entry, []string{ErrGone.Error()})
	} else if err != nil {
		return err
	}
	d.progress.tell(t.id, Progress{Stage: Submitting})
	a, err := d.book.AssessProof(ctx, t.id, t.answer.Verdict)
	if err != nil {
		return err
	}
	if released, err := d.releasable(ctx, t, entry, a); err != nil || !released {
		return err
	}
	if err := d.submit(ctx, t, entry); err != nil {
		return err
	}
	d.metrics.seconds.Observe(time.Since(began).Seconds())
	return nil
}

// begin says on the ledger that a proof is begun, after which its totals count as known. So what a proof would show is worked out first, and held against the contract: what
// shows too much fails here, and what waits for another answer waits.
func (d *Desk) begin(ctx context.Context, t *task, entry *ledger.RequestEntry, s *statement.Statement, facts *verify.Facts) (bool, error) {
	shown, err := d.shown(ctx, s, facts)
	if errors.Is(err, ErrGone) {
		return false, d.fail(ctx, t, entry, []string{ErrGone.Error()})
	}
	if err != nil {
		return false, err
	}
	a, err := d.book.AssessShown(ctx, t.id, shown)
	if err != nil {
		return false, err
	}
	if ok, err := d.releasable(ctx, t, entry, a); err != nil || !ok {
		return false, err
	}
	return true, d.book.StartProof(ctx, t.id)
}

// shown is what a proof would show, by the records alone.
func (d *Desk) shown(ctx context.Context, s *statement.Statement, facts *verify.Facts) (ledger.Shown, error) {
	p, err := s.Parameters()
	if err != nil {
		return ledger.Shown{}, err
	}
	totals := p.Sum(nil)
	for _, f := range facts.Proven() {
		chunk, err := d.Openings(ctx, s.Fleet, s.Epoch, f)
		if err != nil {
			return ledger.Shown{}, fmt.Errorf("chunk %d: %w", f.Index, err)
		}
		totals = totals.Add(p.Sum(chunk.Records))
	}
	return ledger.ShownOf(s, totals)
}

// prove makes the proof, unless it is made, and tells of it.
func (d *Desk) prove(ctx context.Context, t *task, s *statement.Statement) error {
	if t.answer != nil {
		return nil
	}
	d.metrics.proving.Inc()
	defer d.metrics.proving.Dec()
	source := func(ctx context.Context, f *verify.ChunkFacts) (*zk.Chunk, error) {
		return d.Openings(ctx, s.Fleet, s.Epoch, f)
	}
	var err error
	t.answer, err = d.Owner.Answer(ctx, t.id, source, func(done, total int) {
		d.progress.tell(t.id, Progress{Stage: Proving, Done: done, Total: total})
	})
	return err
}

// releasable goes by what the contract says of a proof that nobody else has seen, and fails the request if it shows too much.
func (d *Desk) releasable(ctx context.Context, t *task, entry *ledger.RequestEntry, a ledger.Assessment) (bool, error) {
	if a.Allowed {
		return true, nil
	}
	// The contract's reasons against the proof may tell what it shows; those against the request do not.
	before, err := d.book.Assess(ctx, t.id)
	if err != nil {
		return false, err
	}
	if a.Wait || before.Wait {
		d.postpone(t, d.Retry)
		return false, nil
	}
	reasons := before.Reasons
	if before.Allowed {
		reasons = []string{withheld}
	}
	if err := d.fail(ctx, t, entry, reasons); err != nil {
		return false, err
	}
	t.answer = nil
	return false, nil
}

func (d *Desk) submit(ctx context.Context, t *task, entry *ledger.RequestEntry) error {
	verdict, receipt, err := d.book.SubmitProof(ctx, t.id, t.answer.Bundle)
	if ledger.CodeOf(err) == ledger.Invalid {
		t.answer = nil // it is not the ledger's answer, whatever it was; another is made
	}
	if err != nil {
		return err
	}
	d.metrics.answers.WithLabelValues("verified").Inc()
	d.Logger.Info("a request is answered", "request", t.id, "fleet", entry.Request.Fleet, "epoch", entry.Request.Epoch, "holds", verdict.Holds, "tx", receipt.TxID)
	d.forget(t)
	return nil
}

// unanswerable says why final facts allow no proof, as package verify does. No proof would ever come of it, and coverage and classes are public.
func unanswerable(s *statement.Statement, f *verify.Facts) (string, error) {
	need, err := s.CoverageBound()
	if err != nil {
		return "", err
	}
	switch attested := f.Attested(); {
	case attested == 0:
		return fmt.Sprintf("none of %d enrolled devices is attested", f.Enrolled), nil
	case attested*statement.CoverageFull < need*f.Enrolled:
		return fmt.Sprintf("%d of %d devices are attested, which is below the statement's minimum coverage of %s %%", attested, f.Enrolled, s.MinimumCoverage), nil
	}
	for i := range f.Chunks {
		for class, n := range f.Chunks[i].Classes {
			if n > 0 && len(s.KeyClasses) > 0 && !slices.Contains(s.KeyClasses, class) {
				return fmt.Sprintf("devices have keys in %s, which the statement does not accept", class), nil
			}
		}
	}
	return "", nil
}
