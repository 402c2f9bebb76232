package consent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

var one, two = commit.Digest{1}, commit.Digest{2}

func newList(t *testing.T, text string) List {
	t.Helper()
	l := List{filepath.Join(t.TempDir(), "consent")}
	if text != "" {
		if err := os.WriteFile(l.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func TestNothingIsAgreedToUnlessListed(t *testing.T) {
	l := newList(t, "")
	if err := l.Agree(one); ledger.CodeOf(err) != ledger.NotEndorsed {
		t.Errorf("no list: %v", err)
	}
	if err := l.Agree(commit.Digest{}); ledger.CodeOf(err) != ledger.NotEndorsed {
		t.Errorf("no list, zero digest: %v", err)
	}
	if err := l.Add(one, "looked at"); err != nil {
		t.Fatal(err)
	}
	if err := l.Agree(one); err != nil {
		t.Errorf("listed: %v", err)
	}
	if err := l.Agree(two); ledger.CodeOf(err) != ledger.NotEndorsed {
		t.Errorf("not listed: %v", err)
	}
	if err := os.WriteFile(l.Path, []byte("#"+one.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Agree(one); ledger.CodeOf(err) != ledger.NotEndorsed {
		t.Errorf("taken out: %v", err)
	}
}

func TestAdd(t *testing.T) {
	l := newList(t, "# by hand, no newline at the end\n"+one.String()+"\tfirst")
	for range 2 {
		if err := l.Add(two, "  second "); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Add(one, "another note"); err != nil {
		t.Fatal(err)
	}
	got, err := l.Read()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Entry{{one, "first"}, {two, "second"}}, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(l.Path)
	if err != nil || !strings.HasPrefix(string(text), "# by hand") {
		t.Errorf("the comment is gone: %q, %v", text, err)
	}
	if info, err := os.Stat(l.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAddAtOnce(t *testing.T) {
	l := List{filepath.Join(t.TempDir(), "new", "consent")}
	var g errgroup.Group
	for i := range byte(20) {
		g.Go(func() error { return l.Add(commit.Digest{i}, fmt.Sprint("number ", i)) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if entries, err := l.Read(); err != nil || len(entries) != 20 {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestAddRefuses(t *testing.T) {
	l := newList(t, "")
	for note, want := range map[string]string{
		strings.Repeat("x", MaxNote+1): "at most 256", "a\nb": "unprintable", "\xff": "UTF-8",
	} {
		if err := l.Add(one, note); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("note %q: %v", note, err)
		}
	}
	full := newList(t, strings.Repeat("#\n", MaxBytes/2))
	if err := full.Add(one, ""); err == nil || !strings.Contains(err.Error(), "would have more than") {
		t.Errorf("full list: %v", err)
	}
}

// A list that cannot be read agrees to nothing, not even to its good lines, and says which line it is.
func TestDamagedList(t *testing.T) {
	good := one.String() + "  good\n"
	for name, test := range map[string]struct{ text, want string }{
		"short digest":    {good + one.String()[1:] + "\n", "line 2: digest has 63"},
		"upper case":      {good + strings.Repeat("AB", 32) + "\n", "line 2: digest must be written in lower case"},
		"not hexadecimal": {good + strings.Repeat("xy", 32) + "\n", "line 2: digest is not hexadecimal"},
		"note too long":   {good + one.String() + " " + strings.Repeat("x", MaxNote+1), "line 2: note"},
		"control in note": {good + one.String() + " a\x1b[1m", "line 2: note"},
		"too long":        {good + strings.Repeat("#", MaxBytes), "more than"},
	} {
		l := newList(t, test.text)
		err := l.Agree(one)
		if err == nil || !strings.Contains(err.Error(), test.want) || ledger.CodeOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.Add(two, ""); err == nil {
			t.Errorf("%s: added to", name)
		}
	}
	folder := List{t.TempDir()}
	if err := folder.Agree(one); err == nil || ledger.CodeOf(err) != "" {
		t.Errorf("a folder: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(one.String() + "  note\n# comment\n\n" + two.String()))
	f.Add([]byte("#"))
	f.Fuzz(func(t *testing.T, text []byte) {
		entries, err := Parse(text)
		if err != nil {
			return
		}
		var again strings.Builder
		for _, e := range entries {
			fmt.Fprintf(&again, "%s  %s\n", e.Digest, e.Note)
		}
		back, err := Parse([]byte(again.String()))
		if again.Len() > MaxBytes {
			return // two spaces where one was
		}
		if diff := cmp.Diff(entries, back); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}
