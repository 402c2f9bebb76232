package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// chain is a ledger with nothing but events. It ends where a real one would wait.
type chain struct {
	ledger.Client
	events []ledger.Event
}

var errEnd = errors.New("the end")

func (c chain) Events(_ context.Context, from, _ uint64) iter.Seq2[ledger.Event, error] {
	return func(yield func(ledger.Event, error) bool) {
		for _, e := range c.events {
			if e.Height >= from && !yield(e, nil) {
				return
			}
		}
		yield(ledger.Event{}, errEnd)
	}
}

func txID(n int) string { return fmt.Sprintf("%064x", n) }

// events are of transactions 0 to n-1, three to a block, from block 1 on.
func events(n int) (all []ledger.Event) {
	for i := range n {
		all = append(all, ledger.Event{Height: uint64(i/3 + 1), TxID: txID(i), Name: ledger.EventAnchored})
	}
	return all
}

func TestFollowFromEveryCursor(t *testing.T) {
	c := chain{events: events(8)}
	for done := range 9 {
		var after ledger.Cursor
		if done > 0 {
			after = ledger.Cursor{Height: c.events[done-1].Height, TxID: c.events[done-1].TxID}
		}
		var got []ledger.Event
		err := ledger.Follow(t.Context(), c, after, func(e ledger.Event, p ledger.Cursor) error {
			if p.Height != e.Height || p.TxID != e.TxID {
				t.Errorf("position of %v is %v", e, p)
			}
			got = append(got, e)
			return nil
		})
		if !errors.Is(err, errEnd) {
			t.Errorf("after %d: %v", done, err)
		}
		if diff := cmp.Diff(c.events[done:], got[:len(got):len(got)], cmp.Comparer(sameEvents)); diff != "" {
			t.Errorf("after %d: %s", done, diff)
		}
	}
}

func sameEvents(a, b []ledger.Event) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func TestFollowBehindAWholeBlock(t *testing.T) {
	var got []string
	err := ledger.Follow(t.Context(), chain{events: events(8)}, ledger.Cursor{Height: 2}, func(e ledger.Event, _ ledger.Cursor) error {
		got = append(got, e.TxID)
		return nil
	})
	if diff := cmp.Diff([]string{txID(6), txID(7)}, got); diff != "" || !errors.Is(err, errEnd) {
		t.Errorf("%v %s", err, diff)
	}
}

// A handler that is killed at any event, and keeps positions with effects, sees each event once.
func TestFollowAfterAHandlerFails(t *testing.T) {
	c, position := chain{events: events(8)}, ledger.FileCursor{Path: filepath.Join(t.TempDir(), "position")}
	seen := map[string]int{}
	for range len(c.events) {
		after, err := position.Load()
		if err != nil {
			t.Fatal(err)
		}
		killed := errors.New("killed")
		handled := 0
		err = ledger.Follow(t.Context(), c, after, func(e ledger.Event, p ledger.Cursor) error {
			if handled++; handled > 1 {
				return killed
			}
			seen[e.TxID]++
			return position.Save(p)
		})
		if !errors.Is(err, killed) && !errors.Is(err, errEnd) {
			t.Fatal(err)
		}
	}
	for _, e := range c.events {
		if seen[e.TxID] != 1 {
			t.Errorf("%s came %d times", e.TxID, seen[e.TxID])
		}
	}
}

func TestFollowFromACursorOfAnotherLedger(t *testing.T) {
	err := ledger.Follow(t.Context(), chain{events: events(8)}, ledger.Cursor{Height: 1, TxID: txID(77)}, func(ledger.Event, ledger.Cursor) error {
		t.Error("an event came")
		return nil
	})
	if err == nil || errors.Is(err, errEnd) || !strings.Contains(err.Error(), "another ledger") {
		t.Errorf("got %v", err)
	}
	if err := ledger.Follow(t.Context(), chain{}, ledger.Cursor{TxID: "x"}, nil); err == nil || errors.Is(err, errEnd) {
		t.Errorf("a position without form: %v", err)
	}
}

func TestFileCursor(t *testing.T) {
	f := ledger.FileCursor{Path: filepath.Join(t.TempDir(), "position")}
	if p, err := f.Load(); err != nil || p != (ledger.Cursor{}) {
		t.Errorf("without a file: %v, %v", p, err)
	}
	want := ledger.Cursor{Height: 7, TxID: txID(9)}
	for range 2 {
		if err := f.Save(want); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Load(); err != nil || got != want {
			t.Errorf("got %v, %v", got, err)
		}
	}
	if err := f.Save(ledger.Cursor{TxID: "ABC"}); err == nil {
		t.Error("a position without form is written")
	}
	for _, bad := range []string{"", "{}", `{"height":-1,"tx_id":""}`, `{"height":1,"tx_id":"x"}`, `{"height":1,"tx_id":""} `, strings.Repeat("1", 300)} {
		if err := os.WriteFile(f.Path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Load(); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}
