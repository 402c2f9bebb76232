package server

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

// Keys are remembered for a day, and no more than so many.
func TestKeysAreForgotten(t *testing.T) {
	now := time.Unix(0, 0)
	k := newKeyTable(func() time.Time { return now })
	name := func(i int) (n [32]byte) {
		binary.BigEndian.PutUint64(n[:], uint64(i))
		return n
	}
	for i := range maxKeys + 10 {
		if !k.claim(name(i), [32]byte{1}) {
			t.Fatalf("key %d is not new", i)
		}
		k.release(name(i), true)
	}
	if len(k.entries) != maxKeys || k.order.Len() != maxKeys {
		t.Errorf("%d keys are remembered", len(k.entries))
	}
	if k.claim(name(maxKeys), [32]byte{2}) {
		t.Error("a key is taken for another call")
	}
	now = now.Add(keyAge + time.Second)
	if !k.claim(name(maxKeys), [32]byte{2}) || len(k.entries) != 1 {
		t.Errorf("a day later %d keys are remembered", len(k.entries))
	}
}

// A page ends for its size, and goes on behind the last entry that it holds.
func TestPageEndsForItsSize(t *testing.T) {
	entries := []string{"a", "b", "c", "d", "e"}
	render := func(s *string) (*assayv1.Policy, error) {
		return &assayv1.Policy{Text: strings.Repeat(*s, maxPageBytes/2-100)}, nil
	}
	position := func(s *string) string { return *s }
	page, next, err := fit(entries, "z", render, position)
	if err != nil || len(page) != 2 || next != "b" {
		t.Errorf("%d entries, next is %q, %v", len(page), next, err)
	}
	page, next, err = fit(entries[4:], "z", render, position)
	if err != nil || len(page) != 1 || next != "z" {
		t.Errorf("the last: %d entries, next is %q, %v", len(page), next, err)
	}
	large := func(*string) (*assayv1.Policy, error) {
		return &assayv1.Policy{Text: strings.Repeat("x", 2*maxPageBytes)}, nil
	}
	if page, _, err := fit(entries, "z", large, position); err != nil || len(page) != 1 || proto.Size(page[0]) < maxPageBytes {
		t.Errorf("an entry larger than a page: %d entries, %v", len(page), err)
	}
}
