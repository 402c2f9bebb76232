package exhibit_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/cmd/assay-verify/exhibit"
	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// channel is one of the recorded channels of package audit: its blocks, and the consortium's genesis.
func channel(t testing.TB, name string) (blocks, genesis []byte) {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "fabricnet", "audit", "testdata")
	packed, err := os.Open(filepath.Join(folder, name+".blocks.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close() //nolint:errcheck // it was only read
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	if blocks, err = io.ReadAll(unpacked); err != nil {
		t.Fatal(err)
	}
	if genesis, err = os.ReadFile(filepath.Join(folder, name+".genesis.json")); err != nil {
		t.Fatal(err)
	}
	return blocks, genesis
}

// Blocks of real networks are sound, and the verdict is as it was when somebody read it.
func TestGoldenChannels(t *testing.T) {
	for _, name := range []string{"raft", "bft"} {
		blocks, genesis := channel(t, name)
		g, err := ledger.ParseGenesis(genesis)
		if err != nil {
			t.Fatal(err)
		}
		first, err := blockfile.NewReader(bytes.NewReader(blocks)).Next()
		if err != nil {
			t.Fatal(err)
		}
		pin, err := audit.ChannelGenesis(first)
		if err != nil {
			t.Fatal(err)
		}
		f := exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks), Founding: genesis, Chaincode: "assay", At: checkedAt}
		if name == "bft" {
			f.Ledger, f.Channel = g.ID(), pin
		}
		x := exhibit.CheckChannel(t.Context(), f)
		if !x.Sound || x.Outcome != exhibit.Sound || x.Report.ChannelGenesis != pin || x.Blocks != verdict.FileOf(blocks) {
			t.Errorf("%s: is %s: %s", name, x.Outcome, x.Reason)
		}
		raw, err := json.MarshalIndent(x, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".json", string(raw)+"\n")
		golden(t, name+".txt", x.Document().Text())
		golden(t, name+".html", x.Document().HTML())
	}
}

func TestChannelsThatAreNotSound(t *testing.T) {
	blocks, genesis := channel(t, "raft")
	_, other := channel(t, "bft")
	ended, stop := context.WithCancel(t.Context())
	stop()
	export, err := os.ReadFile(filepath.Join("..", "verdict", "testdata", "holds.trust.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ctx    context.Context
		files  exhibit.ChannelFiles
		want   verdict.Failure
		reason string
	}{
		"no blocks":             {t.Context(), exhibit.ChannelFiles{Founding: genesis}, exhibit.ChannelWrong, "empty"},
		"no file of blocks":     {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(genesis), Founding: genesis}, exhibit.ChannelWrong, "block file"},
		"no founding document":  {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks)}, exhibit.FoundingRefused, "genesis"},
		"an altered export":     {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks), Founding: bytes.Replace(export, []byte(`"height": 40`), []byte(`"height": 41`), 1)}, exhibit.FoundingRefused, "signature"},
		"another's export":      {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks), Founding: export}, exhibit.ChannelWrong, ""},
		"another consortium":    {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks), Founding: other}, exhibit.ChannelWrong, ""},
		"another ledger":        {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks), Founding: genesis, Ledger: commit.Digest{1}}, verdict.LedgerDiffers, "ledger"},
		"another channel":       {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks), Founding: genesis, Channel: commit.Digest{1}}, exhibit.ChannelDiffers, "first block"},
		"a block cut off":       {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks[:len(blocks)-9]), Founding: genesis}, exhibit.ChannelWrong, "cut off"},
		"a byte of the last":    {t.Context(), exhibit.ChannelFiles{Blocks: bytes.NewReader(flipped(blocks, len(blocks)-2000)), Founding: genesis}, exhibit.ChannelWrong, "block"},
		"a file that is broken": {t.Context(), exhibit.ChannelFiles{Blocks: io.MultiReader(bytes.NewReader(blocks[:len(blocks)/2]), broken{}), Founding: genesis}, exhibit.ChannelWrong, "broken"},
		"broken off":            {ended, exhibit.ChannelFiles{Blocks: bytes.NewReader(blocks), Founding: genesis}, exhibit.ChannelWrong, context.Canceled.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			if c.files.Chaincode = "assay"; c.files.Blocks == nil {
				c.files.Blocks = strings.NewReader(blockfile.Magic)
			}
			x := exhibit.CheckChannel(c.ctx, c.files)
			if x.Sound || x.Outcome != exhibit.NotSound || x.Failure != c.want || !strings.Contains(x.Reason, c.reason) || x.Reason == "" {
				t.Errorf("is %s for %q (%s), want %q (%s)", x.Outcome, x.Failure, x.Reason, c.want, c.reason)
			}
			if text := x.Document().Text(); !strings.Contains(text, "NOT SOUND.") {
				t.Errorf("the text is\n%s", text)
			}
		})
	}
}

func flipped(b []byte, i int) []byte {
	out := bytes.Clone(b)
	out[i] ^= 1
	return out
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is broken") }

// Only what was compared makes the answer good: else whoever made the blocks chose who speaks for whom.
func TestGroundsOfAChannel(t *testing.T) {
	export := &exhibit.Export{By: verdicttest.Regulator}
	const made = "could have made up"
	for name, c := range map[string]struct {
		ledger, channel bool
		export          *exhibit.Export
		tone            verdict.Tone
		lead, limit     string
	}{
		"nothing":             {false, false, nil, verdict.Care, "neither the ledger's id nor the channel's first block", "any organisation signed"},
		"the ledger":          {true, false, nil, verdict.Care, "the channel's first block", "any organisation signed"},
		"the channel":         {false, true, nil, verdict.Care, "the ledger's id", "Its id was not compared"},
		"both":                {true, true, nil, verdict.Good, "", ""},
		"an export":           {false, false, export, verdict.Care, "the ledger's id", "by the word of " + verdicttest.Regulator},
		"ledger and export":   {true, false, export, verdict.Good, "", "by the word of " + verdicttest.Regulator},
		"all three of these":  {true, true, export, verdict.Good, "", ""},
		"channel and export ": {false, true, export, verdict.Care, "the ledger's id", "Its id was not compared"},
	} {
		x := &exhibit.Channel{Sound: true, Compared: c.ledger, Pinned: c.channel, Export: c.export, Report: &audit.Report{Sound: true}}
		d := x.Document()
		text := strings.Join(strings.Fields(d.Text()), " ")
		if d.Tone != c.tone || strings.Contains(text, made) != (c.lead != "") || !strings.Contains(text, c.lead) || !strings.Contains(text, c.limit) {
			t.Errorf("%s: tone is %q, and the text is\n%s", name, d.Tone, text)
		}
	}
}

// Changes of the configuration that the caller names are accepted, and the verdict says what that leaves open.
func TestAcceptedConfigurations(t *testing.T) {
	f := exhibit.ChannelFiles{Accepted: []commit.Digest{{1}, {2}}}
	if diff := cmp.Diff(f.Accepted, f.Config(nil).AcceptConfigurations); diff != "" {
		t.Error(diff)
	}
	x := &exhibit.Channel{Sound: true, Report: &audit.Report{Sound: true, Accepted: f.Accepted}}
	if text := x.Document().Text(); !strings.Contains(text, "2 were accepted") {
		t.Errorf("the text is\n%s", text)
	}
}

// With an export, the channel ends where the export says.
func TestHeadOfAnExport(t *testing.T) {
	export := &exhibit.Export{By: verdicttest.Regulator, Height: 6, BlockHash: commit.Digest{6}}
	for name, c := range map[string]struct {
		height uint64
		hash   commit.Digest
		want   bool
	}{
		"the same":     {6, commit.Digest{6}, true},
		"shorter":      {5, commit.Digest{5}, false},
		"another hash": {6, commit.Digest{7}, false},
	} {
		x := &exhibit.Channel{Export: export, Report: &audit.Report{Sound: true, Height: c.height, Hash: c.hash}}
		if err := x.Judge(); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
