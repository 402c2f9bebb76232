package verdict

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"strings"
)

// Style is the style sheet of a printed document, which the page shows it with too.
//
//go:embed verdict.css
var Style string

// Source names a script or a style sheet of a page in its Content-Security-Policy.
func Source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// HTML is the document as a page of its own: no script, nothing to fetch, laid out for paper too.
func (d *Document) HTML() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src %s; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width">
<title>%s</title>
<style>%s</style>
<main class="verdict">
<h1>%s</h1>
<p class="answer %s">%s</p>
`, Source(Style), escaped(d.Title), Style, escaped(d.Title), d.Tone, escaped(d.Answer))
	for _, p := range d.Lead {
		fmt.Fprintf(&b, "<p>%s</p>\n", escaped(p))
	}
	for i := range d.Sections {
		d.Sections[i].html(&b)
	}
	b.WriteString("</main>\n</html>\n")
	return b.String()
}

func (s *Section) html(b *strings.Builder) {
	fmt.Fprintf(b, "<section>\n<h2>%s</h2>\n", escaped(s.Title))
	if len(s.Rows) > 0 {
		b.WriteString("<table>\n")
		for _, r := range s.Rows {
			class := string(r.Tone)
			if r.Exact {
				class = "exact"
			}
			fmt.Fprintf(b, "<tr><th scope=\"row\">%s</th><td class=\"%s\">%s</td></tr>\n", escaped(r.Label), class, escaped(r.Text))
		}
		b.WriteString("</table>\n")
	}
	if len(s.Notes) > 0 {
		b.WriteString("<ul>\n")
		for _, n := range s.Notes {
			fmt.Fprintf(b, "<li>%s</li>\n", escaped(n))
		}
		b.WriteString("</ul>\n")
	}
	b.WriteString("</section>\n")
}

func escaped(s string) string { return html.EscapeString(s) }
