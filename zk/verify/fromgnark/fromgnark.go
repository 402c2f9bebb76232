// Package fromgnark turns what gnark proves and sets up into package verify's own proofs and keys. Whoever makes proofs or keys needs it; a verifier does
// not, and so contains neither circuits nor a prover.
//
// It copies points and checks nothing of them: an encoded key or proof is checked where it is parsed.
package fromgnark

import (
	"slices"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/assay-net/assay/zk/verify"
)

// Proof is the proof.
func Proof(p *groth16.Proof) verify.Groth16Proof {
	return verify.Groth16Proof{Ar: p.Ar, Bs: p.Bs, Krs: p.Krs, Commitments: slices.Clone(p.Commitments), CommitmentPok: p.CommitmentPok}
}

// Key is the verifying key.
func Key(vk *groth16.VerifyingKey) *verify.VerifyingKey {
	out := &verify.VerifyingKey{
		Alpha: vk.G1.Alpha, Beta: vk.G2.Beta, Gamma: vk.G2.Gamma, Delta: vk.G2.Delta,
		K: slices.Clone(vk.G1.K), Covered: vk.PublicAndCommitmentCommitted,
	}
	for _, k := range vk.CommitmentKeys {
		out.Commitments = append(out.Commitments, verify.CommitmentKey{Generator: k.G, Secret: k.GSigmaNeg})
	}
	return out
}

// EncodeChunkKey is [verify.EncodeChunkKey] of the key.
func EncodeChunkKey(vk *groth16.VerifyingKey) ([]byte, error) { return verify.EncodeChunkKey(Key(vk)) }

// EncodeFleetKey is [verify.EncodeFleetKey] of the key.
func EncodeFleetKey(vk *groth16.VerifyingKey) ([]byte, error) { return verify.EncodeFleetKey(Key(vk)) }
