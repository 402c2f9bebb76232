package verify

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/fxamacker/cbor/v2"

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

var bundleEncoding, bundleDecoding = func() (cbor.EncMode, cbor.DecMode) {
	e, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	d, err := cbor.DecOptions{
		MaxArrayElements: MaxBundleChunks,
		MaxNestedLevels:  4,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return e, d
}()

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
	return bundleEncoding.Marshal(w)
}

// ParseBundle reads a bundle. It takes one encoding only: what decodes to the
// same bundle but is written differently is refused, so that no byte of a
// bundle can be changed unseen.
func ParseBundle(b []byte) (*Bundle, error) {
	if len(b) > MaxBundleBytes {
		return nil, fmt.Errorf("bundle: longer than %d bytes", MaxBundleBytes)
	}
	var w wireBundle
	if err := bundleDecoding.Unmarshal(b, &w); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	if w.Version != BundleVersion {
		return nil, fmt.Errorf("bundle: version is %q, want %q", w.Version, BundleVersion)
	}
	out, err := w.bundle()
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	again, err := out.Marshal()
	if err != nil || !bytes.Equal(again, b) {
		return nil, errors.New("bundle: not in canonical form")
	}
	return out, nil
}

func (w *wireBundle) bundle() (*Bundle, error) {
	out := &Bundle{Holds: w.Holds}
	var err error
	if out.Statement, err = statement.Parse(w.Statement); err != nil {
		return nil, err
	}
	for i, c := range w.Chunks {
		if i > 0 && c.Index <= w.Chunks[i-1].Index {
			return nil, fmt.Errorf("chunk %d comes after chunk %d", c.Index, w.Chunks[i-1].Index)
		}
		p, err := ParseChunkProof(c.Proof)
		if err != nil {
			return nil, fmt.Errorf("chunk %d: %w", c.Index, err)
		}
		out.Chunks = append(out.Chunks, IndexedChunkProof{c.Index, p})
	}
	for i, f := range w.Fleet {
		p, err := ParseFleetProof(f)
		if err != nil {
			return nil, fmt.Errorf("fleet proof %d: %w", i, err)
		}
		out.Fleet = append(out.Fleet, p)
	}
	for _, d := range w.Disclosed {
		if len(d) > statement.ValueBits/8 {
			return nil, fmt.Errorf("a disclosed total has %d bytes, at most %d", len(d), statement.ValueBits/8)
		}
		out.Disclosed = append(out.Disclosed, new(big.Int).SetBytes(d))
	}
	return out, nil
}

// BundleStatement reads the statement of a bundle without verifying anything.
func BundleStatement(b []byte) (*statement.Statement, error) {
	bundle, err := ParseBundle(b)
	if err != nil {
		return nil, err
	}
	return bundle.Statement, nil
}
