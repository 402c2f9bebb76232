package privacy

import (
	"errors"
	"fmt"
	"math"
)

// Bounds of what one answer may spend.
const (
	MinEpsilonMillionths = 1_000       // 0.001
	MaxEpsilonMillionths = 10_000_000  // 10
	MaxDeltaTrillionths  = 100_000_000 // 10^-4
)

// Budget is ε and δ in units that have an exact encoding.
type Budget struct {
	EpsilonMillionths uint64 `json:"epsilon_millionths"`
	// DeltaTrillionths is in 10^-12; 0 asks for Laplace noise. It should be far
	// below one in the number of batteries: with δ = 1/n a mechanism that
	// publishes one battery at random would pass.
	DeltaTrillionths uint64 `json:"delta_trillionths,omitempty"`
}

// Check reports a budget that no answer may have.
func (b Budget) Check() error {
	if b.EpsilonMillionths < MinEpsilonMillionths || b.EpsilonMillionths > MaxEpsilonMillionths {
		return fmt.Errorf("privacy: epsilon_millionths is %d, want %d to %d", b.EpsilonMillionths, MinEpsilonMillionths, MaxEpsilonMillionths)
	}
	if b.DeltaTrillionths > MaxDeltaTrillionths {
		return fmt.Errorf("privacy: delta_trillionths is %d, at most %d", b.DeltaTrillionths, MaxDeltaTrillionths)
	}
	return nil
}

// Add is what two answers about the same batteries cost together. It refuses a
// sum that overflows; limits are the ledger's.
func (b Budget) Add(o Budget) (Budget, error) {
	if o.EpsilonMillionths > math.MaxUint64-b.EpsilonMillionths || o.DeltaTrillionths > math.MaxUint64-b.DeltaTrillionths {
		return Budget{}, errors.New("privacy: the sum of two budgets overflows 64 bits")
	}
	return Budget{b.EpsilonMillionths + o.EpsilonMillionths, b.DeltaTrillionths + o.DeltaTrillionths}, nil
}

func (b Budget) epsilon() float64 { return float64(b.EpsilonMillionths) / 1e6 }
func (b Budget) delta() float64   { return float64(b.DeltaTrillionths) / 1e12 }
