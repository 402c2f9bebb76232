package agent

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// What a device agreed to lapses. It agrees anew while it is not enrolled, and no more once it is.
func TestDeviceAgreesAnewUntilItIsEnrolled(t *testing.T) {
	_, n, o := attesting(t)
	var ahead atomic.Int64
	o.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	d := newDevice(t)
	r := run(t, d, o)
	r.publish(t, 1, 1)
	r.drain(t)
	accepts := func() (out []*frame.Accept) {
		n.with(d.ID(), func(s *seated) { out = append(out, s.accepts...) })
		return out
	}
	first := accepts()
	if got, want := first[0].Until, current()+24; len(first) != 1 || got < want-1 || got > want {
		t.Fatalf("%d acceptances, the first until epoch %d, want %d", len(first), got, want)
	}
	ahead.Add(int64(26 * time.Hour))
	r.publish(t, 2, 1) // has it look at the clock
	eventually(t, "it agrees anew", func() bool { return len(accepts()) == 2 })
	r.drain(t)
	if got := accepts()[1].Until; got < first[0].Until+25 || got > first[0].Until+27 {
		t.Errorf("agreed until epoch %d, then until %d", first[0].Until, got)
	}
	proposal := proposed
	n.tell(d.ID(), &frame.Attest{Epoch: current() - 1, Proposal: &proposal, Formulas: "health/v1"})
	reports(t, n, d, 1)
	ahead.Add(int64(26 * time.Hour))
	for i := range 5 {
		r.publish(t, 3+i, 1)
		r.drain(t)
		time.Sleep(o.ResendMost / 4) // time for a hello
	}
	if got := len(accepts()); got != 2 {
		t.Errorf("an enrolled device agreed %d times", got)
	}
}

func TestLongEpochsAreAgreedToForSeveral(t *testing.T) {
	g := &ledger.Genesis{EpochZero: 0, EpochSeconds: 30 * 24 * 3600}
	a := &Agent{options: Options{Genesis: g, Now: func() time.Time { return time.Unix(10*g.EpochSeconds, 0) }}}
	if got := a.agreeUntil(); got != 10+agreeEpochs {
		t.Errorf("until epoch %d", got)
	}
	a.options.Now = func() time.Time { return time.Unix(-5, 0) } // its clock is not set
	if got := a.agreeUntil(); got != agreeEpochs {
		t.Errorf("until epoch %d", got)
	}
}

// The device counts epochs by the genesis, so that must be the ledger's.
func TestGenesisOfAnotherLedgerIsRefused(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	other := contracttest.WithKeys(contracttest.Genesis())
	other.EpochZero = 0
	for name, change := range map[string]func(o *Options){
		"genesis is missing": func(o *Options) { o.Genesis = nil },
		"genesis is that of": func(o *Options) { o.Genesis = other },
		"not of ledger":      func(o *Options) { o.Ledger = commit.Digest{9} },
		"epoch_seconds":      func(o *Options) { g := *n.genesis; g.EpochSeconds = 0; o.Genesis, o.Ledger = &g, g.ID() },
	} {
		o := options(b, n)
		change(&o)
		if _, err := New(newDevice(t), o); err == nil || name != "not of ledger" && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
