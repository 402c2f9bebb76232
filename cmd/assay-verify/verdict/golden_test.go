package verdict_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
)

var checkedAt = time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC)

// Verdicts in all forms are as they were when somebody read them.
func TestGoldenVerdicts(t *testing.T) {
	g := verdicttest.Genesis()
	id := g.ID()
	other := id
	other[0]++
	for name, c := range map[string]struct {
		files   verdict.Files
		outcome verdict.Outcome
	}{
		"holds":            {verdict.Files{Bundle: read(t, "holds.cbor"), Trust: read(t, "holds.trust.json"), Ledger: id, At: checkedAt}, verdict.Holds},
		"holds-uncompared": {verdict.Files{Bundle: read(t, "holds.cbor"), Trust: read(t, "holds.trust.json")}, verdict.Holds},
		"fails":            {verdict.Files{Bundle: read(t, "fails.cbor"), Trust: read(t, "fails.trust.json"), Ledger: id, At: checkedAt}, verdict.ClaimsFail},
		"other-ledger":     {verdict.Files{Bundle: read(t, "holds.cbor"), Trust: read(t, "holds.trust.json"), Ledger: other, At: checkedAt}, verdict.NotValid},
		"ceremony": {verdict.Files{
			Bundle: read(t, "holds.cbor"), Trust: read(t, "ceremony.trust.json"), Ceremony: read(t, "ceremony.transcript.json"), Ledger: id, At: checkedAt,
		}, verdict.Holds},
		"ceremony-untold": {verdict.Files{Bundle: read(t, "holds.cbor"), Trust: read(t, "ceremony.trust.json"), Ledger: id, At: checkedAt}, verdict.Holds},
		"other-ceremony": {verdict.Files{
			Bundle: read(t, "holds.cbor"), Trust: read(t, "holds.trust.json"), Ceremony: read(t, "ceremony.transcript.json"), Ledger: id, At: checkedAt,
		}, verdict.NotValid},
		"nothing": {verdict.Files{At: checkedAt}, verdict.NotValid},
	} {
		t.Run(name, func(t *testing.T) {
			v := verdict.Check(c.files)
			if v.Outcome != c.outcome {
				t.Errorf("outcome is %s, want %s: %s", v.Outcome, c.outcome, v.Reason)
			}
			var indented bytes.Buffer
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Indent(&indented, raw, "", " "); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".json", indented.String()+"\n")
			golden(t, name+".txt", v.Document().Text())
			golden(t, name+".html", v.Document().HTML())
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

// A printed page brings no script, fetches nothing, and its policy names its own style sheet.
func TestPrintedPageIsSelfContained(t *testing.T) {
	page := verdict.Check(verdict.Files{Bundle: read(t, "holds.cbor"), Trust: read(t, "holds.trust.json")}).Document().HTML()
	for _, part := range []string{"<script", "<img", "<link", "http://", "https://", "url(", "@import"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q", part)
		}
	}
	if !strings.Contains(page, `content="default-src 'none'; style-src `+verdict.Source(verdict.Style)) {
		t.Error("the policy is missing, or names another style sheet")
	}
}

// A name cannot look like a line of the verdict's own where a terminal breaks lines.
func TestTextsHaveNoRunsOfSpaces(t *testing.T) {
	d := &verdict.Document{Sections: []verdict.Section{{Rows: []verdict.Row{{Label: "Consortium", Text: "Mine" + strings.Repeat(" ", 80) + "It is the ledger\u009b that you named."}}}}}
	d.Clean()
	if got, want := d.Sections[0].Rows[0].Text, "Mine It is the ledger· that you named."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What files say is text, whatever it looks like.
func TestTextsAreNoMarkup(t *testing.T) {
	d := &verdict.Document{
		Title: "<script>", Answer: "<b>&", Lead: []string{"<i>"},
		Sections: []verdict.Section{{Title: "<u>", Rows: []verdict.Row{{Label: `"<a>`, Text: `<td onclick="x">`}}, Notes: []string{"</li>"}}},
	}
	page := d.HTML()
	for _, part := range []string{"<script>", "<b>", "<i>", "<u>", "<a>", "onclick=\"x\"", "</li></li>"} {
		if strings.Contains(page, part) {
			t.Errorf("the page has %q", part)
		}
	}
}
