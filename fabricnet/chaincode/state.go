package chaincode

import (
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// state is the contract's view of the peer's state for one call. What the contract writes is held back until it has agreed to the call.
type state struct {
	stub   shim.ChaincodeStubInterface
	known  map[string][]byte // read already
	writes []write
	name   string // of the event
	event  []byte
	err    error // of the event, which cannot tell
}

type write struct {
	key   string
	value []byte
}

func newState(stub shim.ChaincodeStubInterface) *state {
	return &state{stub: stub, known: map[string][]byte{}}
}

// Prefetch reads keys a thousand at a time, where each takes a round trip to the peer by itself.
func (s *state) Prefetch(keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	values, err := s.stub.GetMultipleStates(keys...)
	if err != nil {
		return fmt.Errorf("reading %d keys of the state: %w", len(keys), err)
	}
	if len(values) != len(keys) {
		return fmt.Errorf("reading %d keys of the state: the peer gave %d values", len(keys), len(values))
	}
	for i, key := range keys {
		s.known[key] = values[i]
	}
	return nil
}

// Get returns nil for a key that has no value.
func (s *state) Get(key string) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	value, read := s.known[key]
	if !read {
		var err error
		if value, err = s.stub.GetState(key); err != nil {
			return nil, err
		}
	}
	if len(value) == 0 {
		return nil, nil
	}
	return value, nil
}

// Put notes a write. Fabric would take an empty value for a deletion.
func (s *state) Put(key string, value []byte) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if len(value) == 0 {
		return fmt.Errorf("state key %q: value is empty", key)
	}
	s.writes = append(s.writes, write{key, value})
	return nil
}

// Range reads everything with the prefix. A peer hands out so many results and no more, without saying that there are others, so after what it gave it is asked for
// what comes next, until that is nothing.
func (s *state) Range(prefix string, fn func(key string, value []byte) error) error {
	if err := checkKey(prefix); err != nil {
		return err
	}
	return s.from(prefix, prefix, fn)
}

// RangeAfter is Range from behind a key on. It stops where fn does.
func (s *state) RangeAfter(prefix, behind string, fn func(key string, value []byte) error) error {
	if err := errors.Join(checkKey(prefix), checkKey(behind)); err != nil {
		return err
	}
	start := prefix
	if behind >= prefix {
		start = behind + "\x00"
	}
	return s.from(prefix, start, fn)
}

// from reads what a prefix has from a key on.
func (s *state) from(prefix, start string, fn func(key string, value []byte) error) error {
	end := after(prefix)
	for {
		last, err := s.page(start, end, fn)
		if err != nil || last == "" {
			return err
		}
		start = last + "\x00"
	}
}

// page reads what the peer gives of a range, and returns the last key.
func (s *state) page(start, end string, fn func(key string, value []byte) error) (last string, err error) {
	results, err := s.stub.GetStateByRange(start, end)
	if err != nil {
		return "", fmt.Errorf("reading range from %q: %w", start, err)
	}
	defer func() {
		if closed := results.Close(); err == nil {
			err = closed
		}
	}()
	for results.HasNext() {
		kv, err := results.Next()
		if err != nil {
			return "", fmt.Errorf("reading range from %q: %w", start, err)
		}
		if kv.Key < start || kv.Key >= end || kv.Key <= last {
			return "", fmt.Errorf("reading range from %q: the peer gave key %q after %q", start, kv.Key, last)
		}
		last = kv.Key
		if err := fn(kv.Key, kv.Value); err != nil {
			return "", err
		}
	}
	return last, nil
}

// after is the first key behind all keys with the prefix.
func after(prefix string) string {
	end := []byte(prefix)
	end[len(end)-1]++ // below 0x7f, see checkKey
	return string(end)
}

// Event notes the call's event.
func (s *state) Event(name string, payload []byte) {
	switch {
	case s.name != "":
		s.err = fmt.Errorf("a second event, %s after %s", name, s.name)
	case name == "" || len(payload) > ledger.MaxEventPayload:
		s.err = fmt.Errorf("event %q: payload has %d bytes, at most %d", name, len(payload), ledger.MaxEventPayload)
	}
	s.name, s.event = name, payload
}

// commit hands a call's writes and event to the peer, if the contract agreed to it.
func (s *state) commit(result []byte, err error) (*peer.Response, error) {
	if err == nil {
		err = s.err
	}
	if err != nil {
		return nil, err
	}
	s.stub.StartWriteBatch()
	for _, w := range s.writes {
		if err := s.stub.PutState(w.key, w.value); err != nil {
			return nil, fmt.Errorf("writing state %s: %w", w.key, err)
		}
	}
	if err := s.stub.FinishWriteBatch(); err != nil {
		return nil, fmt.Errorf("writing state: %w", err)
	}
	if s.name != "" {
		if err := s.stub.SetEvent(s.name, s.event); err != nil {
			return nil, fmt.Errorf("putting event %s: %w", s.name, err)
		}
	}
	return shim.Success(result), nil
}

// checkKey accepts printable ASCII but the last character, so that a prefix has a next one. Fabric has other plans for control characters.
func checkKey(key string) error {
	if key == "" {
		return errors.New("state key: is empty")
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] >= 0x7e {
			return fmt.Errorf("state key: %q holds a character that is not printable ASCII", key)
		}
	}
	return nil
}
