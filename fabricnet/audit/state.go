package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// version is where a value was written: block and position in it.
type version struct {
	block uint64
	tx    uint64
}

// hashOfNothing is how Fabric records an empty private value, which it takes for none.
var hashOfNothing = func() []byte { h := sha256.Sum256(nil); return h[:] }()

const (
	versionBytes = 16
	maxStoredKey = 16 << 10
)

// state is the state while one block is gone through. touched are the keys that the block wrote already, walked counts those that hashed range queries covered.
type state struct {
	pairs   Pairs
	touched map[string]bool
	walked  int
}

// update runs fn on the state, whose changes are kept if it returns nil.
func update(s Store, fn func(*state) error) error {
	return s.Update(func(p Pairs) error { return fn(&state{pairs: p, touched: map[string]bool{}}) })
}

// publicKey and hashedKey tell namespaces, collections and keys apart by their lengths, so none can be taken for another; the first byte tells the kinds of keys apart.
// The part of a namespace is first and keeps the order of its keys.
func publicKey(namespace, key string) []byte { return append(publicPrefix(namespace), key...) }

func publicPrefix(namespace string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{'p'}, uint32(len(namespace))), namespace...)
}

func hashedKey(namespace, collection string, hash []byte) []byte {
	k := append(binary.BigEndian.AppendUint32([]byte{'h'}, uint32(len(namespace))), namespace...)
	k = append(binary.BigEndian.AppendUint32(k, uint32(len(collection))), collection...)
	return append(k, hash...)
}

// stored is the key as it is kept. Fabric has no bound for keys, the store has: a key of another chaincode that is too long is hashed, and no walk finds it.
func stored(key []byte) []byte {
	if len(key) <= maxStoredKey {
		return key
	}
	sum := sha256.Sum256(key)
	return append([]byte{'l'}, sum[:]...)
}

// get gives no version for a key that has no value. The value is good until the block is done.
func (s *state) get(key []byte) (*version, []byte) {
	stored := s.pairs.Get(stored(key))
	if len(stored) < versionBytes {
		return nil, nil
	}
	return splitVersion(stored)
}

func splitVersion(stored []byte) (*version, []byte) {
	return &version{binary.BigEndian.Uint64(stored), binary.BigEndian.Uint64(stored[8:])}, stored[versionBytes:]
}

func (s *state) put(key []byte, v version, value []byte) error {
	s.touched[string(key)] = true
	b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, versionBytes+len(value)), v.block), v.tx)
	if err := s.pairs.Put(stored(key), append(b, value...)); err != nil {
		return fmt.Errorf("keeping the audit's state: %w", err)
	}
	return nil
}

func (s *state) delete(key []byte) error {
	s.touched[string(key)] = true
	return s.pairs.Delete(stored(key))
}

// scan walks the keys of a namespace from start up to end, which is left out; an empty end has no bound.
func (s *state) scan(namespace, start, end string, fn func(key string, v version, value []byte) (more bool, err error)) error {
	prefix := publicPrefix(namespace)
	from, to := publicKey(namespace, start), publicKey(namespace, end)
	for k, stored := range s.pairs.From(from) {
		if !bytes.HasPrefix(k, prefix) || end != "" && bytes.Compare(k, to) >= 0 {
			return nil
		}
		v, value := splitVersion(stored)
		if more, err := fn(string(k[len(prefix):]), *v, value); err != nil || !more {
			return err
		}
	}
	return nil
}

// use marks a transaction id as used; isUsed looks it up. An id in a transaction that is not valid may be any text, so it is hashed.
func (s *state) use(id string) error { return s.pairs.Put(usedKey(id), []byte{1}) }

func (s *state) isUsed(id string) bool { return s.pairs.Get(usedKey(id)) != nil }

func usedKey(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return append([]byte{'u'}, sum[:]...)
}

// apply takes over what a valid transaction wrote. Metadata alone changes a key's version, as on Fabric.
func (s *state) apply(sets []namespaceSet, v version) error {
	for _, n := range sets {
		for _, w := range n.public.Writes {
			if err := s.write(publicKey(n.name, w.Key), v, w.Value, w.IsDelete || len(w.Value) == 0); err != nil {
				return err
			}
		}
		for _, w := range n.public.MetadataWrites {
			if err := s.renew(publicKey(n.name, w.Key), v); err != nil {
				return err
			}
		}
		for _, c := range n.collections {
			if err := s.applyCollection(n.name, c, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *state) applyCollection(namespace string, c collectionSet, v version) error {
	for _, w := range c.hashed.HashedWrites {
		if err := s.write(hashedKey(namespace, c.name, w.KeyHash), v, w.ValueHash, w.IsDelete || w.IsPurge || len(w.ValueHash) == 0 || bytes.Equal(w.ValueHash, hashOfNothing)); err != nil {
			return err
		}
	}
	for _, w := range c.hashed.MetadataWrites {
		if err := s.renew(hashedKey(namespace, c.name, w.KeyHash), v); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) write(key []byte, v version, value []byte, deleted bool) error {
	if deleted {
		return s.delete(key)
	}
	return s.put(key, v, value)
}

// renew gives an existing value a new version.
func (s *state) renew(key []byte, v version) error {
	old, value := s.get(key)
	if old == nil || *old == v {
		return nil
	}
	return s.put(key, v, bytes.Clone(value))
}
