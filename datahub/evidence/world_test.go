package evidence_test

import (
	"crypto"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/zk/commit"
)

// world is a ledger with a few requests.
type world struct {
	*desktest.World
	blocks                 embedded.Blocks
	first, second, refused commit.Digest
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{World: desktest.New(t)}
	w.blocks = embedded.Blocks{Genesis: w.Genesis()}
	return w
}

// populated has two requests that were answered, and one that was refused.
func populated(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	w.first, w.second = w.Answered(nil), w.Answered(desktest.Healthiest(20))
	w.refused = w.Refused("not today")
	return w
}

func (w *world) exporter(org string) *evidence.Exporter {
	w.T.Helper()
	return &evidence.Exporter{Book: w.Book(org), Blocks: w.blocks, Organisation: org, Key: w.key(org), Clock: w.Now}
}

func (w *world) key(org string) crypto.Signer {
	w.T.Helper()
	key, err := w.Signer(org)
	if err != nil {
		w.T.Fatal(err)
	}
	return key
}

// collect makes evidence that is not signed yet.
func (w *world) collect(id commit.Digest) *evidence.Evidence {
	w.T.Helper()
	e, err := w.exporter(contracttest.Operator).Collect(w.T.Context(), id)
	if err != nil {
		w.T.Fatal(err)
	}
	return e
}

// read signs evidence for the owner, whatever is in it, and reads it as a stranger does.
func (w *world) read(e *evidence.Evidence) *evidence.Evidence {
	w.T.Helper()
	b, err := w.exporter(contracttest.Operator).Signed(e)
	if err != nil {
		w.T.Fatal(err)
	}
	again, err := evidence.Parse(b)
	if err != nil {
		w.T.Fatal(err)
	}
	return again
}

func (w *world) verify(e *evidence.Evidence) *evidence.Report {
	w.T.Helper()
	return evidence.Verify(w.read(e), evidence.Options{Blocks: w.blocks, Ledger: w.ID()})
}

// faulty wants a fault with a text about a subject.
func faulty(t *testing.T, r *evidence.Report, subject, text string) {
	t.Helper()
	for _, l := range r.Faults() {
		if l.Subject == subject && strings.Contains(l.Text, text) {
			return
		}
	}
	t.Errorf("no fault %q of %s: %v", text, subject, r.Lines)
}
