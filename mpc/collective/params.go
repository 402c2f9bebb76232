package collective

import (
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
)

// Bounds that every parameter set shares. The noise budget of the package documentation is computed from them.
const (
	MaxOwners      = 16  // owners of a session, and so inputs of a sum
	MinInputs      = 3   // inputs that a sum must have before anyone gives a switch share for it
	MaxUsed        = 256 // totals of a query
	MaxCiphertexts = 2   // plaintext moduli that a query may use
	MaxPartyBytes  = 255 // bytes of a party's name
)

// Params is a parameter set: the ring, the ciphertext modulus Q, the plaintext moduli and what follows from them. It is immutable and safe for
// concurrent use. Everything a Params makes belongs to it and is refused by another.
type Params struct {
	id      string
	code    byte // names the set in encodings
	rlwe    rlwe.Parameters
	ring    *ring.Ring
	q       []uint64   // primes of Q
	plain   []uint64   // T_1, T_2
	inverse [][]uint64 // T_k^-1 mod q_i
	unit    []*big.Int // Q/q_i * ((Q/q_i)^-1 mod q_i): the CRT basis
	floor   []uint64   // q_i - (2^floodBits/2 mod q_i): recentres the flooding
}

// The primes are the six largest below 2^53 that are 1 modulo 2^14, so that nobody chose them: the first four are Q, the next two T_1 and T_2.
var (
	standardQ     = []uint64{0x1ffffffffb4001, 0x1ffffffffa4001, 0x1ffffffff9c001, 0x1ffffffff38001}
	standardPlain = []uint64{0x1fffffffe30001, 0x1fffffffe28001}
)

const standardLogN = 13

var standard = sync.OnceValue(func() *Params {
	p, err := newParams("assay-bgv-13-1", 1, standardLogN, standardQ, standardPlain)
	if err != nil {
		panic(err) // the constants above are wrong
	}
	return p
})

// Standard is the only parameter set of a build, "assay-bgv-13-1": N = 8192, log Q < 212, secrets ternary, errors of standard deviation 3.24.
func Standard() *Params { return standard() }

func newParams(id string, code byte, logN int, q, plain []uint64) (*Params, error) {
	lattice, err := rlwe.NewParametersFromLiteral(rlwe.ParametersLiteral{LogN: logN, Q: q, NTTFlag: true})
	if err != nil {
		return nil, fmt.Errorf("parameters %s: %w", id, err)
	}
	p := &Params{id: id, code: code, rlwe: lattice, ring: lattice.RingQ(), q: slices.Clone(q), plain: slices.Clone(plain)}
	modulus := p.ring.Modulus()
	for _, t := range plain {
		row := make([]uint64, len(q))
		for i, qi := range q {
			row[i] = ring.ModExp(t%qi, qi-2, qi)
		}
		p.inverse = append(p.inverse, row)
	}
	half := new(big.Int).Lsh(big.NewInt(1), floodBits-1)
	for _, qi := range q {
		prime := new(big.Int).SetUint64(qi)
		rest := new(big.Int).Div(modulus, prime)
		p.unit = append(p.unit, new(big.Int).Mul(rest, new(big.Int).ModInverse(rest, prime)))
		p.floor = append(p.floor, qi-new(big.Int).Mod(half, prime).Uint64())
	}
	return p, nil
}

// ID names the set: what an opening records.
func (p *Params) ID() string { return p.id }

// N is the ring degree.
func (p *Params) N() int { return p.ring.N() }

// Moduli are the plaintext moduli T_1, T_2, in the order of a query's ciphertexts.
func (p *Params) Moduli() []uint64 { return slices.Clone(p.plain) }

// plainModulus is the product of the first plaintext moduli: totals are known modulo it.
func (p *Params) plainModulus(ciphertexts int) *big.Int {
	product := big.NewInt(1)
	for _, t := range p.plain[:ciphertexts] {
		product.Mul(product, new(big.Int).SetUint64(t))
	}
	return product
}

// Limit is the largest absolute value that ONE owner may encrypt per total with 1 or 2 ciphertexts: 2^48 and 2^101, less a little. MaxOwners times as
// much is still below half the modulus, so that no sum can wrap. It is zero for any other number of ciphertexts.
func (p *Params) Limit(ciphertexts int) *big.Int {
	if ciphertexts < 1 || ciphertexts > MaxCiphertexts {
		return new(big.Int)
	}
	half := new(big.Int).Rsh(p.plainModulus(ciphertexts), 1)
	return half.Div(half, big.NewInt(MaxOwners))
}

// Ciphertexts is how many ciphertexts owners' totals of at most bound in absolute value need.
func (p *Params) Ciphertexts(bound *big.Int) (int, error) {
	for k := 1; k <= MaxCiphertexts; k++ {
		if bound.CmpAbs(p.Limit(k)) <= 0 {
			return k, nil
		}
	}
	return 0, fmt.Errorf("totals of up to %d bits: an owner's limit is %d", bound.BitLen(), p.Limit(MaxCiphertexts))
}

// Shape is what a session's opening says of its query: how many totals, in how many ciphertexts. The length of every message follows from it.
type Shape struct {
	Used        int // totals: coefficients 0..Used-1 of the plaintext
	Ciphertexts int // 1 or 2, see Params.Ciphertexts
}

// CheckShape refuses a shape beyond the bounds of this package.
func (p *Params) CheckShape(shape Shape) error {
	if shape.Used < 1 || shape.Used > min(MaxUsed, p.N()) {
		return fmt.Errorf("totals: %d, want 1 to %d", shape.Used, min(MaxUsed, p.N()))
	}
	if shape.Ciphertexts < 1 || shape.Ciphertexts > MaxCiphertexts {
		return fmt.Errorf("ciphertexts: %d, want 1 to %d", shape.Ciphertexts, MaxCiphertexts)
	}
	return nil
}

// Point is an owner's place in the roster, from 1 to MaxOwners: where its dealers' polynomials are evaluated for it.
type Point uint64

func (x Point) check() error {
	if x < 1 || x > MaxOwners {
		return fmt.Errorf("point %d, want 1 to %d", x, MaxOwners)
	}
	return nil
}

// checkPoints wants points ascending, so that a set has one spelling and none is there twice.
func checkPoints(points []Point) error {
	if len(points) > MaxOwners {
		return fmt.Errorf("points: %d, want at most %d", len(points), MaxOwners)
	}
	for i, x := range points {
		if err := x.check(); err != nil {
			return err
		}
		if i > 0 && points[i-1] >= x {
			return fmt.Errorf("point %d after point %d: points ascend", x, points[i-1])
		}
	}
	return nil
}

// Context binds what a party proves to one session and to the party, by the name that the roster gives it.
type Context struct {
	Session [32]byte
	Party   string
}

func (c Context) check() error {
	if len(c.Party) < 1 || len(c.Party) > MaxPartyBytes {
		return fmt.Errorf("party's name of %d bytes, want 1 to %d", len(c.Party), MaxPartyBytes)
	}
	return nil
}
