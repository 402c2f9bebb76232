package verify

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// Public inputs of the circuits, without the constant wire.
const (
	chunkPublic = 5
	// FleetPublic: inputs, folded, T, binding, coefficients, bounds, results,
	// disclosure flags and values.
	FleetPublic = FleetInputs + 3 + 4*10 + 4 + 4 + 10 + 10
)

// chunkCommitted are the public and earlier-commitment values that each
// in-circuit commitment's challenge covers, as Groth16's key numbers them: the
// link covers cd, the lookups cover the link's challenge.
var chunkCommitted = [][]int{{1}, {chunkPublic + 1}}

// EncodeChunkKey encodes the verifying key of a chunk circuit. It refuses a
// key whose commitments cover anything else than this package checks.
func EncodeChunkKey(vk *VerifyingKey) ([]byte, error) {
	if len(vk.K) != chunkPublic+1+len(chunkCommitted) || len(vk.Commitments) != len(chunkCommitted) || fmt.Sprint(vk.Covered) != fmt.Sprint(chunkCommitted) {
		return nil, fmt.Errorf("verifying key has %d public points and %d commitments that cover %v, want %d, and %d that cover %v",
			len(vk.K), len(vk.Commitments), vk.Covered, chunkPublic+1+len(chunkCommitted), len(chunkCommitted), chunkCommitted)
	}
	return encodeKey(vk), nil
}

// EncodeFleetKey encodes the verifying key of the fleet circuit.
func EncodeFleetKey(vk *VerifyingKey) ([]byte, error) {
	if len(vk.K) != FleetPublic+1 || len(vk.Commitments) != 0 {
		return nil, fmt.Errorf("verifying key has %d public points and %d commitments, want %d and none",
			len(vk.K), len(vk.Commitments), FleetPublic+1)
	}
	return encodeKey(vk), nil
}

func encodeKey(vk *VerifyingKey) []byte {
	w := &writer{}
	w.point(&vk.Alpha)
	w.point2(&vk.Beta)
	w.point2(&vk.Gamma)
	w.point2(&vk.Delta)
	for i := range vk.K {
		w.point(&vk.K[i])
	}
	for i := range vk.Commitments {
		w.point2(&vk.Commitments[i].Generator)
		w.point2(&vk.Commitments[i].Secret)
	}
	return w.b
}

// decodeKey reads a key of a known shape. No point of it may be infinity: a
// public input whose point is, is bound by nothing.
func decodeKey(b []byte, public int, committed [][]int) (*circuitKey, error) {
	r := &reader{b: b}
	vk := new(VerifyingKey)
	vk.Alpha = r.point("alpha")
	vk.Beta = r.point2("beta")
	vk.Gamma = r.point2("gamma")
	vk.Delta = r.point2("delta")
	vk.K = make([]bn254.G1Affine, public+1+len(committed))
	for i := range vk.K {
		vk.K[i] = r.point(fmt.Sprintf("point of public input %d", i))
	}
	vk.Commitments = make([]CommitmentKey, len(committed))
	for i := range vk.Commitments {
		vk.Commitments[i] = CommitmentKey{Generator: r.point2("commitment key"), Secret: r.point2("commitment key")}
	}
	vk.Covered = committed
	if err := r.end(); err != nil {
		return nil, err
	}
	if err := checkShape(vk); err != nil {
		return nil, err
	}
	return newCircuitKey(vk), nil
}

// checkShape refuses keys that no honest setup makes. With one secret behind
// both commitments, or with gamma equal to delta, values of one part of the
// proof could be moved into another.
func checkShape(vk *VerifyingKey) error {
	g := []bn254.G2Affine{vk.Beta, vk.Gamma, vk.Delta}
	for i := range vk.Commitments {
		if vk.Commitments[i].Generator != vk.Commitments[0].Generator {
			return errors.New("the commitments' keys have different generators")
		}
		g = append(g, vk.Commitments[i].Secret)
	}
	for i := range g {
		for j := range i {
			if g[i].Equal(&g[j]) {
				return errors.New("two of the key's secrets are equal")
			}
		}
	}
	return nil
}
