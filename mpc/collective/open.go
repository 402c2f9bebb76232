package collective

import (
	"errors"
	"fmt"
	"math/big"
)

// ErrOpening means that shares do not open a sum: one is missing, there twice, wrong, of another sum, receiver or active set, or an owner dealt
// wrongly.
var ErrOpening = errors.New("shares do not open the sum")

// Open gives the totals of the sum's inputs: the receiver's secret, and the shares of the regulator and of every owner of one active set. The order
// of the shares does not matter. ErrOpening if they do not fit, or if what comes out is not what honest shares can give (see "What Open notices" in
// the package documentation).
func (p *Params) Open(receiver *Secret, sum *Sum, shares ...*SwitchShare) ([]*big.Int, error) {
	key, err := p.ReceiverKey(receiver)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	if sum == nil || sum.p != p {
		return nil, fmt.Errorf("opening: sum %w", errForeign)
	}
	for _, share := range shares {
		if share == nil || share.p != p {
			return nil, fmt.Errorf("opening: a share %w", errForeign)
		}
		if share.bound != bound(sum, key) || share.shape != sum.shape {
			return nil, fmt.Errorf("opening: %w: a share is for another sum or receiver", ErrOpening)
		}
	}
	if err := complete(shares); err != nil {
		return nil, fmt.Errorf("opening: %w: %w", ErrOpening, err)
	}
	return p.open(receiver, sum, shares)
}

func (p *Params) open(receiver *Secret, sum *Sum, shares []*SwitchShare) ([]*big.Int, error) {
	residues := make([][]*big.Int, sum.shape.Ciphertexts)
	secret := receiver.montgomery(p)
	defer wipe(secret)
	for k := range residues {
		noisy := p.newWords(sum.shape.Used)
		p.accumulate(noisy, sum.c0[k])
		h1 := p.ring.NewPoly()
		for _, share := range shares {
			p.accumulate(noisy, share.h0[k])
			p.ring.Add(h1, share.h1[k], h1)
		}
		p.ring.MulCoeffsMontgomery(h1, secret, h1)
		p.accumulate(noisy, p.coefficients(h1, sum.shape.Used))
		limit := p.openingBound(k, len(shares))
		for j := range sum.shape.Used {
			x := p.centred(noisy, j, p.plain[k])
			if x.CmpAbs(limit) > 0 {
				return nil, fmt.Errorf("opening: %w: total %d has more noise than honest shares give", ErrOpening, j)
			}
			residues[k] = append(residues[k], x)
		}
	}
	return p.join(residues), nil
}

// join makes totals of their residues. It refuses none: a failure that depends on totals would be seen by whoever provoked it (see "What Open notices").
func (p *Params) join(residues [][]*big.Int) []*big.Int {
	modulus := p.plainModulus(len(residues))
	totals := make([]*big.Int, len(residues[0]))
	for j := range totals {
		total := new(big.Int)
		for k, row := range residues {
			t := new(big.Int).SetUint64(p.plain[k])
			rest := new(big.Int).Div(modulus, t)
			unit := new(big.Int).ModInverse(rest, t)
			unit.Mul(unit, rest)
			total.Add(total, unit.Mul(unit, row[j]))
		}
		totals[j] = centre(total, modulus)
	}
	return totals
}
