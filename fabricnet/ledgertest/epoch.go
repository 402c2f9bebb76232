package ledgertest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// nextEpoch waits for the start of the next epoch. What is to be prepared for it is prepared meanwhile; the current one is opened, or nothing could be anchored for it.
func (s *suite) nextEpoch(t *testing.T, prepare func(next uint64)) uint64 {
	t.Helper()
	for {
		now := must[uint64](t)(s.Genesis.EpochAt(s.Now()))
		if _, err := s.as(s.regulator).OpenEpoch(s.ctx); err != nil && ledger.CodeOf(err) != ledger.Expired {
			t.Fatal(err)
		}
		prepare(now + 1)
		if must[uint64](t)(s.Genesis.EpochAt(s.Now())) == now {
			s.Until(t, s.Genesis.EpochStart(now+1))
			return now + 1
		}
		// It took so long that the next epoch is not fresh.
	}
}

// opensAtOnce has a regulator open an epoch several times at once: it is opened once.
func (s *suite) opensAtOnce(t *testing.T, epoch uint64) {
	t.Helper()
	var c checks
	opened := make([]bool, 3)
	for i := range opened {
		c.add("opening the epoch", func() error {
			r, err := s.submit(call{by: s.regulator, function: ledger.FnOpenEpoch, args: ledger.OpenEpoch{Epoch: epoch}})
			if opened[i] = err == nil; !opened[i] {
				return wrongCode(ledger.Conflict, "opening an epoch at the same time", err)
			}
			o, err := ledger.Decode[ledger.OpenedEpoch]("result", r.Result, ledger.MaxRecord)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(ledger.OpenedEpoch{Epoch: epoch, Time: o.Time, TxID: r.TxID}, *o); diff != "" {
				return errors.New(diff)
			}
			return nil
		})
	}
	c.must(t)
	count := 0
	for _, o := range opened {
		if o {
			count++
		}
	}
	if count != 1 {
		t.Errorf("epoch %d was opened %d times", epoch, count)
	}
	if e := must[ledger.EpochInfo](t)(s.as(s.owner).Epoch(s.ctx)); e.Opened == nil || *e.Opened != epoch {
		t.Errorf("after opening %d, the epoch is %+v", epoch, e)
	}
}

// beginsAnEpoch is in an epoch in which all devices are enrolled.
func (s *suite) beginsAnEpoch(t *testing.T) {
	epoch := s.nextEpoch(t, func(uint64) {})
	if e := must[ledger.EpochInfo](t)(s.as(s.owner).Epoch(s.ctx)); e.Opened == nil || *e.Opened >= epoch {
		t.Fatalf("at its start, the epoch is %+v", e)
	}
	var c checks
	expired := func(name, by, function string, args any) {
		c.add(name, func() error { return s.refused(ledger.Expired, call{by: by, function: function, args: args}) })
	}
	expired("enrolling before the epoch is opened", s.owner, ledger.FnEnrol, contracttest.Enrolment(s.Genesis.ID(), s.fleet, 0, 50, s.draw(s.maker, 1)))
	expired("retiring before the epoch is opened", s.owner, ledger.FnRetire, ledger.Retire{Fleet: s.fleet, Slots: []uint32{0}, Reason: "worn"})
	for _, other := range []uint64{epoch - 1, epoch + 2, 1 << 40} {
		expired(fmt.Sprintf("opening epoch %d in %d", other, epoch), s.regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: other})
	}
	for _, org := range s.withoutRole(ledger.RoleRegulator) {
		c.add(org+" is no regulator", func() error {
			return s.refused(ledger.Forbidden, call{by: org, function: ledger.FnOpenEpoch, args: ledger.OpenEpoch{Epoch: epoch}})
		})
	}
	c.must(t)
	s.opensAtOnce(t, epoch)
	checks{{"opening it again", func() error {
		return s.refused(ledger.Conflict, call{by: s.regulator, function: ledger.FnOpenEpoch, args: ledger.OpenEpoch{Epoch: epoch}})
	}}}.must(t)
}

// missesAnEpoch lets the current epoch pass, if nobody opened it, and tries to anchor it in its window.
func (s *suite) missesAnEpoch(t *testing.T) {
	e := must[ledger.EpochInfo](t)(s.as(s.owner).Epoch(s.ctx))
	if e.Opened != nil && *e.Opened >= e.Epoch {
		t.Skipf("epoch %d is opened", e.Epoch)
	}
	s.Until(t, s.Genesis.EpochEnd(e.Epoch))
	s.opensAtOnce(t, e.Epoch+1)
	checks{{"anchoring an epoch that was not opened", func() error {
		return s.refused(ledger.Expired, s.anchorCall(s.fleet, 0, e.Epoch, nil))
	}}}.must(t)
}

// retired is the slot of chunk 0 of the fleet that is retired.
const retired = 7

func (s *suite) retires(t *testing.T) {
	by := func(org string, a ledger.Retire) call { return call{by: org, function: ledger.FnRetire, args: a} }
	retire := func(reason string, chunk uint32, slots ...uint32) ledger.Retire {
		return ledger.Retire{Fleet: s.fleet, Chunk: chunk, Slots: slots, Reason: reason}
	}
	var c checks
	add := func(name string, code ledger.Code, org string, a ledger.Retire) {
		c.add(name, func() error { return s.inOpenEpoch(func() error { return s.refused(code, by(org, a)) }) })
	}
	for _, org := range s.but(s.owner) {
		add("not the fleet's owner", ledger.Forbidden, org, retire("worn", 0, retired))
	}
	add("no reason", ledger.Invalid, s.owner, retire("", 0, retired))
	add("an unprintable reason", ledger.Invalid, s.owner, retire("a\nb", 0, retired))
	add("no slots", ledger.Invalid, s.owner, retire("worn", 0))
	add("a slot twice", ledger.Invalid, s.owner, retire("worn", 0, retired, retired))
	add("chunk out of range", ledger.Invalid, s.owner, retire("worn", ledger.MaxChunks, retired))
	add("an empty slot", ledger.NotFound, s.owner, retire("worn", 0, retired, 33))
	c.must(t)
	before := must[ledger.SlotEntry](t)(s.slot(0, retired))
	checks{{"retiring", func() error {
		return s.inOpenEpoch(func() error { return s.done(by(s.owner, retire("worn", 0, retired))) })
	}}}.must(t)
	after := must[ledger.SlotEntry](t)(s.slot(0, retired))
	want := before
	want.Enrolment.Until, want.Enrolment.Reason = after.Enrolment.Until, "worn"
	if diff := cmp.Diff(want, after); diff != "" || after.Enrolment.Until <= after.Enrolment.From {
		t.Errorf("the retired slot is %+v: %s", after, diff)
	}
	c = nil
	add("retiring again", ledger.Conflict, s.owner, retire("worn", 0, 0, retired))
	s.enrolBy(&c, "the retired slot's number again", ledger.Conflict, s.owner, contracttest.Enrolment(s.Genesis.ID(), s.fleet, 0, retired, s.draw(s.maker, 1)))
	c.must(t)
	s.comesBack(t, after)
}

// comesBack enrols the retired device elsewhere, with another beside it. It is in both slots' records and active in one at a time.
func (s *suite) comesBack(t *testing.T, old ledger.SlotEntry) {
	devices := append([]contracttest.Device{s.device(old.Enrolment.Device)}, s.draw(s.other, 1)...)
	checks{{"the retired device elsewhere", func() error {
		return s.inOpenEpoch(func() error { return s.enrolled(contracttest.Enrolment(s.Genesis.ID(), s.fleet, 3, 0, devices)) })
	}}}.must(t)
	fresh, err := s.slot(3, 0)
	if err != nil || fresh.Enrolment.Device != old.Enrolment.Device || fresh.Enrolment.From < old.Enrolment.Until {
		t.Errorf("the device came back as %+v, %v; its old slot is %+v", fresh, err, old)
	}
}

// slot finds a slot of the fleet.
func (s *suite) slot(chunk, slot uint32) (ledger.SlotEntry, error) {
	slots, err := s.as(s.financier).Slots(s.ctx, s.fleet, chunk)
	for _, e := range slots {
		if e.Slot == slot {
			return e, err
		}
	}
	return ledger.SlotEntry{}, errors.Join(err, fmt.Errorf("chunk %d has no slot %d", chunk, slot))
}

// isTooEarly is in the epoch that the anchors are to be about.
func (s *suite) isTooEarly(t *testing.T) {
	epoch := must[ledger.EpochInfo](t)(s.as(s.owner).Epoch(s.ctx)).Epoch
	attestations := s.attested(t, s.fleet, 2, epoch)
	anchor := s.anchorCall(s.fleet, 2, epoch, attestations)
	future := s.anchorCall(s.fleet, 2, 1<<63, attestations)
	statement := s.statement(s.financier, s.fleet, epoch+2, s.Now().Add(time.Hour))
	var c checks
	c.add("anchoring the current epoch", func() error { return s.refused(ledger.Expired, anchor) })
	c.add("anchoring an epoch beyond all", func() error { return s.refused(ledger.Invalid, future) })
	c.add("settling an epoch to come", func() error {
		return s.refused(ledger.Expired, call{by: s.regulator, function: ledger.FnSettle, args: ledger.EpochRef{Fleet: s.fleet, Epoch: epoch + 2}})
	})
	c.add("asking about an epoch to come", func() error {
		return s.refused(ledger.Invalid, call{by: s.financier, function: ledger.FnRequest, args: ledger.Ask{Statement: statement.Canonical()}})
	})
	c.add("facts of an epoch to come", func() error {
		return s.queryRefused(ledger.Expired, s.regulator, ledger.QueryFacts, ledger.EpochRef{Fleet: s.fleet, Epoch: epoch + 2})
	})
	c.must(t)
	f := must[ledger.FactsEntry](t)(s.as(s.regulator).Facts(s.ctx, s.fleet, epoch))
	if err := f.Facts.Check(); err != nil || f.Final || f.Closed || f.Facts.Attested() != 0 {
		t.Errorf("facts of the current epoch are %+v, %v", f, err)
	}
	s.factsAgree(t, f)
}
