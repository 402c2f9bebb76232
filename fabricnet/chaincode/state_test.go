package chaincode

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// A peer cuts long ranges off and does not say so.
func TestRangeIsReadToItsEnd(t *testing.T) {
	for _, limit := range []int{0, 1, 3, 4, 10} {
		f := &fakeStub{values: map[string][]byte{"a": {1}, "b0": {1}, "c": {1}}, limit: limit}
		var want, got []string
		for i := range 10 {
			key := fmt.Sprintf("b/%02d", i)
			f.values[key] = []byte(key)
			want = append(want, key)
		}
		err := newState(f).Range("b/", func(key string, value []byte) error {
			if key != string(value) {
				t.Errorf("%s has the value %s", key, value)
			}
			got = append(got, key)
			return nil
		})
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("limit %d: %v (-want +got):\n%s", limit, err, diff)
		}
		if f.open != 0 {
			t.Errorf("limit %d: %d iterators are open", limit, f.open)
		}
	}
}

func TestRangeStops(t *testing.T) {
	stop := errors.New("enough")
	f := &fakeStub{values: map[string][]byte{"b/1": {1}, "b/2": {1}}}
	if err := newState(f).Range("b/", func(string, []byte) error { return stop }); !errors.Is(err, stop) || f.open != 0 {
		t.Errorf("%v, %d iterators are open", err, f.open)
	}
	f.wrong = true
	err := newState(f).Range("b/", func(string, []byte) error { return nil })
	if err == nil || !strings.Contains(err.Error(), `gave key "b/1" after "b/2"`) {
		t.Errorf("wrong order: %v", err)
	}
}

func TestKeys(t *testing.T) {
	s := newState(&fakeStub{values: map[string][]byte{"there": {1}, "empty": {}}})
	for _, key := range []string{"", "\x00a", "a\x1f", "a\x7f", "a~", "é"} {
		if _, err := s.Get(key); err == nil {
			t.Errorf("Get(%q) was taken", key)
		}
		if err := s.Put(key, []byte{1}); err == nil {
			t.Errorf("Put(%q) was taken", key)
		}
		if err := s.Range(key, nil); err == nil {
			t.Errorf("Range(%q) was taken", key)
		}
	}
	if err := s.Put("a", nil); err == nil {
		t.Error("an empty value was taken: it would delete")
	}
	for _, key := range []string{"empty", "missing"} {
		if v, err := s.Get(key); v != nil || err != nil {
			t.Errorf("%s: %v, %v", key, v, err)
		}
	}
}

func TestEvents(t *testing.T) {
	for name, put := range map[string]func(*state){
		"second":   func(s *state) { s.Event("a", nil); s.Event("b", nil) },
		"nameless": func(s *state) { s.Event("", nil) },
		"too long": func(s *state) { s.Event("a", make([]byte, ledger.MaxEventPayload+1)) },
	} {
		f := &fakeStub{}
		s := newState(f)
		put(s)
		if r, err := s.commit(nil, nil); err == nil || r != nil || f.event != "" {
			t.Errorf("%s: %v, %v, event %s", name, r, err, f.event)
		}
	}
}
