package contracttest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// State is a ledger state in memory.
type State struct{ values map[string][]byte }

// NewState is empty.
func NewState() *State { return &State{values: map[string][]byte{}} }

// Value reads what was committed.
func (s *State) Value(key string) []byte { return s.values[key] }

// Keys lists what was committed, in order.
func (s *State) Keys() []string { return slices.Sorted(maps.Keys(s.values)) }

// Begin starts a transaction, which sees what was committed and not what it writes.
func (s *State) Begin() *Transaction {
	return &Transaction{state: s, Reads: map[string]bool{}, Writes: map[string][]byte{}}
}

// Transaction implements contract.State.
type Transaction struct {
	state *State
	// Reads are the keys that were read one by one, and the prefixes that were ranged over.
	Reads  map[string]bool
	Writes map[string][]byte
	// Name and Payload are the event's.
	Name    string
	Payload []byte
	// Failure is the first thing that Fabric would not take.
	Failure error
}

// Get does not see Put, as on Fabric. Reading a key that was written is reported in Failure: the contract must not rely on it.
func (t *Transaction) Get(key string) ([]byte, error) {
	if _, ok := t.Writes[key]; ok {
		t.fail(fmt.Errorf("reads %s, which it wrote", key))
	}
	t.Reads[key] = true
	return bytes.Clone(t.state.values[key]), nil
}

// Put takes a key once.
func (t *Transaction) Put(key string, value []byte) error {
	if _, ok := t.Writes[key]; ok {
		t.fail(fmt.Errorf("writes %s twice", key))
	}
	if key == "" || len(value) == 0 {
		t.fail(fmt.Errorf("writes %q with %d bytes", key, len(value)))
	}
	t.Writes[key] = bytes.Clone(value)
	return nil
}

// Range is in ascending order.
func (t *Transaction) Range(prefix string, fn func(key string, value []byte) error) error {
	t.Reads[prefix] = true
	for key := range t.Writes {
		if strings.HasPrefix(key, prefix) {
			t.fail(fmt.Errorf("reads %s, which it wrote", key))
		}
	}
	for _, key := range t.state.Keys() {
		if strings.HasPrefix(key, prefix) {
			if err := fn(key, bytes.Clone(t.state.values[key])); err != nil {
				return err
			}
		}
	}
	return nil
}

// Event takes one.
func (t *Transaction) Event(name string, payload []byte) {
	if t.Name != "" {
		t.fail(errors.New("puts a second event"))
	}
	t.Name, t.Payload = name, bytes.Clone(payload)
}

func (t *Transaction) fail(err error) {
	if t.Failure == nil {
		t.Failure = err
	}
}

// Commit applies the writes.
func (t *Transaction) Commit() { maps.Copy(t.state.values, t.Writes) }
