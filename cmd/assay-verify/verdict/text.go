package verdict

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Text is the document for a terminal or a letter.
func (d *Document) Text() string {
	const label = 18
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n%s\n", d.Title, d.Answer)
	for _, p := range d.Lead {
		b.WriteString(wrapped(p, ""))
	}
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "\n%s\n", s.Title)
		for _, r := range s.Rows {
			fmt.Fprintf(&b, "  %-*s %s\n", label, r.Label, r.Text)
		}
		for _, n := range s.Notes {
			b.WriteString(wrapped(n, "  "))
		}
	}
	return b.String()
}

// wrapped breaks a paragraph at spaces.
func wrapped(text, indent string) string {
	const width = 100
	var b strings.Builder
	at := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case at == 0:
			b.WriteString(indent + word)
			at = len(indent) + n
			continue
		case at+1+n > width:
			b.WriteString("\n" + indent + word)
			at = len(indent) + n
		default:
			b.WriteString(" " + word)
			at += 1 + n
		}
	}
	return b.String() + "\n"
}
