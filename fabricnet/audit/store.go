package audit

import (
	"iter"
	"slices"
	"strings"
)

// Store keeps what the blocks of a channel add up to while they are gone through: the state of all namespaces with versions, and the transaction ids that were used. It is nobody's record and
// is thrown away when the audit ends. One in memory grows with the channel; package statefile has one in a temporary file.
type Store interface {
	// Update runs fn on what is kept. What fn changes is kept if it returns nil; if it does not, the store is only closed.
	Update(fn func(Pairs) error) error
	// Close throws all away.
	Close() error
}

// Pairs are keys of 1 byte to 16 KiB with values that are not empty, in the order of the keys' bytes. What is read is good until Update returns, and must not be changed.
type Pairs interface {
	// Get gives nil for a key that has no value.
	Get(key []byte) []byte
	// Put keeps a value, which must not be changed afterwards.
	Put(key, value []byte) error
	Delete(key []byte) error
	// From runs over the keys from one on. Nothing is put or deleted meanwhile.
	From(key []byte) iter.Seq2[[]byte, []byte]
}

// maxRun bounds how many keys are moved for a new one.
const maxRun = 1 << 10

// memory is the store of an audit that brings none: values by key, and the keys in order, in runs. No run is empty.
type memory struct {
	values map[string][]byte
	runs   [][]string
}

func inMemory() (Store, error) { return &memory{values: map[string][]byte{}}, nil }

func (m *memory) Update(fn func(Pairs) error) error { return fn(m) }

func (m *memory) Close() error { return nil }

func (m *memory) Get(key []byte) []byte { return m.values[string(key)] }

// place is the run that a key is in or belongs to, and where in it.
func (m *memory) place(key string) (run, at int) {
	run, _ = slices.BinarySearchFunc(m.runs, key, func(run []string, key string) int { return strings.Compare(run[len(run)-1], key) })
	if run == len(m.runs) {
		return run, 0
	}
	at, _ = slices.BinarySearch(m.runs[run], key)
	return run, at
}

func (m *memory) Put(key, value []byte) error {
	k := string(key)
	if _, there := m.values[k]; !there {
		m.insert(k)
	}
	m.values[k] = value
	return nil
}

func (m *memory) insert(key string) {
	run, at := m.place(key)
	switch {
	case len(m.runs) == 0:
		m.runs = [][]string{{key}}
		return
	case run == len(m.runs): // behind all
		run--
		at = len(m.runs[run])
	}
	m.runs[run] = slices.Insert(m.runs[run], at, key)
	if full := m.runs[run]; len(full) > maxRun {
		half := len(full) / 2
		m.runs[run] = slices.Clone(full[:half])
		m.runs = slices.Insert(m.runs, run+1, slices.Clone(full[half:]))
	}
}

func (m *memory) Delete(key []byte) error {
	k := string(key)
	if _, there := m.values[k]; !there {
		return nil
	}
	delete(m.values, k)
	run, at := m.place(k)
	if m.runs[run] = slices.Delete(m.runs[run], at, at+1); len(m.runs[run]) == 0 {
		m.runs = slices.Delete(m.runs, run, run+1)
	}
	return nil
}

func (m *memory) From(key []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		run, at := m.place(string(key))
		for ; run < len(m.runs); run, at = run+1, 0 {
			for _, k := range m.runs[run][at:] {
				if !yield([]byte(k), m.values[k]) {
					return
				}
			}
		}
	}
}
