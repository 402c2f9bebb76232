package collective

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tuneinsight/lattigo/v5/mhe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/ring/ringqp"
	"github.com/tuneinsight/lattigo/v5/utils/structs"
)

// minThreshold: with one, every owner would hold the owners' whole key.
const minThreshold = 2

// SecretPart is what one owner deals to another: the value of its Shamir polynomial at the other's point, and the seed of a tie (see "Ties" in the
// package documentation). Whoever has threshold parts of a dealer has the dealer's secret: seal a part to its addressee.
type SecretPart struct {
	p         *Params
	from, to  Point
	threshold int
	share     ring.Poly // in Montgomery form, as lattigo keeps keys
	tie       [32]byte
}

// Split deals the secret of the owner at own to all points (ascending, own among them), any threshold of which make it up again: Mouchet, Bertrand
// and Hubaux, eprint 2022/780. The same arguments give the same parts.
func (p *Params) Split(s *Secret, own Point, threshold int, points []Point) (map[Point]*SecretPart, error) {
	if err := errors.Join(s.check(), checkPoints(points)); err != nil {
		return nil, fmt.Errorf("dealing a secret: %w", err)
	}
	if !slices.Contains(points, own) {
		return nil, fmt.Errorf("dealing a secret: own point %d is not among the points", own)
	}
	if threshold < minThreshold || threshold > len(points) {
		return nil, fmt.Errorf("dealing a secret: threshold %d, want %d to %d", threshold, minThreshold, len(points))
	}
	set := []byte{byte(own), byte(threshold)}
	for _, x := range points {
		set = append(set, byte(x))
	}
	polynomial := []ringqp.Poly{{Q: s.montgomery(p)}}
	for degree := 1; degree < threshold; degree++ {
		polynomial = append(polynomial, ringqp.Poly{Q: p.expand("sharing polynomial", s.seed[:], set, []byte{byte(degree)})})
	}
	dealer, parts := mhe.NewThresholdizer(p.rlwe), make(map[Point]*SecretPart, len(points))
	for _, x := range points {
		share := dealer.AllocateThresholdSecretShare()
		dealer.GenShamirSecretShare(mhe.ShamirPublicPoint(x), mhe.ShamirPolynomial{Value: structs.Vector[ringqp.Poly](polynomial)}, &share)
		parts[x] = &SecretPart{p: p, from: own, to: x, threshold: threshold, share: share.Q, tie: p.digest("tie seed", s.seed[:], set, []byte{byte(x)})}
	}
	for _, c := range polynomial {
		wipe(c.Q)
	}
	return parts, nil
}

// From is the dealer's point.
func (x *SecretPart) From() Point { return x.from }

// To is the addressee's point.
func (x *SecretPart) To() Point { return x.to }

// Destroy overwrites the part.
func (x *SecretPart) Destroy() {
	wipe(x.share)
	clear(x.tie[:])
}

// String keeps a part out of logs.
func (x *SecretPart) String() string { return fmt.Sprintf("secret part from %d to %d", x.from, x.to) }

// GoString keeps a part out of logs.
func (x *SecretPart) GoString() string { return x.String() }

// SecretPartSize is the length of an encoded part.
func (p *Params) SecretPartSize() int { return headerBytes + 3 + 32 + p.polySize() }

// Marshal encodes the part, to be sealed.
func (x *SecretPart) Marshal() []byte {
	out := append(make([]byte, 0, x.p.SecretPartSize()), x.p.header(kindSecretPart, 0, 0)...)
	out = append(out, byte(x.from), byte(x.to), byte(x.threshold))
	return appendPoly(append(out, x.tie[:]...), x.share)
}

// UnmarshalSecretPart reads a part. No part can be told from a wrong one by itself: Open's check is what tells.
func (p *Params) UnmarshalSecretPart(data []byte) (*SecretPart, error) {
	r, err := p.body(kindSecretPart, 0, 0, p.SecretPartSize(), data)
	if err != nil {
		return nil, err
	}
	b := r.bytes(3)
	part := &SecretPart{p: p, from: Point(b[0]), to: Point(b[1]), threshold: int(b[2]), tie: r.digest(), share: r.poly()}
	if err := errors.Join(r.err, part.from.check(), part.to.check()); err != nil {
		return nil, fmt.Errorf("secret part: %w", err)
	}
	if part.threshold < minThreshold || part.threshold > MaxOwners {
		return nil, fmt.Errorf("secret part: threshold %d, want %d to %d", part.threshold, minThreshold, MaxOwners)
	}
	return part, nil
}
