package audit

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
)

// namespaceSet is what a transaction read and wrote in one namespace.
type namespaceSet struct {
	name        string
	public      *kvrwset.KVRWSet
	collections []collectionSet
}

// collectionSet is what it read and wrote in a collection of private data, as hashes.
type collectionSet struct {
	name   string
	hashed *kvrwset.HashedRWSet
}

// written is where a transaction writes in one namespace, without what. It is what is kept of a read-write set until its transaction's turn comes.
type written struct {
	name             string
	public, metadata bool
	collections      []string
}

// decodeRWSet decodes all of a read-write set. Its parts are messages in messages, so the bound is one for each of them.
func decodeRWSet(encoded []byte) ([]namespaceSet, error) {
	m := new(rwset.TxReadWriteSet)
	if err := decode("read-write set", encoded, m, nil); err != nil {
		return nil, err
	}
	left := maxElements
	out := make([]namespaceSet, len(m.NsRwset))
	for i, n := range m.NsRwset {
		var err error
		if out[i], err = decodeNamespace(n, &left); err != nil {
			return nil, fmt.Errorf("read-write set of %.64q: %w", n.GetNamespace(), err)
		}
	}
	return out, nil
}

func decodeNamespace(n *rwset.NsReadWriteSet, left *int) (namespaceSet, error) {
	out := namespaceSet{name: n.GetNamespace(), public: new(kvrwset.KVRWSet)}
	if err := decodeWithin("public", n.GetRwset(), out.public, left); err != nil {
		return out, err
	}
	for _, c := range n.GetCollectionHashedRwset() {
		h := new(kvrwset.HashedRWSet)
		if err := decodeWithin("collection", c.GetHashedRwset(), h, left); err != nil {
			return out, err
		}
		out.collections = append(out.collections, collectionSet{c.GetCollectionName(), h})
	}
	return out, nil
}

// written summarises a set; ok is false if nothing is written.
func (n *namespaceSet) written() (w written, ok bool) {
	w = written{name: n.name, public: n.writesPublic(), metadata: len(n.public.MetadataWrites) > 0}
	for _, c := range n.collections {
		if c.writes() {
			w.collections = append(w.collections, c.name)
			w.metadata = w.metadata || len(c.hashed.MetadataWrites) > 0
		}
	}
	return w, w.public || len(w.collections) > 0
}

// writesPublic reports whether a key or its metadata is written, writes whether anything is.
func (n *namespaceSet) writesPublic() bool {
	return len(n.public.Writes) > 0 || len(n.public.MetadataWrites) > 0
}

func (n *namespaceSet) writes() bool {
	for _, c := range n.collections {
		if c.writes() {
			return true
		}
	}
	return n.writesPublic()
}

func (c *collectionSet) writes() bool {
	return len(c.hashed.HashedWrites) > 0 || len(c.hashed.MetadataWrites) > 0
}
