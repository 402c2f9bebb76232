package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// printer is all the output of a command. Results go to out, as text or, with --json, as one JSON object a line. Notes
// and progress go to notes, always as text. What other machines said is printed without what could steer a terminal.
type printer struct {
	out   io.Writer
	notes io.Writer
	json  bool
}

// object prints a result as JSON. Every kind of object has a field "kind", so that a reader of lines can tell them apart.
func (p *printer) object(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	_, err = p.out.Write(append(line, '\n'))
	return err
}

// result prints v with --json, and the line otherwise.
func (p *printer) result(v any, format string, args ...any) error {
	if p.json {
		return p.object(v)
	}
	_, err := fmt.Fprintln(p.out, printable(fmt.Sprintf(format, args...)))
	return err
}

// note prints one line that is no result.
func (p *printer) note(format string, args ...any) {
	fmt.Fprintln(p.notes, printable(fmt.Sprintf(format, args...)))
}

// table prints rows under a header.
func (p *printer) table(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		fmt.Fprintln(w, printable(strings.Join(row, "\t"))) //nolint:errcheck // Flush returns it
	}
	return w.Flush()
}

// progress shows how much of a long step is done: a bar for someone who watches, nothing otherwise.
func (p *printer) progress(title string, total int64) func(done int64) {
	if f, ok := p.notes.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int64) {}
	}
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.notes), progressbar.OptionSetDescription(title),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return func(done int64) {
		bar.Set64(done) //nolint:errcheck // a bar that cannot be drawn is no reason to stop
	}
}

// printable replaces what could steer a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
