package blockfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func file(t testing.TB, blocks ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, b := range blocks {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	return out.Bytes()
}

func readAll(b []byte) (blocks [][]byte, err error) {
	r := NewReader(bytes.NewReader(b))
	for block, err := range r.All() {
		if err != nil {
			if _, again := r.Next(); !errors.Is(again, err) {
				return blocks, errors.New("an error does not stay")
			}
			return blocks, err
		}
		blocks = append(blocks, block)
	}
	_, err = r.Next()
	return blocks, err
}

func TestRoundTrip(t *testing.T) {
	blocks := [][]byte{{1}, bytes.Repeat([]byte{2}, 127), bytes.Repeat([]byte{3}, 128), bytes.Repeat([]byte{4}, 300_000)}
	got, err := readAll(file(t, blocks...))
	if err != io.EOF {
		t.Fatal(err)
	}
	if diff := cmp.Diff(blocks, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusals(t *testing.T) {
	whole := file(t, []byte("first"), bytes.Repeat([]byte("x"), 200))
	for name, c := range map[string]struct {
		file []byte
		text string
		cut  bool
	}{
		"empty":              {nil, "begin", false},
		"part of the magic":  {[]byte(Magic[:5]), "begin", false},
		"another magic":      {[]byte("assay-blocks/v2\nxxxx"), "begin", false},
		"cut in a block":     {whole[:len(whole)-1], "cut off", true},
		"cut in a length":    {whole[:len(Magic)+1+5+1], "cut off", true},
		"empty block":        {[]byte(Magic + "\x00"), "none", false},
		"long length":        {[]byte(Magic + "\xff\xff\xff\xff\x7f"), "more than", false},
		"endless length":     {[]byte(Magic + "\xff\xff\xff\xff\xff\xff"), "more than", false},
		"block over the max": {[]byte(Magic + "\x81\x80\x80\x40"), "more than", false},
		"length of a gap":    {[]byte(Magic + "\x85\x00first"), "shortest", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(c.file)
			if err == io.EOF || err == nil || !strings.Contains(err.Error(), c.text) || errors.Is(err, io.ErrUnexpectedEOF) != c.cut {
				t.Errorf("%v, want %q", err, c.text)
			}
		})
	}
	var out bytes.Buffer
	if err := NewWriter(&out).Write(nil); err == nil || out.Len() > 0 {
		t.Error("an empty block is written")
	}
}

// A length that promises much costs nothing before the bytes come.
func TestLengthAloneTakesNoMemory(t *testing.T) {
	promise := []byte(Magic + "\xff\xff\xff\x3f")
	if n := testing.AllocsPerRun(10, func() {
		if _, err := readAll(promise); err == io.EOF {
			t.Error("a promise is a block")
		}
	}); n > 100 {
		t.Errorf("%v allocations", n)
	}
}

// A source that breaks behind a block has not ended, whatever its error wraps.
func TestBrokenSource(t *testing.T) {
	broken := fmt.Errorf("connection reset: %w", io.EOF)
	var last error
	n := 0
	for _, err := range NewReader(io.MultiReader(bytes.NewReader(file(t, []byte("first"))), iotest.ErrReader(broken))).All() {
		last = err
		n++
	}
	if n != 2 || !errors.Is(last, broken) {
		t.Errorf("%d steps, the last with %v", n, last)
	}
}

func TestWriterStaysBroken(t *testing.T) {
	w := NewWriter(failing{})
	first, second := w.Write([]byte("a")), w.Write([]byte("b"))
	if first == nil || !errors.Is(second, first) {
		t.Errorf("%v, then %v", first, second)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }

func FuzzReader(f *testing.F) {
	f.Add(file(f, []byte("first"), bytes.Repeat([]byte("x"), 200)))
	f.Add([]byte(Magic + "\x85\x00first"))
	f.Add([]byte(Magic + "\xff\xff\xff\x3f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks, err := readAll(b)
		if err == io.EOF && !bytes.Equal(b, file(t, blocks...)) && len(blocks) > 0 {
			t.Error("two files of the same blocks")
		}
	})
}
