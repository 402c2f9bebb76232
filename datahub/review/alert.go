package review

import (
	"context"
	"crypto/sha256"
	"path/filepath"
	"strings"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// disagree keeps the evidence and raises an alert, and tries until it has.
func (r *Reviewer) disagree(ctx context.Context, f *Found) error {
	for pause := r.Retry; ; pause = min(2*pause, maxPause) {
		err := r.tell(ctx, f)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		switch ledger.CodeOf(err) {
		case ledger.NotFound, ledger.Forbidden, ledger.Invalid:
			r.Logger.Error("the ledger takes no alert about a request", "request", f.Request, "error", err)
			return nil
		}
		r.metrics.retries.Inc()
		r.Logger.Warn("telling of a disagreement: will try again", "request", f.Request, "in", pause, "error", err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

func (r *Reviewer) tell(ctx context.Context, f *Found) error {
	text := ledger.Printable(strings.Join(f.Faults, "; "), ledger.MaxAlert)
	alerts := !r.Silent && r.regulates(ctx)
	if alerts {
		raised, err := r.raised(ctx, f.Request, text)
		if err != nil || raised {
			return err
		}
	}
	digest := r.keep(f, text)
	if !alerts {
		return nil
	}
	receipt, err := r.book.Alert(ctx, ledger.Alert{Request: f.Request, Text: text, Digest: digest})
	if err != nil {
		return err
	}
	r.metrics.alerts.Inc()
	r.Logger.Error("an alert was raised", "request", f.Request, "evidence", digest, "tx", receipt.TxID)
	return nil
}

// regulates goes by the genesis that the ledger id is the digest of. Where it cannot be read an alert is tried.
func (r *Reviewer) regulates(ctx context.Context) bool {
	g, err := r.book.Genesis(ctx)
	return err != nil || g.ID() != r.book.ID() || g.HasRole(r.Exporter.Organisation, ledger.RoleRegulator)
}

// raised finds an alert of this organisation that says the same, from before it was stopped.
func (r *Reviewer) raised(ctx context.Context, request commit.Digest, text string) (bool, error) {
	for after := ""; ; {
		page, err := r.book.Alerts(ctx, ledger.AlertsQuery{After: after, Limit: ledger.MaxPage})
		if err != nil {
			return false, err
		}
		for _, a := range page.Entries {
			if a.Organisation == r.Exporter.Organisation && a.Request == request && a.Text == text {
				return true, nil
			}
		}
		if after = page.Next; after == "" {
			return false, nil
		}
	}
}

// keep writes what there is to show for a disagreement, and gives its digest: of the evidence, or of the alert's text where there is none. An alert is not held back for
// want of a place to keep it.
func (r *Reviewer) keep(f *Found, text string) commit.Digest {
	if f.Evidence == nil {
		return sha256.Sum256([]byte(text))
	}
	b, err := r.Exporter.Signed(f.Evidence)
	if err != nil {
		// What another consortium's ledger gave, say, cannot be signed in this one's name.
		r.Logger.Error("the evidence of a disagreement cannot be signed", "request", f.Request, "error", err)
		return sha256.Sum256([]byte(text))
	}
	digest := commit.Digest(sha256.Sum256(b))
	if r.Dir == "" {
		return digest
	}
	path := filepath.Join(r.Dir, f.Request.String()+"."+digest.String()[:16]+".evidence.json")
	if err := durable.WriteFile(path, b); err != nil {
		r.Logger.Error("the evidence of a disagreement cannot be kept", "request", f.Request, "error", err)
	}
	return digest
}
