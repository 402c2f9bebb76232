package audit

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kept is a memory beside a map of what it ought to keep.
type kept struct {
	*memory
	t      *testing.T
	want   map[string][]byte
	random *rand.Rand
}

// change puts or deletes a key, and reads it.
func (m *kept) change(deletes int, value []byte) {
	m.t.Helper()
	key := fmt.Appendf(nil, "%04d", m.random.IntN(10_000))
	var err error
	if m.random.IntN(10) < deletes {
		delete(m.want, string(key))
		err = m.Delete(key)
	} else {
		m.want[string(key)] = value
		err = m.Put(key, value)
	}
	if got := m.Get(key); err != nil || string(got) != string(m.want[string(key)]) {
		m.t.Fatalf("%s is %x, %v", key, got, err)
	}
}

// check walks from somewhere.
func (m *kept) check() {
	m.t.Helper()
	from := fmt.Sprintf("%04d", m.random.IntN(12_000))
	var want, got []string
	for _, k := range slices.Sorted(maps.Keys(m.want)) {
		if k >= from {
			want = append(want, k+"="+string(m.want[k]))
		}
	}
	for k, v := range m.From([]byte(from)) {
		got = append(got, string(k)+"="+string(v))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Fatal(diff)
	}
}

// Memory keeps what a map keeps, in the order of keys, over runs that fill and empty.
func TestMemory(t *testing.T) {
	m := &kept{&memory{values: map[string][]byte{}}, t, map[string][]byte{}, rand.New(rand.NewPCG(1, 2))}
	for _, deletes := range []int{1, 5, 9, 10} { // of ten
		for i := range 12_000 {
			m.change(deletes, binary.BigEndian.AppendUint32(nil, uint32(i)))
		}
		m.check()
	}
	for _, k := range slices.Collect(maps.Keys(m.want)) {
		delete(m.want, k)
		if err := m.Delete([]byte(k)); err != nil {
			t.Fatal(err)
		}
	}
	for range m.From(nil) {
		t.Error("something is left")
	}
	if len(m.runs) != 0 || len(m.values) != 0 {
		t.Errorf("%d runs are left, %d values", len(m.runs), len(m.values))
	}
}
