package verify

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

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
