package collective

import (
	"fmt"
	"math/big"
	"slices"
	"sync"
	"testing"
)

// insecure parameters have a ring of degree 128: no security at all, and tests in milliseconds. They exist in this file only.
var insecure = sync.OnceValue(func() *Params {
	p, err := newParams("insecure-test-7", 0xff, 7, standardQ, standardPlain)
	if err != nil {
		panic(err)
	}
	return p
})

// party is one owner of a test's session.
type party struct {
	point   Point
	ctx     Context
	secret  *Secret
	part    *PublicPart
	dealt   map[Point]*SecretPart
	holding *Holding
}

// session is a session whose key generation is done.
type session struct {
	p         *Params
	crs       [32]byte
	id        [32]byte
	threshold int
	owners    []*party
	regulator *party
	key       *PublicKey
	receiver  *Secret
	towards   *PublicKey
}

func newSession(t testing.TB, p *Params, owners, threshold int) *session {
	t.Helper()
	s := &session{p: p, crs: [32]byte{1}, id: NewSecret().seed, threshold: threshold, receiver: NewSecret()}
	s.towards = must(p.ReceiverKey(s.receiver))
	var points []Point
	for i := range owners {
		points = append(points, Point(i+1))
	}
	var parts []*PublicPart
	for _, x := range append([]Point{0}, points...) {
		one := &party{point: x, secret: NewSecret(), ctx: Context{Session: s.id, Party: fmt.Sprintf("party-%d", x)}}
		one.part = must(p.PublicPart(s.crs, one.ctx, one.secret))
		if err := p.CheckPublicPart(s.crs, one.ctx, one.part); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, one.part)
		if x == 0 {
			s.regulator = one
			continue
		}
		one.dealt = must(p.Split(one.secret, x, threshold, points))
		s.owners = append(s.owners, one)
	}
	s.key = must(p.PublicKey(s.crs, parts...))
	for _, one := range s.owners {
		one.holding = must(p.Gather(one.point, one.dealt, s.received(one.point)...))
	}
	return s
}

// received are the parts that the others dealt to an owner.
func (s *session) received(to Point) (parts []*SecretPart) {
	for _, dealer := range s.owners {
		if dealer.point != to {
			parts = append(parts, dealer.dealt[to])
		}
	}
	return parts
}

// sum encrypts, checks and adds: totals[i] are the i-th owner's.
func (s *session) sum(t testing.TB, shape Shape, totals ...[]*big.Int) *Sum {
	t.Helper()
	var terms []*Term
	for i, m := range totals {
		in := must(s.p.Encrypt(s.key, s.owners[i].ctx, shape, m, NewSecret().seed))
		terms = append(terms, must(s.p.CheckInput(s.key, s.owners[i].ctx, in)))
	}
	return must(s.p.Add(terms...))
}

// shares are those of an active set and of the regulator, the regulator's last.
func (s *session) shares(t testing.TB, sum *Sum, active ...Point) (out []*SwitchShare) {
	t.Helper()
	for _, x := range active {
		out = append(out, must(s.p.SwitchShare(must(s.p.OwnerKey(s.owners[x-1].holding, active)), s.towards, sum)))
	}
	return append(out, must(s.p.SwitchShare(must(s.p.RegulatorKey(s.regulator.secret)), s.towards, sum)))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// subsets are all ascending sets of size points out of n.
func subsets(n, size int) (out [][]Point) {
	for bits := range 1 << n {
		var set []Point
		for i := range n {
			if bits>>i&1 == 1 {
				set = append(set, Point(i+1))
			}
		}
		if len(set) == size {
			out = append(out, set)
		}
	}
	return out
}

func integers(values ...int64) (out []*big.Int) {
	for _, v := range values {
		out = append(out, big.NewInt(v))
	}
	return out
}

// plainSum is the sum in the clear.
func plainSum(totals ...[]*big.Int) []*big.Int {
	out := make([]*big.Int, len(totals[0]))
	for j := range out {
		out[j] = new(big.Int)
		for _, m := range totals {
			out[j].Add(out[j], m[j])
		}
	}
	return out
}

func equal(a, b []*big.Int) bool {
	return slices.EqualFunc(a, b, func(x, y *big.Int) bool { return x.Cmp(y) == 0 })
}
