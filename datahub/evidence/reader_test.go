package evidence_test

import (
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// A file's format says who reads its blocks, and one that nobody reads is refused.
func TestReader(t *testing.T) {
	known := []evidence.Blocks{audit.Blocks{}, sealed.Blocks{}}
	for _, want := range known {
		e := &evidence.Evidence{Format: want.Format()}
		if got, err := e.Reader(known...); err != nil || got.Format() != want.Format() {
			t.Errorf("%s: %v, %v", want.Format(), got, err)
		}
		e.Format += "\x1b[1m" + strings.Repeat("x", 100)
		if _, err := e.Reader(known...); err == nil || !strings.Contains(err.Error(), "block_format") || len(err.Error()) > 200 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v", e.Format, err)
		}
	}
}

// A channel that is named is not got round by a file of another kind of ledger: the same organisations have the same keys there.
func TestReaderOfAPinnedChannel(t *testing.T) {
	pinned := audit.Blocks{ChannelGenesis: commit.Digest{1}}
	for _, known := range [][]evidence.Blocks{{pinned, sealed.Blocks{}}, {sealed.Blocks{}, pinned}} {
		if got, err := (&evidence.Evidence{Format: pinned.Format()}).Reader(known...); err != nil || got.Format() != pinned.Format() {
			t.Errorf("%v, %v", got, err)
		}
		if got, err := (&evidence.Evidence{Format: sealed.Blocks{}.Format()}).Reader(known...); err == nil || !strings.Contains(err.Error(), "the ledger that is named") {
			t.Errorf("%v, %v", got, err)
		}
	}
}

// That the ledger is an embedded one, and that its transactions were valid when they came, is the word of the one who sealed its blocks, and the report says so.
func TestTheSealersWord(t *testing.T) {
	w := newWorld(t)
	for _, l := range w.verify(w.collect(w.Refused("no"))).Lines {
		if l.Kind == evidence.Assumed && l.Subject == "blocks" && strings.Contains(l.Text, contracttest.Regulator+" alone sealed") {
			return
		}
	}
	t.Error("it is nobody's")
}

// A file whose blocks are of another kind than its format says is not sound, whichever it names.
func TestBlocksOfAnotherFormat(t *testing.T) {
	w := newWorld(t)
	e := w.collect(w.Refused("no"))
	e.Format = audit.Blocks{}.Format()
	known := audit.Blocks{Genesis: w.Genesis(), Chaincode: "assay"}
	if blocks, err := e.Reader(w.blocks, known); err != nil || blocks.Format() != e.Format {
		t.Fatalf("%v, %v", blocks, err)
	}
	faulty(t, evidence.Verify(w.read(e), evidence.Options{Blocks: known, Ledger: w.ID()}), "blocks", "")
	faulty(t, w.verify(e), "blocks", "cannot be read here")
	if _, err := known.Inclusions(nil, []ledger.Located{{Height: 1}}); err == nil {
		t.Error("no block is a block")
	}
}
