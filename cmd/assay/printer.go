package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// printer is all the output of a command. Results go to out, as text or, with --json, as one JSON object a line. Notes
// and progress go to notes, always as text. Nothing is coloured.
type printer struct {
	in    io.Reader
	out   io.Writer
	notes io.Writer
	json  bool
}

// object prints a result as JSON. Give every kind of object a field "kind" so that a reader of lines can tell them apart.
func (p *printer) object(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	_, err = p.out.Write(append(line, '\n'))
	return err
}

// line prints one line of a result.
func (p *printer) line(format string, args ...any) error {
	_, err := fmt.Fprintf(p.out, format+"\n", args...)
	return err
}

// note prints one line that is no result.
func (p *printer) note(format string, args ...any) {
	fmt.Fprintf(p.notes, format+"\n", args...)
}

// live says whether someone watches the notes on a terminal, so that progress is worth showing.
func (p *printer) live() bool {
	f, ok := p.notes.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// watched shows how much of r has been read, if that is worth showing.
func (p *printer) watched(r io.Reader, size int64, title string) io.Reader {
	const soon = 16 << 20 // bytes that are read before anyone wonders
	if !p.live() || size < soon {
		return r
	}
	bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(p.notes), progressbar.OptionSetDescription(title),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	reader := progressbar.NewReader(r, bar)
	return &reader
}

// table prints rows under a header. Columns of numbers are aligned to the right.
func (p *printer) table(header []string, rows [][]string) error {
	width := make([]int, len(header))
	right := make([]bool, len(header))
	for i, name := range header {
		width[i] = utf8.RuneCountInString(name)
		right[i] = len(rows) > 0
		for _, row := range rows {
			width[i] = max(width[i], utf8.RuneCountInString(row[i]))
			right[i] = right[i] && numeric(row[i])
		}
	}
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			gap := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if cells[i] = cell + gap; right[i] {
				cells[i] = gap + cell
			}
		}
		if err := p.line("%s", strings.TrimRight(strings.Join(cells, "  "), " ")); err != nil {
			return err
		}
	}
	return nil
}

func numeric(text string) bool { return text != "" && strings.Trim(text, "0123456789.-+") == "" }

// printable replaces what could steer a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
