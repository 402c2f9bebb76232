package health

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of a table, checked before anything is decoded.
const (
	maxLineBytes = 64 << 10
	maxColumns   = 256
	maxRows      = 20_000_000
)

// FormatError says that a file cannot be read as the format it is said to be in.
type FormatError struct {
	// Line is the line of the file, from 1.
	Line   int
	Reason string
}

func (e *FormatError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// table reads a comma-separated file row by row. A row is a line: a quoted cell cannot hold a line break, so one damaged quote
// costs one row.
type table struct {
	in      *bufio.Reader
	journal *journal
	header  []string
	line    int
}

// newTable reads the header. A byte order mark before it is skipped.
func newTable(r io.Reader, j *journal) (*table, error) {
	t := &table{in: bufio.NewReaderSize(r, maxLineBytes), journal: j}
	text, err := t.nextLine()
	if errors.Is(err, io.EOF) {
		return nil, &FormatError{1, "the file is empty"}
	}
	if err != nil {
		return nil, err
	}
	cells, err := split(strings.TrimPrefix(text, "\ufeff"))
	if err != nil {
		return nil, &FormatError{t.line, "header: " + err.Error()}
	}
	for i, name := range cells {
		cells[i] = strings.TrimSpace(name)
	}
	t.header = cells
	return t, nil
}

// next returns the cells of the next row that has as many as the header. Rows that have not are reported and passed over. The
// error is io.EOF at the end.
func (t *table) next() ([]string, error) {
	for {
		text, err := t.nextLine()
		if err != nil {
			return nil, err
		}
		if t.line > maxRows {
			return nil, &FormatError{t.line, fmt.Sprintf("more than %d lines", maxRows)}
		}
		cells, err := split(text)
		switch {
		case strings.TrimSpace(text) == "":
			if t.atEnd() {
				return nil, io.EOF
			}
			t.leaveOut(EmptyLine, "the line is empty")
		case err != nil:
			t.leaveOut(BadQuoting, err.Error())
		case len(cells) != len(t.header):
			t.leaveOut(RaggedRow, fmt.Sprintf("%d cells where the header has %d", len(cells), len(t.header)))
		default:
			return cells, nil
		}
	}
}

func (t *table) leaveOut(code Code, reason string) {
	t.journal.add(Issue{t.line, "", Excluded, code, reason, rowLeftOut})
}

// nextLine returns the next line without its end, be it LF or CR LF.
func (t *table) nextLine() (string, error) {
	text, err := t.in.ReadSlice('\n')
	t.line++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", &FormatError{t.line, fmt.Sprintf("the line is longer than %d bytes", maxLineBytes)}
	case errors.Is(err, io.EOF) && len(text) > 0:
	case err != nil:
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r"), nil
}

func (t *table) atEnd() bool {
	_, err := t.in.Peek(1)
	return errors.Is(err, io.EOF)
}

// split takes a line apart.
func split(line string) ([]string, error) {
	if n := strings.Count(line, ",") + 1; n > maxColumns {
		return nil, fmt.Errorf("%d columns, at most %d", n, maxColumns)
	}
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ","), nil
	}
	cells, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, errors.New("the quotes do not match")
	}
	return cells, nil
}
