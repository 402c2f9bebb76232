package commit

import (
	"fmt"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/rfc6962"
)

// MerkleRoot is the RFC 6962 tree head (SHA-256) over the leaves in their order. Endorsers file the attestations that
// they checked under it.
func MerkleRoot(leaves [][]byte) (Digest, error) {
	if len(leaves) == 0 {
		return Digest(rfc6962.DefaultHasher.EmptyRoot()), nil
	}
	tree := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for i, leaf := range leaves {
		if err := tree.Append(rfc6962.DefaultHasher.HashLeaf(leaf), nil); err != nil {
			return Digest{}, fmt.Errorf("hashing leaf %d: %w", i, err)
		}
	}
	root, err := tree.GetRootHash(nil)
	if err != nil {
		return Digest{}, fmt.Errorf("hashing root: %w", err)
	}
	return Digest(root), nil
}
