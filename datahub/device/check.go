package device

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/commit"
)

// Enrolled says which certified device sits in a slot.
type Enrolled struct {
	Slot        uint32
	Certificate *commit.DeviceCertificate
}

// Check verifies one attestation by itself: that it is for this place and by this device, its signature and its proof.
func Check(srs *commit.SRS, place commit.Place, certificate *commit.DeviceCertificate, attestation []byte) (*commit.Attestation, error) {
	a, err := commit.ParseAttestation(attestation)
	if err != nil {
		return nil, fmt.Errorf("slot %d: %w", place.Slot, err)
	}
	if err := a.Verify(srs, place, certificate.Key); err != nil {
		return nil, err
	}
	return a, nil
}

// CheckChunk verifies a chunk's attestations and their sum, as commit.CheckChunk does for an endorser.
func CheckChunk(srs *commit.SRS, place commit.ChunkPlace, enrolled []Enrolled, attestations [][]byte, claimed bn254.G1Affine) (*commit.Checked, error) {
	keys := make([]commit.SlotKey, len(enrolled))
	for i, e := range enrolled {
		keys[i] = commit.SlotKey{Slot: e.Slot, Key: e.Certificate.Key}
	}
	return commit.CheckChunk(srs, place, keys, attestations, claimed)
}
