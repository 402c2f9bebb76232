package exhibit

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Document puts the exhibit into words.
func (x *Exhibit) Document() *verdict.Document {
	d := &verdict.Document{Title: "Verdict on evidence from a ledger"}
	x.answer(d)
	if !x.Sound {
		d.Sections = append(d.Sections, x.refused())
	}
	if x.Report != nil {
		shown := "What is shown"
		if !x.grounded() {
			shown = "What the blocks in the file show"
		}
		d.Sections = append(d.Sections, x.lines(evidence.Shown, shown)...)
		d.Sections = append(d.Sections, x.lines(evidence.Assumed, "What is somebody's word")...)
		if v := x.Report.Verdict; v != nil && x.Sound {
			d.Sections = append(d.Sections, verdict.Proven(v)...)
		}
	}
	d.Sections = append(d.Sections, x.foundations()...)
	if x.Ceremony != nil {
		d.Sections = append(d.Sections, x.Ceremony.Section(x.Sound))
	}
	d.Sections = append(d.Sections, x.limits(), x.files())
	d.Clean()
	return d
}

func (x *Exhibit) answer(d *verdict.Document) {
	if !x.Sound {
		d.Answer, d.Tone = "NOT SOUND.", verdict.Bad
		d.Lead = []string{"Do not rely on the file, for the reason below. That is not proof of the contrary of what it says: a damaged file gives the same verdict."}
		return
	}
	d.Answer, d.Tone = "SOUND. "+standing[x.Report.Status], verdict.Good
	d.Lead = []string{"What stands below under what is shown was found in the ledger's own blocks, which are in the file: sealed and signed by those whom the consortium's founding document asks for. The word of whoever handed " +
		"over the file counts for nothing in it."}
	if !x.grounded() {
		d.Tone = verdict.Care
		d.Lead = []string{fmt.Sprintf("What stands below under what the blocks show was found in the file. But %s with what you have from elsewhere, and whoever handed over the file could have made up the blocks, and all who "+
			"signed them. Until you compare, all of it is the word of whoever handed over the file.", x.uncompared())}
	}
	if x.Ceremony != nil {
		x.Ceremony.Caution(d)
	}
	v := x.Report.Verdict
	if v == nil {
		return
	}
	if !v.Holds() {
		d.Answer, d.Tone = d.Answer+" NOT EVERY CLAIM HOLDS.", verdict.Bad
	} else if len(v.Claims) > 0 {
		d.Answer += " Every claim holds."
	}
	if v.Unsafe {
		d.Answer, d.Tone = d.Answer+" UNSAFE KEYS: for demonstration only.", verdict.Bad
	}
}

// uncompared says what keeps the exhibit from being grounded.
func (x *Exhibit) uncompared() string {
	switch {
	case !x.fabric() || x.Pinned:
		return "the ledger's id was not compared"
	case x.Compared:
		return "the first block of the ledger's channel was not compared"
	}
	return "neither the ledger's id nor the first block of its channel was compared"
}

// standing says where a request stands.
var standing = map[ledger.Status]string{
	ledger.StatusVerified:  "The request was answered with a proof, which verifies.",
	ledger.StatusWithdrawn: "The request was withdrawn.",
	ledger.StatusRefused:   "The request was refused.",
	ledger.StatusFailed:    "The request was approved, and could not be answered.",
	ledger.StatusExpired:   "The request expired.",
	ledger.StatusProving:   "The request was approved, and a proof was begun.",
	ledger.StatusApproved:  "The request was approved.",
	ledger.StatusOpen:      "The request was asked.",
}

func (x *Exhibit) refused() verdict.Section {
	s := verdict.Section{Title: "Why it is not sound", Rows: []verdict.Row{{Label: "Reason", Text: x.Reason, Tone: verdict.Bad}, {Label: "Name", Text: string(x.Failure), Exact: true}}}
	if x.Report == nil {
		return s
	}
	for _, l := range x.Report.Faults() {
		s.Rows = append(s.Rows, verdict.Row{Label: label(l.Subject), Text: l.Text, Tone: verdict.Bad})
	}
	return s
}

// lines are those of a kind, under a heading if there are any.
func (x *Exhibit) lines(kind evidence.Kind, title string) []verdict.Section {
	s := verdict.Section{Title: title}
	last := ""
	for _, l := range x.Report.Lines {
		if l.Kind != kind {
			continue
		}
		row := verdict.Row{Label: label(l.Subject), Text: l.Text}
		if l.Subject == last {
			row.Label = ""
		}
		last = l.Subject
		s.Rows = append(s.Rows, row)
	}
	if len(s.Rows) == 0 {
		return nil
	}
	return []verdict.Section{s}
}

// label is a line's subject as it stands before it.
func label(subject string) string {
	n := min(1, len(subject))
	return strings.ToUpper(subject[:n]) + subject[n:]
}

func (x *Exhibit) foundations() []verdict.Section {
	r := x.Report
	if r == nil {
		return nil
	}
	s := verdict.Section{Title: "What this rests on", Rows: []verdict.Row{{Label: "Consortium", Text: x.Consortium}, {Label: "Ledger", Text: r.Ledger.String(), Exact: true}, compared(x.Compared)}}
	if x.fabric() {
		s.Rows = append(s.Rows, x.channel()...)
	}
	s.Rows = append(s.Rows,
		verdict.Row{Label: "Request", Text: r.Request.String(), Exact: true},
		verdict.Row{Label: "Handed over by", Text: fmt.Sprintf("%s, who signed the file on %s and says to have seen the ledger up to block %d", r.ExportedBy, verdict.When(time.Unix(r.ExportedAt, 0)), x.Height)},
		verdict.Row{Text: x.BlockHash.String(), Exact: true},
	)
	if r.Verdict != nil {
		s.Rows = append(s.Rows, verdict.Keys(r.Verdict, x.Ceremony)...)
	}
	return []verdict.Section{s}
}

// channel says which channel the blocks are of.
func (x *Exhibit) channel() []verdict.Row {
	if x.Channel.IsZero() {
		return []verdict.Row{{Label: "Channel", Text: "not known: its first block is not in the file, or cannot be read", Tone: verdict.Bad}}
	}
	return []verdict.Row{{Label: "Channel", Text: "a Fabric channel, whose first block has the hash"}, {Text: x.Channel.String(), Exact: true}, pinned(x.Pinned)}
}

func compared(named bool) verdict.Row {
	if !named {
		return verdict.Row{Text: "NOT COMPARED: anybody can make a ledger. Compare this id with one that you have from elsewhere.", Tone: verdict.Care}
	}
	return verdict.Row{Text: "It is the ledger that you named.", Tone: verdict.Good}
}

// limits says what nobody should read into it.
func (x *Exhibit) limits() verdict.Section {
	s := verdict.Section{Title: "What this does not show"}
	if x.Report == nil {
		s.Notes = append(s.Notes, "Anything: the file cannot be read as evidence, or is of another ledger or channel than the one that you named.")
		return s
	}
	if !x.Compared {
		s.Notes = append(s.Notes, "That the ledger is the consortium's. Its id was not compared with one from elsewhere.")
	}
	if x.fabric() && !x.Pinned {
		s.Notes = append(s.Notes, "That the channel is the consortium's, or that any organisation signed anything on it: the channel's first block says who speaks for each, and was not compared with one from elsewhere.")
	}
	s.Notes = append(s.Notes, "That nothing was left out: a later revocation, a regulator's alert, another answer about the same fleet, a key that was taken out of use. Whoever handed over the file chose what is in it.")
	if x.Report.Verdict != nil {
		s.Notes = append(s.Notes, "That the batteries measured rightly. It is about what their own keys signed and the ledger anchored.")
	}
	s.Notes = append(s.Notes, verdict.KeyLimits(x.Report.Verdict, x.Ceremony)...)
	return s
}

func (x *Exhibit) files() verdict.Section {
	s := verdict.Section{Title: "The files", Rows: x.File.Rows("Evidence")}
	if x.Transcript != nil {
		s.Rows = append(s.Rows, x.Transcript.Rows("Transcript")...)
	}
	if x.CheckedAt != nil {
		s.Rows = append(s.Rows, verdict.Row{Label: "Checked", Text: verdict.When(*x.CheckedAt)})
	}
	return s
}
