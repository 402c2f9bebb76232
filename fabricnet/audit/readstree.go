package audit

import (
	"bytes"
	"crypto/sha256"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/rwset/kvrwset"
	"google.golang.org/protobuf/proto"
)

// readsTree hashes the results of a range query into the tree that Fabric records in place of more than degree of them: as soon as a level has more than degree nodes, they become one
// node of the next level.
type readsTree struct {
	degree  int
	pending []*kvrwset.KVRead
	levels  [][][]byte // levels[0] are hashes of results, the level that Fabric numbers 1
}

// newReadsTree gives nil for a degree that no tree has.
func newReadsTree(degree uint32) *readsTree {
	if degree < 2 || degree > maxDegree {
		return nil
	}
	return &readsTree{degree: int(degree), levels: make([][][]byte, 1)}
}

func (t *readsTree) add(r *kvrwset.KVRead) error {
	if t.pending = append(t.pending, r); len(t.pending) <= t.degree {
		return nil
	}
	return t.hashPending()
}

func (t *readsTree) hashPending() error {
	b, err := proto.Marshal(&kvrwset.QueryReads{KvReads: t.pending})
	if err != nil {
		return err
	}
	t.pending = nil
	sum := sha256.Sum256(b)
	t.levels[0] = append(t.levels[0], sum[:])
	for level := 0; len(t.levels[level]) > t.degree; level++ {
		if level+1 == len(t.levels) {
			t.levels = append(t.levels, nil)
		}
		t.levels[level+1] = append(t.levels[level+1], combined(t.levels[level]))
		t.levels[level] = nil
	}
	return nil
}

func combined(hashes [][]byte) []byte {
	sum := sha256.Sum256(slices.Concat(hashes...))
	return sum[:]
}

// matches completes the tree and compares its top. A tree that was never hashed matches nothing: few results are recorded as they are.
func (t *readsTree) matches(want *kvrwset.QueryReadsMerkleSummary) (bool, error) {
	if len(t.levels) == 1 && len(t.levels[0]) == 0 {
		return false, nil
	}
	top, level, err := t.top()
	return level == want.MaxLevel && slices.EqualFunc(top, want.MaxLevelHashes, bytes.Equal), err
}

// top completes the tree: what is left over below becomes part of the highest level, and that one node if it has too many.
func (t *readsTree) top() (hashes [][]byte, level uint32, err error) {
	if len(t.pending) > 0 {
		if err := t.hashPending(); err != nil {
			return nil, 0, err
		}
	}
	for level := 0; level+1 < len(t.levels); level++ {
		switch hashes := t.levels[level]; len(hashes) {
		case 0:
		case 1:
			t.levels[level+1] = append(t.levels[level+1], hashes[0])
		default:
			t.levels[level+1] = append(t.levels[level+1], combined(hashes))
		}
		t.levels[level] = nil
	}
	hashes, level = t.levels[len(t.levels)-1], uint32(len(t.levels))
	if len(hashes) > t.degree {
		hashes, level = [][]byte{combined(hashes)}, level+1
	}
	return hashes, level, nil
}
