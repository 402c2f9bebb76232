package exhibit

import (
	"fmt"
	"maps"
	"slices"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/fabricnet/audit"
)

// maxFindings is how many findings are told one by one.
const maxFindings = 100

// Document puts the channel into words.
func (x *Channel) Document() *verdict.Document {
	d := &verdict.Document{Title: "Verdict on a ledger's blocks", Answer: "SOUND.", Tone: verdict.Good}
	if x.Sound {
		d.Lead = []string{fmt.Sprintf("Every block up to block %d follows the one before and is sealed by whom the channel's configuration names. Every call that had an effect was signed and endorsed as the consortium's founding "+
			"document asks for, and was carried out anew here, to the same records.", x.Report.Height)}
		if !x.grounded() {
			d.Tone = verdict.Care
			d.Lead = append(d.Lead, fmt.Sprintf("But %s with what you have from elsewhere, and whoever made the blocks could have made up the channel, and all who signed on it. Until you compare, all of it is the word of whoever handed them over.",
				x.uncompared()))
		}
	} else {
		d.Answer, d.Tone = "NOT SOUND.", verdict.Bad
		d.Lead = []string{"Do not rely on the blocks, for the reason below."}
		d.Sections = append(d.Sections, verdict.Section{Title: "Why they are not sound", Rows: []verdict.Row{{Label: "Reason", Text: x.Reason, Tone: verdict.Bad}, {Label: "Name", Text: string(x.Failure), Exact: true}}})
	}
	if x.Report != nil {
		d.Sections = append(d.Sections, x.foundations(), checked(x.Report))
		if len(x.Report.Findings) > 0 {
			d.Sections = append(d.Sections, findings(x.Report.Findings))
		}
	}
	d.Sections = append(d.Sections, x.limits(), x.files())
	d.Clean()
	return d
}

// uncompared says what keeps the channel from being grounded.
func (x *Channel) uncompared() string {
	switch {
	case x.Pinned || x.Export != nil:
		return "the ledger's id was not compared"
	case x.Compared:
		return "the channel's first block was not compared"
	}
	return "neither the ledger's id nor the channel's first block was compared"
}

func (x *Channel) foundations() verdict.Section {
	r := x.Report
	s := verdict.Section{Title: "What was checked, against what", Rows: []verdict.Row{
		{Label: "Consortium", Text: r.Name}, {Label: "Ledger", Text: r.Ledger.String(), Exact: true}, compared(x.Compared),
		{Label: "Channel", Text: fmt.Sprintf("%s, ordered by %s; its first block has the hash", r.Channel, r.Consensus)}, {Text: r.ChannelGenesis.String(), Exact: true}, x.pinned(),
		{Label: "Up to", Text: fmt.Sprintf("block %d, with the hash", r.Height)}, {Text: r.Hash.String(), Exact: true},
	}}
	if e := x.Export; e != nil && x.Sound {
		s.Rows = append(s.Rows, verdict.Row{Text: fmt.Sprintf("It is the block that the export of %s names.", e.By), Tone: verdict.Good})
	}
	return s
}

func (x *Channel) pinned() verdict.Row {
	if !x.Pinned && x.Export != nil && x.Sound {
		return verdict.Row{Text: "Not compared, but it leads to the block that the export names."}
	}
	return pinned(x.Pinned)
}

func pinned(named bool) verdict.Row {
	if !named {
		return verdict.Row{Text: "NOT COMPARED: anybody can found another channel for the same consortium. Compare this hash with one that you have from elsewhere.", Tone: verdict.Care}
	}
	return verdict.Row{Text: "It is the channel that you named.", Tone: verdict.Good}
}

func checked(r *audit.Report) verdict.Section {
	n := &r.Counts
	s := verdict.Section{Title: "What is in them", Rows: []verdict.Row{
		{Label: "Blocks", Text: fmt.Sprintf("%d, with %d transactions and %d signatures that verify", n.Blocks, n.Transactions, n.Signatures)},
	}}
	for i, name := range slices.Sorted(maps.Keys(n.Calls)) {
		row := verdict.Row{Text: fmt.Sprintf("%s: %d", name, n.Calls[name])}
		if i == 0 {
			row.Label = "Calls made anew"
		}
		s.Rows = append(s.Rows, row)
	}
	for _, line := range []struct {
		n    uint64
		text string
	}{
		{n.Anchors, "anchors were made again of their attestations"},
		{n.AnchorsUnchecked, "anchors were checked in their form alone: their attestations are not in the blocks"},
		{uint64(len(r.Invalid)), "transactions had no effect, as their codes say"},
		{n.PeersWord, "transactions of other contracts have a code that is a peer's word"},
	} {
		if line.n > 0 {
			s.Notes = append(s.Notes, fmt.Sprintf("%d %s.", line.n, line.text))
		}
	}
	return s
}

func findings(list []audit.Finding) verdict.Section {
	s := verdict.Section{Title: "What was found"}
	for i, f := range list {
		if i == maxFindings {
			s.Rows = append(s.Rows, verdict.Row{Text: fmt.Sprintf("and %d more", len(list)-i)})
			break
		}
		row := verdict.Row{Label: "Note", Text: f.String(), Tone: verdict.Care}
		if f.Failure {
			row.Label, row.Tone = "Failure", verdict.Bad
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

func (x *Channel) limits() verdict.Section {
	s := verdict.Section{Title: "What this does not show"}
	if x.Report == nil {
		s.Notes = append(s.Notes, "Anything: there were no blocks that could be held against a founding document, or they are of another ledger or channel than the one that you named.")
		return s
	}
	if !x.Compared {
		s.Notes = append(s.Notes, "That the ledger is the consortium's. Its id was not compared with one from elsewhere.")
	}
	switch {
	case x.Pinned:
	case x.Export != nil && x.Sound:
		s.Notes = append(s.Notes, fmt.Sprintf("That the channel is the consortium's, but by the word of %s, whose export names its last block.", x.Export.By))
	default:
		s.Notes = append(s.Notes, "That the channel is the consortium's, or that any organisation signed anything on it: its first block says who speaks for each, and was not compared with one from elsewhere.")
	}
	if len(x.Report.Accepted) > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("Who agreed to the changes of the channel's configuration, and so to who speaks for each organisation after them: %d were accepted because you named their blocks.", len(x.Report.Accepted)))
	}
	s.Notes = append(s.Notes, fmt.Sprintf("Anything that was recorded after block %d, in this file or out of it. Blocks that are cut off the end leave no trace.", x.Report.Height))
	return s
}

func (x *Channel) files() verdict.Section {
	s := verdict.Section{Title: "The files", Rows: append(x.Blocks.Rows("Blocks"), x.Founding.Rows("Founding")...)}
	if x.CheckedAt != nil {
		s.Rows = append(s.Rows, verdict.Row{Label: "Checked", Text: verdict.When(*x.CheckedAt)})
	}
	return s
}
