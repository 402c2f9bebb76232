package cli

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

// Printer is all the output of a command. Results go to Out, as text or, if JSON is set, as one JSON object a line. Notes
// and progress go to Notes, always as text. Nothing is coloured.
type Printer struct {
	In    io.Reader
	Out   io.Writer
	Notes io.Writer
	JSON  bool
}

// Object prints a result as JSON. Give every kind of object a field "kind" so that a reader of lines can tell them apart.
func (p *Printer) Object(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	_, err = p.Out.Write(append(line, '\n'))
	return err
}

// Line prints one line of a result.
func (p *Printer) Line(format string, args ...any) error {
	_, err := fmt.Fprintf(p.Out, format+"\n", args...)
	return err
}

// Result prints v with --json, and the line otherwise.
func (p *Printer) Result(v any, format string, args ...any) error {
	if p.JSON {
		return p.Object(v)
	}
	return p.Line("%s", Printable(fmt.Sprintf(format, args...)))
}

// Note prints one line that is no result.
func (p *Printer) Note(format string, args ...any) {
	fmt.Fprintln(p.Notes, Printable(fmt.Sprintf(format, args...))) //nolint:errcheck // there is nobody else to tell
}

// Live says whether someone watches the notes on a terminal, so that progress is worth showing.
func (p *Printer) Live() bool {
	f, ok := p.Notes.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Watched shows how much of r has been read, if that is worth showing.
func (p *Printer) Watched(r io.Reader, size int64, title string) io.Reader {
	const soon = 16 << 20 // bytes that are read before anyone wonders
	if !p.Live() || size < soon {
		return r
	}
	bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(p.Notes), progressbar.OptionSetDescription(title),
		progressbar.OptionShowBytes(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	reader := progressbar.NewReader(r, bar)
	return &reader
}

// Table prints rows under a header. Columns of numbers are aligned to the right.
func (p *Printer) Table(header []string, rows [][]string) error {
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
		if err := p.Line("%s", Printable(strings.TrimRight(strings.Join(cells, "  "), " "))); err != nil {
			return err
		}
	}
	return nil
}

func numeric(text string) bool { return text != "" && strings.Trim(text, "0123456789.-+") == "" }

// Printable replaces what could steer a terminal.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// Progress shows how much of a long step is done: a bar for someone who watches, nothing otherwise. The returned function is told how much of the
// total is done; it clears the bar when all is.
func (p *Printer) Progress(title string, total int) func(done int) {
	if !p.Live() {
		return func(int) {}
	}
	bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(p.Notes), progressbar.OptionSetDescription(title),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return func(done int) {
		bar.Set(done) //nolint:errcheck // a bar that cannot be drawn is no reason to stop
	}
}
