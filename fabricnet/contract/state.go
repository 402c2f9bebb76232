package contract

import (
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// get reads a record, or nil if there is none. A record that does not decode is damage, not a refusal.
func get[T any](s State, key string) (*T, error) {
	b, err := s.Get(key)
	if err != nil {
		return nil, fmt.Errorf("reading state %s: %w", key, err)
	}
	if len(b) == 0 {
		return nil, nil
	}
	return ledger.DecodeRecord[T]("state "+key, b)
}

// exists reads a key without its record.
func exists(s State, key string) (bool, error) {
	b, err := s.Get(key)
	if err != nil {
		return false, fmt.Errorf("reading state %s: %w", key, err)
	}
	return len(b) != 0, nil
}

func put(s State, key string, record any) error {
	if err := s.Put(key, ledger.Encode(record)); err != nil {
		return fmt.Errorf("writing state %s: %w", key, err)
	}
	return nil
}

// scan reads the records under a prefix in order of key. The rest is the key behind the prefix.
func scan[T any](s State, prefix string, fn func(rest string, record *T) error) error {
	return s.Range(prefix, func(key string, value []byte) error {
		record, err := ledger.DecodeRecord[T]("state "+key, value)
		if err != nil {
			return err
		}
		return fn(key[len(prefix):], record)
	})
}

// hexDigest reads a digest that is part of a key.
func hexDigest(text string) (d commit.Digest, err error) {
	err = d.UnmarshalText([]byte(text))
	return d, err
}

// fleet reads a fleet that must exist.
func fleet(s State, id string) (*ledger.Fleet, error) {
	if err := ledger.CheckID("fleet", id); err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	f, err := get[ledger.Fleet](s, ledger.FleetKey(id))
	if err == nil && f == nil {
		return nil, ledger.Refuse(ledger.NotFound, "fleet %s is not registered", id)
	}
	return f, err
}

// ownFleet reads a fleet that must be the caller's.
func (r *run) ownFleet(id string) (*ledger.Fleet, error) {
	f, err := fleet(r.state, id)
	if err != nil {
		return nil, err
	}
	if f.Owner != r.caller() {
		return nil, ledger.Refuse(ledger.Forbidden, "fleet %s belongs to %s, not to %s", id, f.Owner, r.caller())
	}
	return f, nil
}

func checkChunk(index uint32) error {
	if index >= ledger.MaxChunks {
		return ledger.Refuse(ledger.Invalid, "chunk: %d must be below %d", index, ledger.MaxChunks)
	}
	return nil
}
