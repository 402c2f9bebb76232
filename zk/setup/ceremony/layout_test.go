package ceremony

import (
	"bytes"
	"os"
	"testing"

	"github.com/assay-net/assay/zk/setup/transcript"
)

// TestLayoutIsTheLibrarys: what the library writes has the layout, to the byte, and a body with one byte more or less has not.
func TestLayoutIsTheLibrarys(t *testing.T) {
	c := ceremonyAt(t, complete)
	first, _, err := c.closings()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(c.plan.Parts(transcript.FirstStage), c.plan.Parts(transcript.SecondStage)...) {
		p, err := c.part(name, first)
		if err != nil {
			t.Fatal(err)
		}
		body := bodyOf(t, c.contributionPath(name, 1))
		if int64(len(body)) != p.layout.bytes() {
			t.Errorf("%s: %d bytes, layout has %d", name, len(body), p.layout.bytes())
		}
		found, err := p.layout.scan(bytes.NewReader(body))
		if err != nil {
			t.Fatal(name, err)
		}
		if len(found.proofs) != len(p.domains) {
			t.Errorf("%s: %d proofs, %d domains", name, len(found.proofs), len(p.domains))
		}
		s := p.blank()
		if n, err := s.ReadFrom(bytes.NewReader(body)); err != nil || n != int64(len(body)) {
			t.Errorf("%s: library read %d bytes, %v", name, n, err)
		}
		var again bytes.Buffer
		if _, err := s.WriteTo(&again); err != nil || !bytes.Equal(again.Bytes(), body) {
			t.Errorf("%s: library writes something else than it read: %v", name, err)
		}
		if _, err := p.layout.scan(bytes.NewReader(body[:len(body)-1])); err == nil {
			t.Errorf("%s: cut short and accepted", name)
		}
		if _, err := p.layout.scan(bytes.NewReader(append(body, 0))); err == nil {
			t.Errorf("%s: too long and accepted", name)
		}
	}
}

func bodyOf(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b[transcript.HeaderBytes:]
}

func flip(t testing.TB, path string, offset int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[offset] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// FuzzScan: whatever a body holds, the layout decides it without the library, and what passes has the layout's length.
func FuzzScan(f *testing.F) {
	c := ceremonyAt(f, complete)
	first, _, err := c.closings()
	if err != nil {
		f.Fatal(err)
	}
	var layouts []layout
	for i, name := range append(c.plan.Parts(transcript.FirstStage), c.plan.Parts(transcript.SecondStage)...) {
		p, err := c.part(name, first)
		if err != nil {
			f.Fatal(err)
		}
		layouts = append(layouts, p.layout)
		f.Add(uint8(i), bodyOf(f, c.contributionPath(name, 1)))
	}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		l := layouts[int(which)%len(layouts)]
		if _, err := l.scan(bytes.NewReader(body)); err == nil && int64(len(body)) != l.bytes() {
			t.Errorf("%d bytes accepted, layout has %d", len(body), l.bytes())
		}
	})
}

// FuzzRead: what passes the layout makes the library fail at worst, and what it reads is what it would write or refused.
func FuzzRead(f *testing.F) {
	c := ceremonyAt(f, complete)
	p, err := c.part(twiceID, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bodyOf(f, c.contributionPath(twiceID, 1)))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := p.layout.scan(bytes.NewReader(body)); err != nil {
			return
		}
		s := p.blank()
		s.ReadFrom(bytes.NewReader(body)) //nolint:errcheck // that it returns is enough
	})
}
