package party

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// errSteps is of steps that a fleet's schema does not admit.
var errSteps = errors.New("party: clip steps")

// checkSteps compares the steps with the schemas of their fleets, as far as the ledger has these.
func (m *Manager) checkSteps(ctx context.Context) error {
	for fleet, steps := range m.ClipSteps {
		f, err := m.Book.Fleet(ctx, fleet)
		if ledger.CodeOf(err) == ledger.NotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading fleet %s: %w", fleet, err)
		}
		if _, err := query.Lanes(f.Schema, steps); err != nil {
			return fmt.Errorf("%w of fleet %s: %w", errSteps, fleet, err)
		}
	}
	return nil
}

// checkStepsNow leaves to later what the ledger does not answer soon.
func (m *Manager) checkStepsNow() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := m.checkSteps(ctx); errors.Is(err, errSteps) {
		return err
	}
	return nil
}
