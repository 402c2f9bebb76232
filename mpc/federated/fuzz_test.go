package federated

import (
	"errors"
	"math/big"
	"testing"
)

func FuzzParse(f *testing.F) {
	c := asked().Canonical()
	f.Add(c)
	f.Add(append([]byte(" "), c...))
	f.Add(oneLane(7, 9, Figure{Kind: Count}).Canonical())
	f.Add([]byte(`{"version":"assay-federated-query/v1"}`))
	f.Add([]byte(`[[[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := Parse(b)
		if err != nil {
			return
		}
		if string(q.Canonical()) != string(b) {
			t.Fatal("another encoding is accepted")
		}
		p, err := NewPlan(q, 16, moduli)
		if err != nil {
			return
		}
		if n := p.Used(); n < 2 || n > MaxTotals || n != len(p.Learned()) {
			t.Fatalf("%d totals", n)
		}
		if p.Query().Digest() != q.Digest() {
			t.Fatal("its digest changes")
		}
	})
}

// FuzzRead takes any numbers as opened totals.
func FuzzRead(f *testing.F) {
	exact := asked()
	noised := asked()
	noised.Privacy = &budgets[0]
	var plans []*Plan
	for _, q := range []*Query{exact, noised} {
		p, err := NewPlan(q, 16, moduli)
		if err != nil {
			f.Fatal(err)
		}
		plans = append(plans, p)
	}
	f.Add(3, []byte{})
	f.Add(3, []byte{0, 3, 0, 180, 0, 0})
	f.Fuzz(func(t *testing.T, parts int, b []byte) {
		var opened []*big.Int // signed numbers of 14 bytes
		for len(b) > 0 {
			n := min(len(b), 15)
			x := new(big.Int).SetBytes(b[1:n])
			if b[0]&1 == 1 {
				x.Neg(x)
			}
			opened, b = append(opened, x), b[n:]
		}
		for _, p := range plans {
			r, err := p.Read(opened, parts)
			switch {
			case err != nil && parts >= MinOwners && parts <= MaxOwners && !errors.Is(err, ErrOpening):
				t.Fatal(err)
			case err == nil && (opened[0].Int64() != int64(parts) || len(r.Answers) != 5):
				t.Fatalf("%v is read", opened)
			case err == nil:
				if _, err := r.MarshalJSON(); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
