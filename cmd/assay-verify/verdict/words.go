package verdict

import (
	"fmt"
	"strings"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

const (
	title = "Verdict on a proof about batteries"
	// maxText bounds a row, which may quote a file.
	maxText = 4 << 10
	// maxAnchors is how many anchors are listed one by one, maxMissing how many missing chunks.
	maxAnchors = 32
	maxMissing = 64
)

// Document puts the verdict into words.
func (v *Verdict) Document() *Document {
	d := &Document{Title: title}
	d.answer(v)
	if v.Proven != nil {
		d.Sections = append(d.Sections, Proven(v.Proven)...)
	} else {
		d.Sections = append(d.Sections, refused(v))
	}
	if v.Rests != nil {
		d.Sections = append(d.Sections, foundations(v))
	}
	if v.Ceremony != nil {
		d.Sections = append(d.Sections, v.Ceremony.Section(v.Valid))
	}
	d.Sections = append(d.Sections, limits(v), files(v))
	d.Clean()
	return d
}

func (d *Document) answer(v *Verdict) {
	switch v.Outcome {
	case Holds:
		d.Answer, d.Tone = "VALID. Every claim holds.", Good
		d.Lead = []string{"The bundle proves that every claim below is true of the batteries that reported. It answers a request that is on the ledger. This was worked out from the files alone; the word of whoever " +
			"sent the bundle counts for nothing in it."}
		if !v.Rests.Compared {
			d.Tone = Care
			d.Lead = []string{"The bundle proves that every claim below is true of the batteries that reported, if the ledger is the consortium's. That was not compared, and whoever sent bundle and export could have made up the ledger with them. " +
				"Until you compare its id, all of it is the word of whoever sent the export."}
		}
		if len(v.Proven.Claims) == 0 {
			d.Answer = "VALID. There was no claim to prove; the totals below are proven."
			d.Lead[0] = strings.Replace(d.Lead[0], "that every claim below is true", "the totals below", 1)
		}
	case ClaimsFail:
		d.Answer, d.Tone = "VALID, BUT NOT EVERY CLAIM HOLDS.", Bad
		d.Lead = []string{"The bundle is a sound answer to a request that is on the ledger, and the answer is that not every claim below is true of the batteries that reported."}
	default:
		d.Answer, d.Tone = "NOT VALID.", Bad
		d.Lead = []string{"The bundle proves nothing, for the reason below. That is not proof of the contrary: a damaged file, or an export that does not belong to it, gives the same verdict."}
	}
	if v.Valid && v.Ceremony != nil {
		v.Ceremony.Caution(d)
	}
	if v.Proven != nil && v.Proven.Unsafe {
		d.Answer += " UNSAFE KEYS: for demonstration only."
		d.Tone = Bad
	}
}

func refused(v *Verdict) Section {
	return Section{Title: "Why it is not valid", Rows: []Row{{Label: "Reason", Text: v.Reason, Tone: Bad}, {Label: "Name", Text: string(v.Failure), Exact: true}}}
}

// Proven says what a proof shows: what was found, what was asked, and about how much of the fleet.
func Proven(p *verify.Verdict) []Section {
	return []Section{found(p), question(p.Statement), coverage(p)}
}

func found(p *verify.Verdict) Section {
	s := Section{Title: "What was found"}
	for i, c := range p.Claims {
		row := Row{Label: fmt.Sprintf("Claim %d", i+1), Text: "HOLDS: " + c.Claim, Tone: Good}
		if !c.Holds {
			row.Text, row.Tone = "DOES NOT HOLD: "+c.Claim, Bad
		}
		s.Rows = append(s.Rows, row)
	}
	if len(p.Claims) > 0 {
		s.Notes = []string{"In a claim, count is how many batteries are in the cohort, a measured quantity stands for its sum over them, value for their value in all; ≥ is at least, − less."}
	}
	for _, t := range p.Disclosed {
		s.Rows = append(s.Rows, Row{Label: "Disclosed", Text: strings.TrimSpace(fmt.Sprintf("%s = %s %s", t.Name, t.Value, t.Unit))})
	}
	return s
}

// question is the statement's own text, whose lines begin with a label.
func question(s *statement.Statement) Section {
	const column = 12 // bytes before the text of a line
	out := Section{Title: "What was asked"}
	for line := range strings.Lines(s.Text()) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) < column {
			continue
		}
		out.Rows = append(out.Rows, Row{Label: strings.TrimSpace(line[:column]), Text: line[column:]})
	}
	return out
}

func coverage(p *verify.Verdict) Section {
	c := &p.Coverage
	s := Section{Title: "How much of the fleet it is about", Rows: []Row{
		{Label: "Reported", Text: fmt.Sprintf("%d of %d enrolled batteries (%s %%)", c.Attested, c.Enrolled, c.Percent)},
		{Label: "Retired", Text: fmt.Sprintf("%d since the epoch before", c.Retired)},
	}}
	if n := len(c.Missing); n > 0 {
		text := fmt.Sprint(c.Missing[:min(n, maxMissing)])
		if n > maxMissing {
			text += fmt.Sprintf(" and %d more", n-maxMissing)
		}
		s.Rows = append(s.Rows, Row{Label: "Missing", Text: fmt.Sprintf("groups of batteries that were not anchored, %d in all, and count as not reported: %s", n, text), Tone: Care})
	}
	return s
}

func foundations(v *Verdict) Section {
	r := v.Rests
	s := Section{Title: "What this rests on", Rows: []Row{{Label: "Consortium", Text: r.Consortium}, {Label: "Ledger", Text: r.Ledger.String(), Exact: true}, compared(v)}}
	s.Rows = append(s.Rows,
		Row{Label: "Seen by", Text: fmt.Sprintf("%s (%s), a regulator of this consortium, who signed the export on %s", r.Regulator, r.ExportedBy, When(r.ExportedAt))},
		Row{Label: "Up to", Text: fmt.Sprintf("block %d", r.Height)},
		Row{Label: "Block hash", Text: r.BlockHash.String(), Exact: true},
	)
	if q := r.Request; q != nil {
		s.Rows = append(s.Rows,
			Row{Label: "Request", Text: fmt.Sprintf("by %s on %s; on the ledger it is %s", q.Requester, When(time.Unix(q.Time, 0)), q.Status)},
			Row{Label: "Its digest", Text: q.ID.String(), Exact: true})
	}
	if v.Proven == nil {
		return s
	}
	s.Rows = append(s.Rows, anchors(v.Proven.Chunks)...)
	s.Rows = append(s.Rows, Keys(v.Proven, v.Ceremony)...)
	return s
}

// Keys says which keys the proof was verified with, and who made them: the ceremony, if its section is beside.
func Keys(p *verify.Verdict, c *Ceremony) []Row {
	var rows []Row
	for _, k := range p.Keys {
		made := Row{Label: "Key " + k.CircuitID, Text: setup(k.Setup), Tone: setupTone(k.Setup)}
		if c != nil && k.Setup == verify.CeremonySetup(c.Transcript) {
			made.Text = "made in the ceremony below"
		}
		rows = append(rows, made, Row{Text: k.Digest.String(), Exact: true})
		if k.Status.Current() != verify.StateActive {
			rows = append(rows, Row{Text: k.Status.String() + "; no new proof is taken under this key"})
		}
	}
	return rows
}

// compared says whether the ledger's id is known from elsewhere.
func compared(v *Verdict) Row {
	switch {
	case !v.Rests.Compared:
		return Row{Text: "NOT COMPARED: anybody can make a ledger. Compare this id with one that you have from elsewhere.", Tone: Care}
	case v.Failure == LedgerDiffers:
		return Row{Text: "It is not the ledger that you named.", Tone: Bad}
	}
	return Row{Text: "It is the ledger that you named.", Tone: Good}
}

func anchors(chunks []verify.ChunkVerdict) []Row {
	var rows []Row
	for i, c := range chunks {
		if i == maxAnchors {
			return append(rows, Row{Text: fmt.Sprintf("and %d more", len(chunks)-i)})
		}
		row := Row{Text: fmt.Sprintf("group %d: %d of %d batteries, in block %d", c.Index, c.Attested, c.Enrolled, c.Height)}
		if i == 0 {
			row.Label = "Anchored"
		}
		rows = append(rows, row)
	}
	return rows
}

func setup(name string) string {
	if name == verify.SetupUnsafe {
		return "made by a single party, who can forge proofs with what it knew (UNSAFE)"
	}
	if transcript, ok := strings.CutPrefix(name, "ceremony:"); ok {
		return "made in a ceremony, whose transcript has the digest " + transcript
	}
	return "made by " + name
}

func setupTone(name string) Tone {
	if name == verify.SetupUnsafe {
		return Bad
	}
	return ""
}

// limits says what nobody should read into the verdict.
func limits(v *Verdict) Section {
	s := Section{Title: "What this does not show"}
	if v.Rests == nil {
		s.Notes = append(s.Notes, "Anything about the ledger: the export is not one that a regulator signed as it stands.")
		return s
	}
	if !v.Rests.Compared {
		s.Notes = append(s.Notes, "That the ledger is the consortium's. Its id was not compared with one from elsewhere.")
	}
	s.Notes = append(s.Notes, fmt.Sprintf("Anything that the ledger recorded after block %d, or that the export leaves out.", v.Rests.Height))
	if v.Proven != nil {
		s.Notes = append(s.Notes, "That the batteries measured rightly. It is about what their own keys signed and the ledger anchored.")
	}
	s.Notes = append(s.Notes, KeyLimits(v.Proven, v.Ceremony)...)
	return s
}

func files(v *Verdict) Section {
	s := Section{Title: "The files", Rows: append(v.Bundle.Rows("Bundle"), v.Trust.Rows("Export")...)}
	if v.Transcript != nil {
		s.Rows = append(s.Rows, v.Transcript.Rows("Transcript")...)
	}
	if v.CheckedAt != nil {
		s.Rows = append(s.Rows, Row{Label: "Checked", Text: When(*v.CheckedAt)})
	}
	return s
}

// Rows say which file it is.
func (f *File) Rows(label string) []Row {
	return []Row{{Label: label, Text: fmt.Sprintf("%d bytes, SHA-256", f.Bytes)}, {Text: f.SHA256.String(), Exact: true}}
}

// When is a time for people.
func When(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }

// Clean bounds every text and takes out what could steer whatever shows it, and the runs of spaces by which a text could look like a line of its own. Files are foreign, and so is what is quoted from them.
func (d *Document) Clean() {
	for i := range d.Sections {
		for j := range d.Sections[i].Rows {
			r := &d.Sections[i].Rows[j]
			if r.Label != "" {
				r.Label = clean(r.Label)
			}
			r.Text = clean(r.Text)
		}
	}
}

func clean(text string) string {
	return strings.Join(strings.Fields(ledger.Printable(text, maxText)), " ")
}
