package verify

import (
	"errors"
	"fmt"
)

// Failure names what a key, a ledger's facts or a bundle was refused for. The names are part of the format: zk/SPEC.md
// lists them with the order of the checks behind them, and any verifier that follows it gives the same name for the same
// input, whatever its errors say in words.
type Failure string

// Why a key is refused.
const (
	KeyDuplicate   Failure = "key-duplicate"   // its circuit id has a key already
	KeySetup       Failure = "key-setup"       // its setup is none that is known
	KeyStatusWrong Failure = "key-status"      // its status is none that a ledger writes
	KeyMismatch    Failure = "key-digest"      // its bytes do not have its digest
	CircuitUnknown Failure = "circuit-unknown" // its circuit id is none that is known
	KeyEncoding    Failure = "key-encoding"    // its bytes are not a key of that circuit
)

// Why a bundle is refused, in the order of the checks.
const (
	BundleEncoding   Failure = "bundle-encoding" // not a bundle in its one encoding
	StatementInvalid Failure = "statement"       // its statement is not in canonical form, or asks what cannot be asked
	FactsInvalid     Failure = "facts"           // the ledger's facts contradict themselves
	SubjectMismatch  Failure = "subject"         // the statement is about another fleet, epoch or schema than the facts
	CoverageTooLow   Failure = "coverage"        // too few of the enrolled devices are attested
	KeyClassRefused  Failure = "key-class"       // a device's key lives where the statement does not accept it
	ChunksMismatch   Failure = "chunks"          // other chunks are proven than are anchored
	ChainLength      Failure = "chain"           // too few fleet proofs, or too many
	ProofEncoding    Failure = "proof-encoding"  // a proof is not in its one encoding
	AnchorInvalid    Failure = "anchor"          // an anchored commitment is not a finite point
	KeyUnknown       Failure = "key-unknown"     // no key is pinned for a circuit
	KeyRevoked       Failure = "key-revoked"     // a circuit's key is revoked
	MaskRejected     Failure = "mask"            // the proof of representation of M does not hold
	ChunkRejected    Failure = "chunk-proof"     // a chunk's Groth16 proof does not hold
	OpeningRejected  Failure = "opening"         // the anchored commitment does not open to the proven value
	ResultsMismatch  Failure = "results"         // other results are given than are asked for
	PopulationDiffer Failure = "population"      // the disclosed population is not the count of attestations
	FleetRejected    Failure = "fleet-proof"     // a fleet's Groth16 proof does not hold
)

// Failures lists all names.
func Failures() []Failure {
	return []Failure{
		KeyDuplicate, KeySetup, KeyStatusWrong, KeyMismatch, CircuitUnknown, KeyEncoding,
		BundleEncoding, StatementInvalid, FactsInvalid, SubjectMismatch, CoverageTooLow, KeyClassRefused, ChunksMismatch, ChainLength, ProofEncoding,
		AnchorInvalid, KeyUnknown, KeyRevoked, MaskRejected, ChunkRejected, OpeningRejected, ResultsMismatch, PopulationDiffer, FleetRejected,
	}
}

// FailureOf names the failure behind an error of this package. It is empty for nil and for errors of other origin.
func FailureOf(err error) Failure {
	var f *failed
	if errors.As(err, &f) {
		return f.name
	}
	return ""
}

type failed struct {
	name Failure
	error
}

func (f *failed) Unwrap() error { return f.error }

// of names an error's failure. It is nil for nil, and leaves an error alone that has a name already.
func (f Failure) of(err error) error {
	if err == nil || FailureOf(err) != "" {
		return err
	}
	return &failed{f, err}
}

func (f Failure) errorf(format string, args ...any) error { return f.of(fmt.Errorf(format, args...)) }
