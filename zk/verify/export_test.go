package verify

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// VerifyChain runs the check of the chain of fleet proofs by itself, on hidden
// outputs that no chunk was proven for.
func VerifyChain(b *Bundle, facts *Facts, keys *Keyring, outputs []fr.Element) error {
	c := &checker{bundle: b, facts: facts, keys: keys, digest: b.Statement.Digest(facts.Ledger), outputs: outputs}
	return c.fleet()
}

// SRSGenerators are the generators that a parsed SRS key opens with.
func SRSGenerators(k *Keyring) (g1, g2 any) { return k.srsKey.key.G1, k.srsKey.key.G2[0] }
