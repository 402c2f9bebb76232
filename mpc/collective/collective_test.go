package collective

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestEveryThresholdOpensTheSum(t *testing.T) {
	for owners := 3; owners <= 6; owners++ {
		for threshold := minThreshold; threshold <= owners; threshold++ {
			s := newSession(t, insecure(), owners, threshold)
			totals := [][]*big.Int{integers(1, -2, 3), integers(1, 0, 1<<40), integers(1, -7, -(1 << 41))}
			sum := s.sum(t, Shape{Used: 3, Ciphertexts: 1}, totals...)
			for _, active := range subsets(owners, threshold) {
				got, err := s.p.Open(s.receiver, sum, s.shares(t, sum, active...)...)
				if err != nil || !equal(got, plainSum(totals...)) {
					t.Errorf("%d of %d owners, active %v: %v, %v", threshold, owners, active, got, err)
				}
			}
		}
	}
}

func TestMostOwners(t *testing.T) {
	s := newSession(t, insecure(), MaxOwners, 9)
	shape := Shape{Used: 64, Ciphertexts: 2}
	var totals [][]*big.Int
	for i := range MaxOwners {
		var m []*big.Int
		for j := range shape.Used {
			v := s.p.Limit(2)
			if (i+j)%3 == 0 || j%2 == 1 {
				v.Neg(v)
			}
			m = append(m, v)
		}
		totals = append(totals, m)
	}
	sum := s.sum(t, shape, totals...)
	got, err := s.p.Open(s.receiver, sum, s.shares(t, sum, 1, 2, 3, 5, 8, 11, 13, 15, 16)...)
	if err != nil || !equal(got, plainSum(totals...)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestStandardParameters(t *testing.T) {
	s := newSession(t, Standard(), 3, 2)
	shape := Shape{Used: MaxUsed, Ciphertexts: 2}
	var totals [][]*big.Int
	for i := range 3 {
		var m []*big.Int
		for j := range shape.Used {
			m = append(m, new(big.Int).Lsh(big.NewInt(int64(j-100*i)), 90))
		}
		totals = append(totals, m)
	}
	sum := s.sum(t, shape, totals...)
	got, err := s.p.Open(s.receiver, sum, s.shares(t, sum, 1, 3)...)
	if err != nil || !equal(got, plainSum(totals...)) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestRandomFleets(t *testing.T) {
	p := insecure()
	s := newSession(t, p, 5, 3)
	rapid.Check(t, func(t *rapid.T) {
		shape := Shape{Used: rapid.IntRange(1, 64).Draw(t, "used"), Ciphertexts: rapid.IntRange(1, 2).Draw(t, "ciphertexts")}
		inputs := rapid.IntRange(MinInputs, 5).Draw(t, "inputs")
		var totals [][]*big.Int
		var terms []*Term
		for i := range inputs {
			var m []*big.Int
			for range shape.Used {
				high, low := rapid.Int64().Draw(t, "high"), rapid.Int64().Draw(t, "low")
				v := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(high), 64), big.NewInt(low))
				m = append(m, v.Rem(v, p.Limit(shape.Ciphertexts)))
			}
			totals = append(totals, m)
			terms = append(terms, must(p.CheckInput(s.key, s.owners[i].ctx, must(p.Encrypt(s.key, s.owners[i].ctx, shape, m, NewSecret().seed)))))
		}
		active := rapid.SampledFrom(subsets(5, 3)).Draw(t, "active")
		sum := must(p.Add(terms...))
		var shares []*SwitchShare
		for _, x := range active {
			shares = append(shares, must(p.SwitchShare(must(p.OwnerKey(s.owners[x-1].holding, active)), s.towards, sum)))
		}
		shares = append(shares, must(p.SwitchShare(must(p.RegulatorKey(s.regulator.secret)), s.towards, sum)))
		got, err := p.Open(s.receiver, sum, rapid.Permutation(shares).Draw(t, "order")...)
		if err != nil || !equal(got, plainSum(totals...)) {
			t.Fatalf("got %v, %v, want %v", got, err, plainSum(totals...))
		}
	})
}
