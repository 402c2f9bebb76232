package agent

import (
	"bytes"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
)

var proposed = record.Record{1, 9342, 5120, 900, 46710, 35, 782, 2}

// attesting sets up a node and options with which a device can attest in epochs of an hour.
func attesting(t *testing.T) (*broker, *node, Options) {
	t.Helper()
	b := newBroker(t)
	n := newNode(t, b)
	srs := committest.UnsafeSRS(64)
	n.srs = srs.Digest()
	o := options(b, n)
	o.SRS = func(d commit.Digest) (*commit.SRS, error) { return srs, nil }
	return b, n, o
}

// current is the epoch that goes on.
func current() uint64 { return uint64((time.Now().Unix() - 1_700_000_000) / 3600) }

// reports waits for a number of reports and returns the last.
func reports(t *testing.T, n *node, d *device.Device, count int) *frame.Report {
	t.Helper()
	var last *frame.Report
	eventually(t, "the report arrives", func() bool {
		n.with(d.ID(), func(s *seated) {
			if len(s.reports) >= count {
				last = s.reports[count-1]
			}
		})
		return last != nil
	})
	return last
}

func checkReport(t *testing.T, n *node, d *device.Device, r *frame.Report, epoch uint64) {
	t.Helper()
	srs := committest.UnsafeSRS(64)
	var slot uint32
	var secret commit.Secret
	n.with(d.ID(), func(s *seated) { slot, secret = s.slot, s.secret })
	place := commit.Place{Ledger: n.ledger, SRS: n.srs, Fleet: "fleet", Size: 64, Slot: slot, Epoch: epoch}
	a, err := device.Check(srs, place, d.Certificate(), r.Attestation)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commit.CheckOpening(srs, place, d.Schema(), r.Record, secret, a.C); err != nil {
		t.Errorf("the attestation is not to the record: %v", err)
	}
}

func TestProposalIsAttestedOnce(t *testing.T) {
	_, n, o := attesting(t)
	d := newDevice(t)
	r := run(t, d, o)
	r.publish(t, 1, 3)
	r.drain(t)
	epoch := current() - 1
	proposal := proposed
	n.tell(d.ID(), &frame.Attest{Epoch: epoch, Proposal: &proposal, Formulas: "health/v1"})
	first := reports(t, n, d, 1)
	if first.Record != proposed || first.Own || first.Epoch != epoch {
		t.Errorf("reported %+v", first)
	}
	checkReport(t, n, d, first, epoch)
	r.drain(t)
	// Asked again, with another proposal: what it attested to stays.
	time.Sleep(o.ResendAfter)
	other := proposed
	other[4]--
	n.tell(d.ID(), &frame.Attest{Epoch: epoch, Proposal: &other, Formulas: "health/v1"})
	again := reports(t, n, d, 2)
	if again.Record != proposed || !bytes.Equal(again.Attestation, first.Attestation) {
		t.Errorf("reported %+v the second time", again)
	}
	// For an epoch before, it does not.
	n.tell(d.ID(), &frame.Attest{Epoch: epoch - 1, Proposal: &proposal, Formulas: "health/v1"})
	r.publish(t, 4, 5)
	r.drain(t)
	n.with(d.ID(), func(s *seated) {
		for _, r := range s.reports {
			if r.Epoch != epoch {
				t.Errorf("reported for epoch %d", r.Epoch)
			}
		}
	})
}

func TestOwnRecordWins(t *testing.T) {
	_, n, o := attesting(t)
	own := proposed
	own[1] = 9000
	o.Own = func(uint64, Measured) (record.Record, bool) { return own, true }
	d := newDevice(t)
	r := run(t, d, o)
	r.publish(t, 1, 1)
	r.drain(t)
	epoch := current() - 1
	proposal := proposed
	n.tell(d.ID(), &frame.Attest{Epoch: epoch, Proposal: &proposal, Formulas: "health/v1"})
	got := reports(t, n, d, 1)
	if got.Record != own || !got.Own {
		t.Errorf("reported %+v", got)
	}
	checkReport(t, n, d, got, epoch)
}

// After a restart the device still knows what it attested to, whatever it is proposed then.
func TestAttestationSurvivesARestart(t *testing.T) {
	_, n, o := attesting(t)
	path := t.TempDir()
	r, d, stop := start(t, path, newMaker(t), o)
	r.publish(t, 1, 1)
	r.drain(t)
	epoch := current() - 1
	proposal := proposed
	n.tell(d.ID(), &frame.Attest{Epoch: epoch, Proposal: &proposal, Formulas: "health/v1"})
	first := reports(t, n, d, 1)
	r.drain(t)
	stop()
	r, d, stop = start(t, path, nil, o)
	defer stop()
	r.publish(t, 2, 1)
	r.drain(t)
	proposal[4]--
	n.tell(d.ID(), &frame.Attest{Epoch: epoch, Proposal: &proposal, Formulas: "health/v1"})
	again := reports(t, n, d, 2)
	if again.Record != proposed || !bytes.Equal(again.Attestation, first.Attestation) {
		t.Errorf("reported %+v after a restart", again)
	}
}

// full is a state on a disk that is full for a while.
type full struct {
	inMemory
	failures atomic.Int32
}

func (f *full) Keep(k Kept) error {
	if k.Report != nil && f.failures.Add(-1) >= 0 {
		return errors.New("no space left on device")
	}
	return nil
}

// An attestation that could not be kept is kept, and sent, when the node asks again, whatever it proposes then.
func TestAttestationThatCouldNotBeKeptIsSentLater(t *testing.T) {
	_, n, o := attesting(t)
	state := new(full)
	state.failures.Store(2)
	o.State = state
	d := newDevice(t)
	r := run(t, d, o)
	r.publish(t, 1, 1)
	r.drain(t)
	epoch, proposal := current()-1, proposed
	eventually(t, "two attempts to keep it fail", func() bool {
		n.tell(d.ID(), &frame.Attest{Epoch: epoch, Proposal: &proposal, Formulas: "health/v1"})
		return state.failures.Load() <= 0
	})
	n.with(d.ID(), func(s *seated) {
		if len(s.reports) != 0 && state.failures.Load() == 0 {
			t.Error("a report was sent before it was kept")
		}
	})
	other := proposed
	other[4]--
	n.tell(d.ID(), &frame.Attest{Epoch: epoch, Proposal: &other, Formulas: "health/v1"})
	got := reports(t, n, d, 1)
	if got.Record != proposed {
		t.Errorf("reported %+v", got)
	}
	checkReport(t, n, d, got, epoch)
}

// refused checks that a request leads to no report.
func refused(t *testing.T, o Options, n *node, m *frame.Attest, publish func(r *running)) {
	t.Helper()
	d := newDevice(t)
	r := run(t, d, o)
	publish(r)
	r.drain(t)
	n.tell(d.ID(), m)
	for i := range 5 { // time for an answer
		r.publish(t, 100+i, 1)
		r.drain(t)
		time.Sleep(10 * time.Millisecond)
	}
	n.with(d.ID(), func(s *seated) {
		if len(s.reports) != 0 {
			t.Errorf("reported %+v", s.reports[0])
		}
	})
}

func TestRefusals(t *testing.T) {
	_, n, o := attesting(t)
	proposal := proposed
	one := func(r *running) { r.publish(t, 1, 1) }
	t.Run("an epoch that goes on", func(t *testing.T) {
		refused(t, o, n, &frame.Attest{Epoch: current() + 1, Proposal: &proposal, Formulas: "health/v1"}, one)
	})
	t.Run("an epoch far ahead", func(t *testing.T) {
		refused(t, o, n, &frame.Attest{Epoch: 1 << 63, Proposal: &proposal, Formulas: "health/v1"}, one)
	})
	t.Run("no proposal", func(t *testing.T) { refused(t, o, n, &frame.Attest{Epoch: current() - 1}, one) })
	t.Run("outside the schema", func(t *testing.T) {
		large := proposed
		large[1] = 1 << 20
		refused(t, o, n, &frame.Attest{Epoch: current() - 1, Proposal: &large, Formulas: "health/v1"}, one)
	})
	t.Run("implausible", func(t *testing.T) {
		epoch := current() - 1
		refused(t, o, n, &frame.Attest{Epoch: epoch, Proposal: &proposal, Formulas: "health/v1"}, func(r *running) {
			at := (1_700_000_000 + int64(epoch)*3600) * 1_000_000
			if err := r.Publish(t.Context(), []telemetry.Reading{{TimeMicros: at, HottestMilliC: health.Known(60_000)}}); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// At the very end of an epoch the clocks of node and device may differ a little.
func TestEpochEndsByTheDevicesClock(t *testing.T) {
	a := &Agent{options: Options{Skew: 15 * time.Second}}
	a.options.Genesis = &ledger.Genesis{EpochZero: 1000, EpochSeconds: 100}
	for _, c := range []struct {
		now   int64
		epoch uint64
		ended bool
	}{{1100, 0, true}, {1090, 0, true}, {1089, 0, false}, {1099, 1, false}, {1199, 1, true}, {999, 0, false}, {0, 1 << 63, false}} {
		a.options.Now = func() time.Time { return time.Unix(c.now, 0) }
		if err := a.ended(c.epoch); (err == nil) != c.ended {
			t.Errorf("at %d epoch %d: %v", c.now, c.epoch, err)
		}
	}
}

func TestOffersRefused(t *testing.T) {
	b := newBroker(t)
	n := newNode(t, b)
	organisation, err := device.NewKey(commit.Ed25519)
	if err != nil {
		t.Fatal(err)
	}
	key, err := commit.NewPublicKey(organisation.Public())
	if err != nil {
		t.Fatal(err)
	}
	o := options(b, n)
	o.NodeKey, o.Fleet = &key, "fleet"
	d := newDevice(t)
	r := run(t, d, o)
	tries := func(what string, change func(n *node)) {
		t.Helper()
		before := 0
		n.set(func(n *node) { change(n); before = n.hellos })
		eventually(t, "another hello, "+what, func() (more bool) {
			n.set(func(n *node) { more = n.hellos > before+1 })
			return more
		})
		if r.Status().Seated {
			t.Fatalf("%s: taken", what)
		}
	}
	sign := func(o *frame.Offer, ephemeral []byte, id commit.DeviceID) {
		if err := o.Sign(organisation, ephemeral, id); err != nil {
			t.Error(err)
		}
	}
	tries("without a signature", func(n *node) {})
	tries("signed for another device", func(n *node) {
		n.sign = func(o *frame.Offer, ephemeral []byte, _ commit.DeviceID) { sign(o, ephemeral, commit.DeviceID{9}) }
	})
	tries("another ledger", func(n *node) { n.sign, n.change = sign, func(o *frame.Offer) { o.Ledger = commit.Digest{9} } })
	// The owner would have the device attest to epochs that have not begun.
	tries("epochs that began earlier", func(n *node) { n.change = func(o *frame.Offer) { o.EpochZero = 0 } })
	tries("epochs that are shorter", func(n *node) { n.change = func(o *frame.Offer) { o.EpochSeconds = 60 } })
	tries("another fleet", func(n *node) { n.change = func(o *frame.Offer) { o.Fleet = "other" } })
	n.set(func(n *node) { n.change = nil })
	r.publish(t, 1, 1)
	r.drain(t)
	arrived(t, n, d.ID(), 1)
}
