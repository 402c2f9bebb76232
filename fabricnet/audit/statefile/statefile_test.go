package statefile_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/audit/statefile"
)

func update(t *testing.T, s audit.Store, fn func(p audit.Pairs) error) {
	t.Helper()
	if err := s.Update(fn); err != nil {
		t.Fatal(err)
	}
}

// What is put is there in order, in later updates as well, until it is deleted; and the folder goes with the store.
func TestStore(t *testing.T) {
	dir := t.TempDir()
	s, err := statefile.In(dir)()
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", 16<<10)
	update(t, s, func(p audit.Pairs) error {
		for _, k := range []string{"b", "a", "c", long, "d"} {
			if err := p.Put([]byte(k), []byte("1"+k)); err != nil {
				return err
			}
		}
		return p.Delete([]byte("d"))
	})
	update(t, s, func(p audit.Pairs) error {
		return errors.Join(p.Delete([]byte("none")), p.Delete([]byte("b")), p.Put([]byte("a"), []byte("2")))
	})
	if err := s.Update(func(audit.Pairs) error { return os.ErrInvalid }); !errors.Is(err, os.ErrInvalid) {
		t.Errorf("an error becomes %v", err)
	}
	update(t, s, func(p audit.Pairs) error { checkPairs(t, p, long); return nil })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func checkPairs(t *testing.T, p audit.Pairs, long string) {
	t.Helper()
	var got []string
	for k, v := range p.From([]byte("a")) {
		got = append(got, string(k)+"="+string(v))
	}
	if diff := cmp.Diff([]string{"a=2", "c=1c", long + "=1" + long}, got); diff != "" {
		t.Error(diff)
	}
	for k := range p.From([]byte("b")) {
		if string(k) != "c" {
			t.Errorf("behind b is %q", k)
		}
		break
	}
	if p.Get([]byte("b")) != nil || string(p.Get([]byte("c"))) != "1c" {
		t.Errorf("b is %q, c is %q", p.Get([]byte("b")), p.Get([]byte("c")))
	}
}

func TestNoFolder(t *testing.T) {
	if _, err := statefile.In(t.TempDir() + "/missing")(); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Error(err)
	}
}
