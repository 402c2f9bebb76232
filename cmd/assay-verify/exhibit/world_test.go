package exhibit_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/datahub/desk/desktest"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

var (
	anew   = flag.Bool("prove", false, "make the evidence of embedded ledgers in testdata anew")
	update = flag.Bool("update", false, "rewrite the golden files in testdata")
)

func TestMain(m *testing.M) {
	logger.Disable()
	os.Exit(m.Run())
}

// Evidence of requests on embedded ledgers, kept for as long as there are verifiers: one was answered, one refused, and of the first there is a file in which the decision says something else than the ledger.
const (
	answered = "answered.json"
	refused  = "refused.json"
	wrong    = "wrong.json"

	// Of a Fabric network that 'assay demo --nodes' made: evidence, and the channel's first block.
	fabric      = "fabric.json"
	fabricBlock = "fabric.block"
)

// TestEvidence makes the evidence if it is asked to.
func TestEvidence(t *testing.T) {
	if !*anew {
		t.Skip("run with -args -prove")
	}
	w := desktest.New(t)
	w.Permit(contracttest.PermissivePolicy(), nil)
	yes, no := w.Answered(nil), w.Refused("not today")
	x := &evidence.Exporter{Book: w.Book(contracttest.Regulator), Blocks: embedded.Blocks{Genesis: w.Genesis()}, Organisation: contracttest.Regulator, Clock: w.Now}
	var err error
	if x.Key, err = w.Signer(contracttest.Regulator); err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct {
		name   string
		id     commit.Digest
		change func(*ledger.RequestEntry)
	}{
		{answered, yes, func(*ledger.RequestEntry) {}},
		{refused, no, func(*ledger.RequestEntry) {}},
		{wrong, yes, func(r *ledger.RequestEntry) { r.Decision.Cost = "0" }},
	} {
		e, err := x.Collect(t.Context(), of.id)
		if err != nil {
			t.Fatal(err)
		}
		of.change(&e.Request)
		b, err := x.Signed(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("testdata", of.name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ledgerOf is the id of the ledger that a file is of.
func ledgerOf(t testing.TB, name string) commit.Digest {
	t.Helper()
	e, err := evidence.Parse(read(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return e.Ledger
}
