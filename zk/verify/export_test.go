package verify

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
)

// VerifyChain runs the check of the chain of fleet proofs by itself, on hidden
// outputs that no chunk was proven for.
func VerifyChain(b *Bundle, facts *Facts, keys *Keyring, outputs []fr.Element) error {
	c := &checker{bundle: b, facts: facts, keys: keys, digest: b.Statement.Digest(facts.Ledger), outputs: outputs}
	return c.fleet()
}

// VerifyInGroups is VerifyBundle with so many chunks checked together.
func VerifyInGroups(bundle []byte, facts *Facts, keys *Keyring, atOnce int) error {
	c, err := newChecker(bundle, facts, keys)
	if err != nil {
		return err
	}
	c.atOnce = atOnce
	return c.proofs()
}

// HoldTogether reports whether the bundle's proofs hold together, with weights
// made from the numbers drawn.
func HoldTogether(bundle []byte, facts *Facts, keys *Keyring, draw func() fr.Element) (bool, error) {
	c, err := newChecker(bundle, facts, keys)
	if err != nil {
		return false, err
	}
	parameters, err := c.bundle.Statement.Parameters()
	if err != nil {
		return false, err
	}
	joiners, _, err := c.joiners(0, len(c.outputs), parameters)
	if err != nil {
		return false, err
	}
	return holdTogether(joiners, draw)
}

// SRSGenerators are the generators that a parsed SRS key opens with.
func SRSGenerators(k *Keyring) (g1, g2 any) { return k.srsKey.key.G1, k.srsKey.key.G2[0] }

// Groth16Check is what a circuit's verifier is given.
type Groth16Check struct {
	Key    *VerifyingKey
	Proof  *Groth16Proof
	Public fr.Vector
}

// Groth16Checks are those of a bundle over a few chunks, chunks first.
func Groth16Checks(bundle []byte, facts *Facts, keys *Keyring) ([]Groth16Check, error) {
	c, err := newChecker(bundle, facts, keys)
	if err != nil {
		return nil, err
	}
	parameters, err := c.bundle.Statement.Parameters()
	if err != nil {
		return nil, err
	}
	joiners, _, err := c.joiners(0, len(c.outputs), parameters)
	var out []Groth16Check
	for _, j := range joiners {
		switch check := j.(type) {
		case *chunkCheck:
			out = append(out, Groth16Check{check.key.VerifyingKey, &check.proof.Groth16, check.public})
		case *fleetCheck:
			out = append(out, Groth16Check{check.key.VerifyingKey, &check.proof.Groth16, check.public})
		}
	}
	return out, err
}

// Alone checks the proof by itself.
func (c *Groth16Check) Alone() error { return c.Key.check(c.Proof, c.Public) }

// Together checks it as one of many are.
func (c *Groth16Check) Together() (bool, error) {
	return holdTogether([]joiner{c}, commit.NewWeights(nil).Next)
}

func (c *Groth16Check) join(e *equations) error {
	return e.groth16(newCircuitKey(c.Key), c.Proof, c.Public)
}
