package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// Caution puts before the answer what a reader of the answer alone should know of the keys.
func (c *Ceremony) Caution(d *Document) {
	if len(c.OwnersOnly) == 0 {
		return
	}
	if d.Tone == Good {
		d.Tone = Care
	}
	d.Lead = append(d.Lead, "Mind who made the keys: to a part of the ceremony, told below, nobody contributed but owners of fleets, who have proofs made about themselves. Together these could forge one.")
}

// Section says who contributed to the ceremony, and what that is worth. It is of the keys if they were found to be those of a proof.
func (c *Ceremony) Section(made bool) Section {
	s := Section{Title: "The ceremony that made the keys", Rows: []Row{
		{Label: "Ceremony", Text: c.Name}, {Text: c.ID.String(), Exact: true},
		{Label: "Transcript", Text: "every contribution in it is signed, and in its place"}, {Text: c.Transcript.String(), Exact: true},
		{Label: "Made there", Text: "the keys for " + strings.Join(c.Keys, ", ")},
	}}
	if !made {
		s.Title = "The ceremony of the transcript"
	}
	if len(c.Keys) == 0 {
		s.Rows[len(s.Rows)-1].Text = "none of the pinned keys"
	}
	for i := range c.Contributors {
		row := Row{Text: contributed(&c.Contributors[i], c.Parts)}
		if i == 0 {
			row.Label = "Contributors"
		}
		s.Rows = append(s.Rows, row)
	}
	if len(c.OwnersOnly) > 0 {
		s.Rows = append(s.Rows, Row{Text: "NOBODY BUT OWNERS OF FLEETS contributed to " + strings.Join(c.OwnersOnly, ", ") + ". They have proofs made about themselves, and together could forge one.", Tone: Care})
	}
	s.Rows = append(s.Rows, Row{Label: "Closed with", Text: c.Rule})
	for _, closing := range c.Closings {
		s.Rows = append(s.Rows, Row{Text: closing.source()}, Row{Text: closing.Beacon.String(), Exact: true})
	}
	s.Rows = append(s.Rows, Row{Label: "Consent", Text: consent(c)})
	s.Notes = []string{
		"Such keys are made from secrets, and whoever knew all of these could forge proofs. If the ceremony was carried out as its transcript says, every contributor drew secrets of its own for each part, mixed them in, and " +
			"was to forget them. Then nobody can forge unless all who contributed to some part kept theirs and put them together. So one honest contributor to every part is enough: ask whether there is one whom you believe, and it may be you.",
		"Each contribution is signed with the key that the ledger's founding document has of the contributor.",
		"None of this rests on the closing values being beyond foreseeing. What they do is to date the ceremony, if they are what they are said to be: a stage was closed after its value was known.",
	}
	return s
}

func (c *Closing) source() string {
	if c.Block != 0 {
		return fmt.Sprintf("stage %d: said to be block %d of this ledger, with the hash", c.Stage, c.Block)
	}
	return fmt.Sprintf("stage %d: said to be %s", c.Stage, c.Source)
}

func contributed(c *Contributor, parts []string) string {
	who := fmt.Sprintf("%s (%s)", c.Name, c.ID)
	if c.Owner {
		who += ", an owner of fleets"
	}
	switch {
	case len(c.Parts) == 0:
		return who + ": could have contributed, and did not"
	case slices.Equal(c.Parts, parts):
		return who + ": to every part"
	}
	return who + ": to " + strings.Join(c.Parts, ", ") + " only"
}

// consent is about the rule, which is the genesis'. Who it was that consented is in the ledger's block and not in an export.
func consent(c *Ceremony) string {
	others := "another organisation"
	if c.Consent.Others > 1 {
		others = fmt.Sprintf("%d other organisations", c.Consent.Others)
	}
	regulators := "a regulator"
	if c.Consent.Regulators > 1 {
		regulators = fmt.Sprintf("%d regulators", c.Consent.Regulators)
	}
	return fmt.Sprintf("the ledger takes a key if %s and %s endorse it; owners of fleets do not count. Those who may: %s", regulators, others, strings.Join(c.Eligible, ", "))
}

// KeyLimits says what is not shown of the keys of a proof, if there is one, and of the ceremony, if its transcript was checked.
func KeyLimits(proven *verify.Verdict, c *Ceremony) []string {
	var out []string
	if proven != nil && proven.Unsafe {
		out = append(out, "That nobody forged the proof: whoever made the keys could. Keys of a single party are for demonstration.")
	}
	switch {
	case c != nil:
		return append(out, ceremonyLimits(c)...)
	case proven != nil && !proven.Unsafe:
		return []string{"Who took part in the ceremony that made the keys, and that it was carried out as its transcript says: the transcript was not given here, nor was the ceremony replayed. One honest contributor to " +
			"every part is enough."}
	}
	return out
}

// ceremonyLimits says what of a ceremony nobody should take for checked.
func ceremonyLimits(c *Ceremony) []string {
	out := []string{"That the keys come out of what was contributed. The transcript holds names, order, signatures and digests; the arithmetic needs the ceremony's folder, and anybody who has it can replay it there: 'assay ceremony " +
		"verify'. That the ledger took the keys says that those who endorsed them consented, and not that they replayed it."}
	if c.Rule != transcript.LedgerBeacon {
		out = append(out, "That the closing values are what the ceremony's rule leads to. Look them up.")
	} else {
		out = append(out, "That the closing values are the hashes of these blocks. Whoever has the ledger's blocks can compare them: 'assay-verify ledger'.")
	}
	return out
}
