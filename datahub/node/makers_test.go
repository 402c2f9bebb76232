package node

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// makersLedger answers with makers, and counts how often it was asked.
type makersLedger struct {
	ledger.Client
	mu     sync.Mutex
	asked  int
	makers []ledger.Maker
}

func (m *makersLedger) Evaluate(context.Context, string, []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	if m.makers == nil {
		return nil, errors.New("the ledger cannot be reached")
	}
	return ledger.Encode(m.makers), nil
}

// Connections of unknown makers do not make the node ask a ledger that is away, each of them.
func TestLedgerThatIsAwayIsNotAskedForEveryConnection(t *testing.T) {
	l := &makersLedger{}
	d := newDevices(nil, ledger.Book{Client: l})
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, err := d.maker(t.Context(), "nobody"); err == nil {
				t.Error("a maker that nobody knows")
			}
		})
	}
	wait.Wait()
	if l.asked != 1 {
		t.Errorf("the ledger was asked %d times", l.asked)
	}
}

// A maker whose certificate is none keeps out its own devices only.
func TestMakerWithoutACertificateKeepsOutNoOther(t *testing.T) {
	good := must(device.NewMaker("maker-a"))(t)
	l := &makersLedger{makers: []ledger.Maker{{ID: "broken", Certificate: []byte("x")}, {ID: good.ID(), Certificate: good.Certificate()}}}
	d := newDevices(nil, ledger.Book{Client: l})
	if err := d.readMakers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.maker(t.Context(), good.ID()); err != nil {
		t.Error(err)
	}
	if _, err := d.maker(t.Context(), "broken"); err == nil {
		t.Error("a maker without a certificate")
	}
}
