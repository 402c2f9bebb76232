package statement_test

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/zk/statement"
)

func seeds(f *testing.F) {
	full := asked()
	bare := asked()
	bare.Cohort, bare.Valuation, bare.Claims, bare.Disclose, bare.KeyClasses = nil, nil, nil, nil, nil
	for _, s := range []*statement.Statement{full, bare} {
		f.Add(s.Canonical())
		f.Add(append([]byte(" "), s.Canonical()...))
	}
	f.Add([]byte(`{"version":"assay-statement/v1"}`))
	f.Add([]byte(`[[[[[[`))
}

// accepted checks what holds for every statement that is read.
func accepted(t *testing.T, s *statement.Statement) {
	t.Helper()
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	again, err := statement.Parse(s.Canonical())
	if err != nil {
		t.Fatalf("its canonical encoding is refused: %v", err)
	}
	if again.Digest([32]byte{}) != s.Digest([32]byte{}) {
		t.Error("its digest changes")
	}
	p, err := s.Parameters()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Vector()) != statement.VectorSize || len(s.Text()) == 0 {
		t.Error("no parameters or no text")
	}
}

// FuzzParse: what is accepted is written again byte for byte.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := statement.Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Canonical(), b) {
			t.Errorf("written as %s, read as %s", s.Canonical(), b)
		}
		accepted(t, s)
	})
}

func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := statement.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		accepted(t, s)
	})
}
