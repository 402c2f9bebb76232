package collective

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// floodBits: the flooding of each coefficient of a share is uniform in [-2^143, 2^143).
const floodBits = 144

// SwitchShare is one party's part of the switch of a sum from the collective key to the receiver's: the used coefficients of c1*s' + b_r*u + e0 +
// flooding + ties, and the whole of a_r*u + e1, for each ciphertext. Coefficients beyond the used ones are not in it.
type SwitchShare struct {
	p      *Params
	shape  Shape
	from   Point    // 0: the regulator
	active uint16   // an owner's active set
	bound  [32]byte // which sum, to which receiver
	h0     []words
	h1     []ring.Poly
}

// SwitchShare makes the share for a sum of at least MinInputs inputs towards a receiver's key. The same key, sum and receiver give the same bytes: a
// share made again after a crash is the share that was sent.
func (p *Params) SwitchShare(key *ShareKey, receiver *PublicKey, sum *Sum) (*SwitchShare, error) {
	if err := errors.Join(key.check(p), receiver.check(p, labelReceiver)); err != nil {
		return nil, fmt.Errorf("switch share: %w", err)
	}
	if sum == nil || sum.p != p {
		return nil, fmt.Errorf("switch share: sum %w", errForeign)
	}
	if sum.inputs < MinInputs {
		return nil, fmt.Errorf("switch share: a sum of %d inputs, want at least %d", sum.inputs, MinInputs)
	}
	share := &SwitchShare{p: p, shape: sum.shape, from: key.own, active: key.mask(), bound: bound(sum, receiver)}
	set := binary.LittleEndian.AppendUint16(nil, share.active)
	ties := p.digest("ties", share.bound[:], set)
	for k, c1 := range sum.c1 {
		r := p.stream("switch share", key.salt[:], share.bound[:], set, []byte{byte(k)})
		x := encryption{u: ternary(r, p.N()), e0: binomial(r, sum.shape.Used), e1: binomial(r, p.N())}
		h0, h1 := receiver.zero(sum.shape.Used, x)
		product := p.ring.NewPoly()
		p.ring.MulCoeffsMontgomery(c1, key.key, product)
		p.accumulate(h0, p.coefficients(product, sum.shape.Used))
		wipe(product)
		p.flood(r, h0)
		key.bind(h0, k, ties)
		share.h0, share.h1 = append(share.h0, h0), append(share.h1, h1)
	}
	return share, nil
}

func bound(sum *Sum, receiver *PublicKey) [32]byte {
	return sum.p.digest("switch", sum.digest[:], receiver.digest[:])
}

// From is the point of the owner that made the share, 0 for the regulator's: by its own word, as all of a share.
func (x *SwitchShare) From() Point { return x.from }

// Active is the active set that an owner's share was made for; empty for the regulator's.
func (x *SwitchShare) Active() (points []Point) {
	for point := Point(1); point <= MaxOwners; point++ {
		if x.active>>(point-1)&1 == 1 {
			points = append(points, point)
		}
	}
	return points
}

// SwitchShareSize is the length of an encoded share.
func (p *Params) SwitchShareSize(shape Shape) int {
	return headerBytes + 3 + 32 + shape.Ciphertexts*(p.wordsSize(shape.Used)+p.polySize())
}

// Marshal encodes the share.
func (x *SwitchShare) Marshal() []byte {
	out := append(make([]byte, 0, x.p.SwitchShareSize(x.shape)), x.p.header(kindSwitchShare, x.shape.Used, x.shape.Ciphertexts)...)
	out = binary.LittleEndian.AppendUint16(append(out, byte(x.from)), x.active)
	out = append(out, x.bound[:]...)
	for k := range x.h0 {
		out = appendPoly(appendWords(out, x.h0[k]), x.h1[k])
	}
	return out
}

// UnmarshalSwitchShare reads a share of the session's shape.
func (p *Params) UnmarshalSwitchShare(shape Shape, data []byte) (*SwitchShare, error) {
	if err := p.CheckShape(shape); err != nil {
		return nil, fmt.Errorf("switch share: %w", err)
	}
	r, err := p.body(kindSwitchShare, shape.Used, shape.Ciphertexts, p.SwitchShareSize(shape), data)
	if err != nil {
		return nil, err
	}
	b := r.bytes(3)
	x := &SwitchShare{p: p, shape: shape, from: Point(b[0]), active: binary.LittleEndian.Uint16(b[1:]), bound: r.digest()}
	for range shape.Ciphertexts {
		x.h0, x.h1 = append(x.h0, r.words(shape.Used)), append(x.h1, r.poly())
	}
	if r.err != nil {
		return nil, fmt.Errorf("switch share: %w", r.err)
	}
	if x.from > MaxOwners || (x.from == 0) != (x.active == 0) || x.from > 0 && !slices.Contains(x.Active(), x.from) {
		return nil, fmt.Errorf("switch share: of %d in active set %v", x.from, x.Active())
	}
	return x, nil
}

// complete says whether shares are those of one active set, all of it, and the regulator's.
func complete(shares []*SwitchShare) error {
	var active, seen uint16
	regulator := false
	for _, x := range shares {
		if x.from == 0 {
			if regulator {
				return errors.New("two shares of the regulator")
			}
			regulator = true
			continue
		}
		bit := uint16(1) << (x.from - 1)
		if active == 0 {
			active = x.active
		}
		if x.active != active {
			return fmt.Errorf("owner %d's share is of active set %v", x.from, x.Active())
		}
		if seen&bit != 0 {
			return fmt.Errorf("two shares of owner %d", x.from)
		}
		seen |= bit
	}
	if !regulator || active == 0 || seen != active {
		return fmt.Errorf("shares of %d of %d active owners, regulator's share there: %t", bits.OnesCount16(seen), bits.OnesCount16(active), regulator)
	}
	return nil
}
