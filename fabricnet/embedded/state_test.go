package embedded

import (
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/embedded/sealed"
)

// withState runs on a ledger whose state holds a=1 and ab=2, both of version (7, 0).
func withState(t *testing.T, fn func(s *simulation, view stateView)) {
	t.Helper()
	n := newNetwork(t)
	if err := n.db.Update(func(tx *bbolt.Tx) error {
		view := stateView{tx.Bucket(bucketState)}
		for key, value := range map[string]string{"a": "1", "ab": "2"} {
			if err := view.put(key, version{Height: 7}, []byte(value)); err != nil {
				return err
			}
		}
		fn(simulate(view), view)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// As on Fabric, a transaction does not see its own writes.
func TestSimulationDoesNotShowItsOwnWrites(t *testing.T) {
	withState(t, func(s *simulation, _ stateView) {
		if err := s.Put("a", []byte("x")); err != nil {
			t.Fatal(err)
		}
		if err := s.Put("abc", []byte("y")); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Get("a"); string(v) != "1" || err != nil {
			t.Errorf("Get shows %q, %v", v, err)
		}
		if v, err := s.Get("abc"); v != nil || err != nil {
			t.Errorf("Get shows %q, %v", v, err)
		}
		var seen []string
		err := s.Range("a", func(key string, value []byte) error {
			seen = append(seen, key+"="+string(value))
			return nil
		})
		if got := strings.Join(seen, " "); got != "a=1 ab=2" || err != nil {
			t.Errorf("Range shows %q, %v", got, err)
		}
		s.Event("done", []byte("{}"))
		out, err := s.outcome(nil)
		if err != nil || len(out.Writes) != 2 || out.Writes[0].Key != "a" || len(out.Reads) != 2 || out.Reads[0].Version.Height != 7 || out.Reads[1].Version.Height != 0 {
			t.Errorf("outcome is %+v, %v", out, err)
		}
	})
}

func TestSimulationTakesWhatFabricTakes(t *testing.T) {
	withState(t, func(s *simulation, view stateView) {
		for _, key := range []string{"", "a b", "a\x00", "ä", strings.Repeat("x", sealed.MaxKey+1)} {
			if s.Put(key, []byte("x")) == nil {
				t.Errorf("key %q is taken", key)
			}
		}
		if s.Put("a", nil) == nil {
			t.Error("an empty value is taken")
		}
		if s.Range("", nil) == nil {
			t.Error("everything may be read")
		}
		for name, events := range map[string][]string{"two events": {"a", "b"}, "an event without a name": {""}} {
			s := simulate(view)
			for _, e := range events {
				s.Event(e, nil)
			}
			if _, err := s.outcome(nil); err == nil {
				t.Errorf("%s are taken", name)
			}
		}
		if (reader{view}).Put("a", []byte("x")) == nil {
			t.Error("a reader writes")
		}
	})
}

func TestDamagedStateIsAnError(t *testing.T) {
	withState(t, func(s *simulation, view stateView) {
		if err := view.bucket.Put([]byte("b"), []byte("short")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get("b"); err == nil {
			t.Error("a value without version is read")
		}
		if err := s.Range("b", func(string, []byte) error { return nil }); err == nil {
			t.Error("a value without version is read")
		}
	})
}
