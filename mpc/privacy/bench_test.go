package privacy

import (
	"math/big"
	"testing"
)

func BenchmarkAdd(b *testing.B) {
	for name, budget := range map[string]Budget{"laplace": {1_000_000, 0}, "gaussian": {1_000_000, 1_000_000}} {
		for size, lInf := range map[string]*big.Int{"1": big.NewInt(1), "2^90": power(90)} {
			m, err := New(6, lInf, budget)
			if err != nil {
				b.Fatal(err)
			}
			x := power(100)
			b.Run(name+"/lInf="+size, func(b *testing.B) {
				for b.Loop() {
					if _, err := m.Add(x, x, x); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
