package federated

import (
	"bytes"
	"fmt"
	"math/big"

	"github.com/assay-net/assay/mpc/privacy"
)

// Plan is a query made ready for a number of owners. It is immutable and safe for
// concurrent use.
type Plan struct {
	*layout
	query       *Query // a copy
	owners      int
	ciphertexts int
}

// NewPlan lays the query's totals out for a roster of owners, over one or two
// plaintext moduli, distinct primes of 20 to 61 bits. It refuses a query whose totals
// could leave the moduli, naming the fields at fault. Layout and number of
// ciphertexts are functions of query and moduli alone.
func NewPlan(q *Query, owners int, moduli []uint64) (*Plan, error) {
	if owners < MinOwners || owners > MaxOwners {
		return nil, fmt.Errorf("query: %d owners, want %d to %d", owners, MinOwners, MaxOwners)
	}
	if err := checkModuli(moduli); err != nil {
		return nil, err
	}
	own, err := ReadQuery(bytes.NewReader(q.Canonical()))
	if err != nil {
		return nil, err
	}
	l, err := newLayout(own)
	if err != nil {
		return nil, err
	}
	p := &Plan{layout: l, query: own, owners: owners}
	if err := p.addNoise(); err != nil {
		return nil, err
	}
	return p, p.fit(moduli)
}

func checkModuli(moduli []uint64) error {
	if len(moduli) < 1 || len(moduli) > 2 {
		return fmt.Errorf("query: %d plaintext moduli, want 1 or 2", len(moduli))
	}
	for i, t := range moduli {
		m := new(big.Int).SetUint64(t)
		if m.BitLen() < 20 || m.BitLen() > 61 || !m.ProbablyPrime(20) {
			return fmt.Errorf("query: plaintext modulus %d is %d, want a prime of 20 to 61 bits", i, t)
		}
	}
	if len(moduli) == 2 && moduli[0] == moduli[1] {
		return fmt.Errorf("query: both plaintext moduli are %d", moduli[0])
	}
	return nil
}

// addNoise gives every total but the number of owners its mechanism. The l0 of
// each is the number of groups: see package privacy.
func (p *Plan) addNoise() error {
	if p.query.Privacy == nil {
		return nil
	}
	for i := 1; i < len(p.totals); i++ {
		t := &p.totals[i]
		if before := p.totals[i-1]; i > 1 && before.group == t.group {
			t.noise = before.noise
			continue
		}
		m, err := privacy.New(p.groups, t.step, *p.query.Privacy)
		if err != nil {
			return fmt.Errorf("query: privacy: %s: %w", t.name, err)
		}
		t.noise = m
	}
	return nil
}

// fit finds how many moduli hold the sum of [MaxOwners] parts of every total as
// a centred residue.
func (p *Plan) fit(moduli []uint64) error {
	p.ciphertexts = 1
	for i := range p.totals {
		t := &p.totals[i]
		sum := new(big.Int).Mul(t.bound(), big.NewInt(MaxOwners))
		for sum.Cmp(half(moduli[:p.ciphertexts])) > 0 {
			if p.ciphertexts == len(moduli) {
				return t.refusal(half(moduli), len(moduli))
			}
			p.ciphertexts++
		}
	}
	return nil
}

// half is the greatest absolute value of a centred residue.
func half(moduli []uint64) *big.Int {
	h := big.NewInt(1)
	for _, t := range moduli {
		h.Mul(h, new(big.Int).SetUint64(t))
	}
	return h.Rsh(h, 1)
}

func (t *total) refusal(most *big.Int, moduli int) error {
	from, limit := t.from, new(big.Int).Div(most, big.NewInt(MaxOwners))
	if t.noise != nil {
		from += ", and privacy"
	}
	return fmt.Errorf("query: %s: an owner's part may reach %s (by %s), above %s, which is what %d plaintext moduli hold of each of %d owners",
		t.name, t.bound(), from, limit, moduli, MaxOwners)
}

// bounds are one owner's part with its noise.
func (t *total) bounds() (low, high *big.Int) {
	low, high = new(big.Int).Set(t.low), new(big.Int).Set(t.high)
	if t.noise != nil {
		reach := t.noise.Reach()
		low.Sub(low, reach)
		high.Add(high, reach)
	}
	return low, high
}

func (t *total) bound() *big.Int {
	low, high := t.bounds()
	if low.Abs(low).Cmp(high) > 0 {
		return low
	}
	return high
}

// Query is a copy of what was planned.
func (p *Plan) Query() *Query {
	q, err := ReadQuery(bytes.NewReader(p.query.Canonical()))
	if err != nil {
		panic(fmt.Sprintf("a checked query is refused: %v", err))
	}
	return q
}

// Used is the number of totals, in coefficients 0 to Used−1.
func (p *Plan) Used() int { return len(p.totals) }

// Ciphertexts is how many of the moduli are needed, from the first on.
func (p *Plan) Ciphertexts() int { return p.ciphertexts }

// Bound is the greatest absolute value in any one owner's part.
func (p *Plan) Bound() *big.Int {
	most := new(big.Int)
	for i := range p.totals {
		if b := p.totals[i].bound(); b.Cmp(most) > 0 {
			most = b
		}
	}
	return most
}

// Learned names the totals in the order of their coefficients: all that
// the receiver learns, summed over the owners.
func (p *Plan) Learned() []string {
	names := make([]string, len(p.totals))
	for i, t := range p.totals {
		names[i] = t.name
	}
	return names
}
