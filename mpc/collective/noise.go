package collective

import "math/big"

// The noise budget, computed with integers from the parameters. The package documentation says what each bound is for and gives the values.

// sumNoise bounds a coefficient of the noise of a sum, e*u + e0 + e1*s over all its inputs, when every party is honest.
func (p *Params) sumNoise(inputs, parts int) *big.Int {
	perInput := 2*p.N()*parts*errorBound*secretBound + errorBound
	return big.NewInt(int64(inputs * perInput))
}

// forgedNoise is the same when all parties but one prove the longest vectors that their proofs let pass.
func (p *Params) forgedNoise(inputs, parts int) *big.Int {
	longest := big.NewInt(2 * maskBound)
	pair := new(big.Int).Mul(longest, longest)
	pair.Mul(pair, big.NewInt(int64(2*p.N()*inputs*parts)))
	return pair.Add(pair, new(big.Int).Mul(longest, big.NewInt(int64(inputs))))
}

// openingBound is the most that T_k times an opened coefficient, centred, can be with so many shares: sum of the residues, and T_k times all noise.
func (p *Params) openingBound(k, shares int) *big.Int {
	switching := int64(2*p.N()*errorBound*secretBound + errorBound)
	noise := new(big.Int).Lsh(big.NewInt(1), floodBits-1)
	noise.Add(noise, big.NewInt(switching))
	noise.Mul(noise, big.NewInt(int64(shares)))
	noise.Add(noise, p.forgedNoise(MaxOwners, MaxOwners+1))
	noise.Add(noise, big.NewInt(MaxOwners)) // the residues, each below T_k
	return noise.Mul(noise, new(big.Int).SetUint64(p.plain[k]))
}
