package review

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// disagreement is what is to be told.
type disagreement struct {
	*Found
	text string
	// digest is that of the kept evidence, once there is any: it is made and kept once, however often it is told.
	digest commit.Digest
	kept   bool
}

// disagree keeps the evidence and raises an alert, and tries until it has. What the contract does not take however often it is asked, an alert about what is
// not there, it logs.
func (r *Reviewer) disagree(ctx context.Context, f *Found) error {
	d := &disagreement{Found: f, text: ledger.Printable(strings.Join(f.Faults, "; "), ledger.MaxAlert)}
	attempts := 0
	for pause := r.Retry; ; pause = min(2*pause, maxPause) {
		refused, err := r.tell(ctx, d)
		if err == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		if refused {
			attempts++
		}
		if attempts >= r.Attempts {
			r.metrics.untold.Inc()
			r.Logger.Error("the ledger takes no alert", "about", f.subject, "evidence", d.digest, "error", err)
			return nil
		}
		r.metrics.retries.Inc()
		r.Logger.Warn("telling of a disagreement: will try again", "about", f.subject, "in", pause, "error", err)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// tell also reports whether an error is a no to this alert, and none that passes. A regulator who is forbidden to raise one may be allowed to later: certificates are renewed.
func (r *Reviewer) tell(ctx context.Context, d *disagreement) (refused bool, err error) {
	role := r.role(ctx)
	alerts := !r.Silent && role != noRegulator
	if alerts {
		raised, err := r.raised(ctx, d.subject, d.text)
		if err != nil || raised {
			return false, err
		}
	}
	var unkept error
	if !d.kept {
		d.digest, unkept = r.keep(d.Found, d.text)
		d.kept = unkept == nil
	}
	if !alerts {
		return false, unkept
	}
	receipt, err := r.book.Alert(ctx, ledger.Alert{Request: d.Request, Query: d.Query, Text: d.text, Digest: d.digest})
	switch ledger.CodeOf(err) {
	case ledger.NotFound, ledger.Invalid:
		return true, err
	case ledger.Forbidden:
		return role != regulator, err
	}
	if err != nil {
		return false, err
	}
	r.metrics.alerts.Inc()
	r.Logger.Error("an alert was raised", "about", d.subject, "evidence", d.digest, "tx", receipt.TxID)
	return false, nil
}

// role is the organisation's, by the genesis that the ledger id is the digest of.
type role int

const (
	unknownRole role = iota // the genesis cannot be read: an alert is tried
	noRegulator
	regulator
)

func (r *Reviewer) role(ctx context.Context) role {
	g, err := r.book.Genesis(ctx)
	switch {
	case err != nil || g.ID() != r.book.ID():
		return unknownRole
	case g.HasRole(r.Exporter.Organisation, ledger.RoleRegulator):
		return regulator
	}
	return noRegulator
}

// raised finds an alert of this organisation that says the same, from before it was stopped.
func (r *Reviewer) raised(ctx context.Context, about subject, text string) (bool, error) {
	for after := ""; ; {
		page, err := r.book.Alerts(ctx, ledger.AlertsQuery{After: after, Limit: ledger.MaxPage})
		if err != nil {
			return false, err
		}
		for _, a := range page.Entries {
			if a.Organisation == r.Exporter.Organisation && (subject{Request: a.Request, Query: a.Query}) == about && a.Text == text {
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
func (r *Reviewer) keep(f *Found, text string) (commit.Digest, error) {
	if !f.read() {
		return sha256.Sum256([]byte(text)), nil
	}
	b, name, err := r.signed(f)
	if err != nil {
		// What another consortium's ledger gave, say, cannot be signed in this one's name.
		r.Logger.Error("the evidence of a disagreement cannot be signed", "about", f.subject, "error", err)
		return sha256.Sum256([]byte(text)), nil
	}
	digest := commit.Digest(sha256.Sum256(b))
	if r.Dir == "" {
		return digest, nil
	}
	if err := durable.WriteFile(filepath.Join(r.Dir, fmt.Sprintf(name, digest.String()[:16])), b); err != nil {
		r.Logger.Error("the evidence of a disagreement cannot be kept", "about", f.subject, "error", err)
		return digest, fmt.Errorf("keeping the evidence: %w", err)
	}
	return digest, nil
}

// signed is what was looked at, signed, and the name of the file that is to hold it, which has a place for its digest.
func (r *Reviewer) signed(f *Found) (b []byte, name string, err error) {
	if f.Dossier != nil {
		b, err = f.Dossier.sign(r.Exporter, f.Faults)
		return b, f.Query.String() + ".%s.query.json", err
	}
	b, err = r.Exporter.Signed(f.Evidence)
	return b, f.Request.String() + ".%s.evidence.json", err
}
