package ledger_test

import (
	"math"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

func TestBlockSource(t *testing.T) {
	id := commit.Digest{0xab}
	for _, n := range []uint64{0, 1, 42, math.MaxUint64} {
		if got, err := ledger.ParseBlockSource(id, ledger.BlockSource(id, n)); err != nil || got != n {
			t.Errorf("%d: %d, %v", n, got, err)
		}
	}
	of := " of ledger " + id.String()
	for _, bad := range []string{
		"", "block", "block ", "block 1", "1" + of, "block 01" + of, "block +1" + of, "block -1" + of, "block 1  of ledger " + id.String(), "Block 1" + of, "block 1" + of + " ",
		"block 18446744073709551616" + of, "block 1 of ledger " + commit.Digest{1}.String(), "block block 1" + of,
	} {
		if n, err := ledger.ParseBlockSource(id, bad); err == nil {
			t.Errorf("%q is taken as block %d", bad, n)
		}
	}
}

func TestSetupTranscript(t *testing.T) {
	transcript := commit.Digest{7}
	name := verify.CeremonySetup(transcript)
	if got, ok := ledger.SetupTranscript(name); !ok || got != transcript {
		t.Errorf("%s, %t", got, ok)
	}
	for _, bad := range []string{"", verify.SetupUnsafe, "ceremony:", "ceremony:x", name + "0", name[1:], "x:" + transcript.String(), verify.CeremonySetup(commit.Digest{})} {
		if got, ok := ledger.SetupTranscript(bad); ok {
			t.Errorf("%q names the transcript %s", bad, got)
		}
	}
}
