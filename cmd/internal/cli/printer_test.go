package cli

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTable(t *testing.T) {
	var out bytes.Buffer
	p := &Printer{Out: &out}
	if err := p.Table([]string{"cell", "peak °C", "note"}, [][]string{{"A", "9.5", "x"}, {"longer", "-10.25", ""}}); err != nil {
		t.Fatal(err)
	}
	want := "cell    peak °C  note\n" +
		"A           9.5  x\n" +
		"longer   -10.25\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestPrintable(t *testing.T) {
	if got := Printable("a\x1b[31m\u202eb\n°C"); got != "a\uFFFD[31m\uFFFDb\n°C" {
		t.Errorf("%q", got)
	}
}

func TestWhatIsPrintedSteersNoTerminal(t *testing.T) {
	var out, notes bytes.Buffer
	p := &Printer{Out: &out, Notes: &notes}
	p.Note("a\x1b[31m\u202eb")
	if err := p.Result(nil, "%s", "c\x1bd"); err != nil {
		t.Fatal(err)
	}
	if notes.String() != "a\uFFFD[31m\uFFFDb\n" || out.String() != "c\uFFFDd\n" {
		t.Errorf("%q %q", notes.String(), out.String())
	}
}
