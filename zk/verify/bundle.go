package verify

import (
	"fmt"
	"math/big"

	"github.com/assay-net/assay/zk/commit/canonical"
	"github.com/assay-net/assay/zk/statement"
)

// Bounds of a bundle.
const (
	BundleVersion   = "assay-bundle/v1"
	MaxBundleChunks = 1 << 17
	MaxBundleBytes  = 64 << 20
)

// Bundle is everything a prover sends: the statement, a proof for each anchored
// chunk, a chain of fleet proofs, and the results that the last of them shows.
// It holds no key and no fact of the ledger; a verifier has its own.
type Bundle struct {
	Statement *statement.Statement
	Chunks    []IndexedChunkProof
	Fleet     []*FleetProof
	// Holds says which claims hold; Disclosed lists the disclosed totals by
	// ascending index, the population first.
	Holds     []bool
	Disclosed []*big.Int
}

// IndexedChunkProof is a chunk's proof with its index in the fleet.
type IndexedChunkProof struct {
	Index uint32
	Proof *ChunkProof
}

type wireBundle struct {
	_         struct{} `cbor:",toarray"`
	Version   string
	Statement []byte
	Chunks    []wireChunk
	Fleet     [][]byte
	Holds     []bool
	Disclosed [][]byte
}

type wireChunk struct {
	_     struct{} `cbor:",toarray"`
	Index uint32
	Proof []byte
}

var bundleEncoding = canonical.New(MaxBundleChunks, 4)

// Marshal encodes the bundle as deterministic CBOR.
func (b *Bundle) Marshal() ([]byte, error) {
	w := wireBundle{
		Version: BundleVersion, Statement: b.Statement.Canonical(),
		Chunks: make([]wireChunk, len(b.Chunks)), Fleet: make([][]byte, len(b.Fleet)),
		Holds: append([]bool{}, b.Holds...), Disclosed: make([][]byte, len(b.Disclosed)),
	}
	for i, c := range b.Chunks {
		w.Chunks[i] = wireChunk{Index: c.Index, Proof: c.Proof.Marshal()}
	}
	for i, p := range b.Fleet {
		w.Fleet[i] = p.Marshal()
	}
	for i, v := range b.Disclosed {
		w.Disclosed[i] = v.Bytes()
	}
	return bundleEncoding.Marshal(w), nil
}

// ParseBundle reads a bundle. Every value has one encoding: what decodes to the
// same bundle but is written differently is refused. (A bundle's bytes are no
// identity all the same: anybody can turn a Groth16 proof into another proof of
// the same statement.)
func ParseBundle(b []byte) (*Bundle, error) {
	w, out, err := openBundle(b)
	if err != nil {
		return nil, err
	}
	if err := w.proofs(out); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return out, nil
}

// openBundle reads everything but the proofs, whose points take time.
func openBundle(b []byte) (*wireBundle, *Bundle, error) {
	w := new(wireBundle)
	if err := bundleEncoding.Unmarshal("bundle", b, MaxBundleBytes, w); err != nil {
		return nil, nil, BundleEncoding.of(err)
	}
	if w.Version != BundleVersion {
		return nil, nil, BundleEncoding.errorf("bundle: version is %q, want %q", w.Version, BundleVersion)
	}
	out := &Bundle{Holds: w.Holds}
	var err error
	if out.Statement, err = statement.Parse(w.Statement); err != nil {
		return nil, nil, StatementInvalid.errorf("bundle: %w", err)
	}
	for i, c := range w.Chunks {
		if i > 0 && c.Index <= w.Chunks[i-1].Index {
			return nil, nil, BundleEncoding.errorf("bundle: chunk %d comes after chunk %d", c.Index, w.Chunks[i-1].Index)
		}
	}
	for _, d := range w.Disclosed {
		if len(d) > statement.ValueBits/8 || (len(d) > 0 && d[0] == 0) {
			return nil, nil, BundleEncoding.errorf("bundle: a disclosed total of %d bytes is not a shortest number of at most %d", len(d), statement.ValueBits/8)
		}
		out.Disclosed = append(out.Disclosed, new(big.Int).SetBytes(d))
	}
	return w, out, nil
}

func (w *wireBundle) proofs(out *Bundle) error {
	for _, c := range w.Chunks {
		p, err := ParseChunkProof(c.Proof)
		if err != nil {
			return ProofEncoding.errorf("chunk %d: %w", c.Index, err)
		}
		out.Chunks = append(out.Chunks, IndexedChunkProof{c.Index, p})
	}
	for i, f := range w.Fleet {
		p, err := ParseFleetProof(f)
		if err != nil {
			return ProofEncoding.errorf("fleet proof %d: %w", i, err)
		}
		out.Fleet = append(out.Fleet, p)
	}
	return nil
}

// BundleStatement reads the statement of a bundle without verifying anything.
func BundleStatement(b []byte) (*statement.Statement, error) {
	_, bundle, err := openBundle(b)
	if err != nil {
		return nil, err
	}
	return bundle.Statement, nil
}
