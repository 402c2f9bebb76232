package evidence

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// Kind says how far a line of a report can be relied on.
type Kind string

const (
	// Shown was verified.
	Shown Kind = "shown"
	// Assumed is somebody's word, which the line names.
	Assumed Kind = "assumed"
	// Wrong does not hold.
	Wrong Kind = "wrong"
)

// Line is one thing that was looked at.
type Line struct {
	Kind Kind `json:"kind"`
	// Subject is what it is about: "request", "grant", "policy", "decision", "proof" and so on.
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

func (l Line) String() string { return fmt.Sprintf("%-8s %-10s %s", l.Kind, l.Subject, l.Text) }

// Report is what came of verifying evidence.
type Report struct {
	Ledger     commit.Digest `json:"ledger"`
	Request    commit.Digest `json:"request"`
	Status     ledger.Status `json:"status"`
	ExportedBy string        `json:"exported_by"`
	ExportedAt int64         `json:"exported_at"`
	// Sound says that no line is Wrong.
	Sound bool   `json:"sound"`
	Lines []Line `json:"lines"`
	// Verdict is what the proof shows, if there is one and it verifies.
	Verdict *verify.Verdict `json:"verdict,omitempty"`
}

// maxText bounds a line's text, which may quote the file.
const maxText = 1 << 10

func (r *Report) add(kind Kind, subject, format string, args ...any) {
	r.Sound = r.Sound && kind != Wrong
	r.Lines = append(r.Lines, Line{kind, subject, ledger.Printable(fmt.Sprintf(format, args...), maxText)})
}

// Faults are the lines that are Wrong.
func (r *Report) Faults() []Line {
	var out []Line
	for _, l := range r.Lines {
		if l.Kind == Wrong {
			out = append(out, l)
		}
	}
	return out
}
