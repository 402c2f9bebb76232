package audit_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/audit/statefile"
)

// An audit finds the same with its state in a file as in memory, of a sound channel and of one that is not, and leaves no file behind.
func TestStores(t *testing.T) {
	for _, name := range []string{"raft", "bft"} {
		g, blocks := recordedBlocks(t, name)
		pin, err := audit.ChannelGenesis(blocks[0])
		if err != nil {
			t.Fatal(err)
		}
		for what, blocks := range map[string][][]byte{"sound": blocks, "cut": append(blocks[:2:2], blocks[3:]...)} {
			inMemory := audit.Config{Genesis: g, ChannelGenesis: pin, Chaincode: "assay"}
			dir, inFile := t.TempDir(), inMemory
			inFile.Store = statefile.In(dir)
			want, err := audit.Run(t.Context(), inMemory, sequence(blocks))
			if err != nil {
				t.Fatal(err)
			}
			got, err := audit.Run(t.Context(), inFile, sequence(blocks))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" || want.Sound != (what == "sound") {
				t.Errorf("%s, %s: sound is %v: %s", name, what, want.Sound, diff)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("%v, %v", left, err)
			}
		}
	}
}
