package audit

import (
	"fmt"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"

	"github.com/assay-net/assay/fabricnet/audit/wire"
)

// checkReads says whether everything that a transaction read is still so: in the version that it read, and by nothing written earlier in its block. It gives Fabric's codes.
func (s *state) checkReads(sets []namespaceSet) (wire.TxValidationCode, error) {
	for _, n := range sets {
		for _, r := range n.public.Reads {
			if !s.unchanged(publicKey(n.name, r.Key), r.Version) {
				return wire.TxValidationCode_MVCC_READ_CONFLICT, nil
			}
		}
		for _, q := range n.public.RangeQueriesInfo {
			same, err := s.sameRange(n.name, q)
			if err != nil {
				return 0, err
			}
			if !same {
				return wire.TxValidationCode_PHANTOM_READ_CONFLICT, nil
			}
		}
		for _, c := range n.collections {
			for _, r := range c.hashed.HashedReads {
				if !s.unchanged(hashedKey(n.name, c.name, r.KeyHash), r.Version) {
					return wire.TxValidationCode_MVCC_READ_CONFLICT, nil
				}
			}
		}
	}
	return wire.TxValidationCode_VALID, nil
}

// errWalked says that the range queries of a block cover more than is walked.
var errWalked = fmt.Errorf("the hashed range queries of its block cover more than %d keys", maxWalked)

func (s *state) unchanged(key []byte, read *kvrwset.Version) bool {
	if s.touched[string(key)] {
		return false
	}
	now, _ := s.get(key)
	if now == nil || read == nil {
		return now == nil && read == nil
	}
	return now.block == read.BlockNum && now.tx == read.TxNum
}

// sameRange walks a range again, with what the block wrote so far, and compares keys and versions with what was recorded: all of them, or the top of a tree of hashes.
// A range that was not read to its end includes its end, which is the last key that was seen.
func (s *state) sameRange(namespace string, q *kvrwset.RangeQueryInfo) (bool, error) {
	comparison := newComparison(q)
	walk := func(key string, v version, _ []byte) (bool, error) {
		if comparison.tree != nil {
			if s.walked++; s.walked > maxWalked {
				return false, errWalked
			}
		}
		return comparison.next(&kvrwset.KVRead{Key: key, Version: &kvrwset.Version{BlockNum: v.block, TxNum: v.tx}})
	}
	if err := s.scan(namespace, q.StartKey, q.EndKey, walk); err != nil {
		return false, err
	}
	if !q.ItrExhausted && !comparison.failed {
		if v, _ := s.get(publicKey(namespace, q.EndKey)); v != nil && q.EndKey != "" {
			if _, err := walk(q.EndKey, *v, nil); err != nil {
				return false, err
			}
		}
	}
	return comparison.done()
}

// comparison holds a walk against a record of one.
type comparison struct {
	raw    []*kvrwset.KVRead
	tree   *readsTree
	want   *kvrwset.QueryReadsMerkleSummary
	failed bool
}

func newComparison(q *kvrwset.RangeQueryInfo) *comparison {
	if want := q.GetReadsMerkleHashes(); want != nil {
		c := &comparison{want: want, tree: newReadsTree(want.MaxDegree)}
		c.failed = c.tree == nil
		return c
	}
	return &comparison{raw: q.GetRawReads().GetKvReads()}
}

func (c *comparison) next(r *kvrwset.KVRead) (more bool, err error) {
	switch {
	case c.failed:
	case c.tree != nil:
		err = c.tree.add(r)
	case len(c.raw) == 0 || c.raw[0].Key != r.Key || c.raw[0].GetVersion().GetBlockNum() != r.Version.BlockNum || c.raw[0].GetVersion().GetTxNum() != r.Version.TxNum:
		c.failed = true
	default:
		c.raw = c.raw[1:]
	}
	return !c.failed && err == nil, err
}

func (c *comparison) done() (bool, error) {
	if c.failed {
		return false, nil
	}
	if c.tree == nil {
		return len(c.raw) == 0, nil
	}
	return c.tree.matches(c.want)
}
