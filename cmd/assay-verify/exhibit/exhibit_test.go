package exhibit_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/cmd/assay-verify/exhibit"
	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/zk/commit"
)

var checkedAt = time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC)

// Verdicts on evidence of both ledgers in all forms are as they were when somebody read them.
func TestGoldenExhibits(t *testing.T) {
	id := ledgerOf(t, answered)
	other := id
	other[0] ^= 1
	pin, err := audit.ChannelGenesis(read(t, fabricBlock))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files   exhibit.Files
		outcome exhibit.Outcome
	}{
		"answered":     {exhibit.Files{Evidence: read(t, answered), Ledger: id, At: checkedAt}, exhibit.Sound},
		"refused":      {exhibit.Files{Evidence: read(t, refused), At: checkedAt}, exhibit.Sound},
		"wrong":        {exhibit.Files{Evidence: read(t, wrong), Ledger: id, At: checkedAt}, exhibit.NotSound},
		"fabric":       {exhibit.Files{Evidence: read(t, fabric), Ledger: ledgerOf(t, fabric), Channel: pin, Chaincode: "assay", At: checkedAt}, exhibit.Sound},
		"unpinned":     {exhibit.Files{Evidence: read(t, fabric), Chaincode: "assay", At: checkedAt}, exhibit.Sound},
		"other-ledger": {exhibit.Files{Evidence: read(t, answered), Ledger: other, At: checkedAt}, exhibit.NotSound},
	} {
		t.Run(name, func(t *testing.T) {
			x := exhibit.Check(c.files)
			if x.Outcome != c.outcome || x.Sound != (c.outcome == exhibit.Sound) {
				t.Errorf("outcome is %s, want %s: %s", x.Outcome, c.outcome, x.Reason)
			}
			raw, err := json.MarshalIndent(x, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", string(raw)+"\n")
			golden(t, name+".txt", x.Document().Text())
			golden(t, name+".html", x.Document().HTML())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func TestFailuresAreNamed(t *testing.T) {
	good := read(t, answered)
	for name, c := range map[string]struct {
		files exhibit.Files
		want  verdict.Failure
	}{
		"nothing":            {exhibit.Files{}, exhibit.Unreadable},
		"cut short":          {exhibit.Files{Evidence: good[:len(good)/2]}, exhibit.Unreadable},
		"not signed anew":    {exhibit.Files{Evidence: bytes.Replace(good, []byte(`"verified"`), []byte(`"approved"`), 1)}, exhibit.Unreadable},
		"another ledger":     {exhibit.Files{Evidence: good, Ledger: commit.Digest{1}}, verdict.LedgerDiffers},
		"another channel":    {exhibit.Files{Evidence: read(t, fabric), Channel: commit.Digest{1}, Chaincode: "assay"}, exhibit.ChannelDiffers},
		"no channel's":       {exhibit.Files{Evidence: good, Channel: commit.Digest{1}, Chaincode: "assay"}, exhibit.Unreadable},
		"another contract":   {exhibit.Files{Evidence: read(t, fabric), Chaincode: "other"}, exhibit.LineWrong},
		"a line that is not": {exhibit.Files{Evidence: read(t, wrong)}, exhibit.LineWrong},
		"no transcript":      {exhibit.Files{Evidence: good, Ceremony: []byte{}}, verdict.CeremonyRefused},
		"no keys":            {exhibit.Files{Evidence: read(t, refused), Ceremony: transcript(t)}, verdict.CeremonyForeign},
		"another ceremony":   {exhibit.Files{Evidence: good, Ceremony: transcript(t)}, verdict.CeremonyForeign},
	} {
		t.Run(name, func(t *testing.T) {
			x := exhibit.Check(c.files)
			if x.Sound || x.Outcome != exhibit.NotSound || x.Failure != c.want || x.Reason == "" {
				t.Errorf("is %s for %q (%s), want %q", x.Outcome, x.Failure, x.Reason, c.want)
			}
			if text := x.Document().Text(); !strings.Contains(text, "NOT SOUND.") || strings.Contains(text, "HOLDS:") {
				t.Errorf("the text is\n%s", text)
			}
		})
	}
}

// The answer is good, and says that nobody's word counts, only if the ledger was compared, and the channel if there is one.
func TestGroundsOfEvidence(t *testing.T) {
	pin, err := audit.ChannelGenesis(read(t, fabricBlock))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file            string
		ledger, channel bool
		lead            string
	}{
		"Fabric":               {fabric, false, false, "neither the ledger's id nor the first block of its channel was compared"},
		"Fabric's ledger":      {fabric, true, false, "the first block of the ledger's channel was not compared"},
		"Fabric's channel":     {fabric, false, true, "the ledger's id was not compared"},
		"all of Fabric's":      {fabric, true, true, ""},
		"an embedded ledger":   {refused, false, false, "the ledger's id was not compared"},
		"an embedded ledger's": {refused, true, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := exhibit.Files{Evidence: read(t, c.file), Chaincode: "assay"}
			if c.ledger {
				f.Ledger = ledgerOf(t, c.file)
			}
			if c.channel {
				f.Channel = pin
			}
			x := exhibit.Check(f)
			if x.Report.Verdict != nil {
				x.Report.Verdict.Unsafe = false // which is bad in any case
			}
			d := x.Document()
			text := strings.Join(strings.Fields(d.Text()), " ")
			grounded := c.lead == ""
			if !x.Sound || x.Pinned != c.channel || (d.Tone == verdict.Good) != grounded || !strings.Contains(text, c.lead) {
				t.Errorf("tone is %q, and the text is\n%s", d.Tone, text)
			}
			if strings.Contains(text, "counts for nothing") != grounded || strings.Contains(text, "What is shown") != grounded || strings.Contains(text, "NOT COMPARED") == grounded {
				t.Errorf("the text is\n%s", text)
			}
			if signed := "any organisation signed anything on it"; strings.Contains(text, signed) != (c.file == fabric && !c.channel) {
				t.Errorf("the limits are\n%s", text)
			}
		})
	}
}

// transcript is one of another ledger.
func transcript(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "verdict", "testdata", "ceremony.transcript.json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Nothing that a file holds breaks off a check, or gets a character into a text that could steer what shows it.
func FuzzCheck(f *testing.F) {
	for _, name := range []string{answered, refused, wrong, fabric} {
		f.Add(read(f, name))
	}
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := exhibit.Check(exhibit.Files{Evidence: b})
		if x.Sound == (x.Failure != "") {
			t.Errorf("sound is %t with failure %q", x.Sound, x.Failure)
		}
		if _, err := json.Marshal(x); err != nil {
			t.Error(err)
		}
		if text := x.Document().Text(); strings.ContainsAny(text, "\x00\x07\x08\x1b\r\u202e\u2028") {
			t.Errorf("the text has a character that steers: %q", text)
		}
	})
}
