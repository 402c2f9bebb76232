package ledgertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

// consortium compares what everybody is told about the consortium with the genesis.
func (s *suite) consortium(t *testing.T) {
	for _, org := range s.all {
		b := s.as(org)
		if b.ID() != s.Genesis.ID() {
			t.Errorf("%s's client is of ledger %s, not %s", org, b.ID(), s.Genesis.ID())
		}
		if diff := cmp.Diff(*s.Genesis, must[ledger.Genesis](t)(b.Genesis(s.ctx))); diff != "" {
			t.Errorf("genesis of %s: %s", org, diff)
		}
		if diff := cmp.Diff(s.Genesis.Organisations, must[[]ledger.Organisation](t)(b.Organisations(s.ctx))); diff != "" {
			t.Errorf("organisations of %s: %s", org, diff)
		}
		e := must[ledger.EpochInfo](t)(b.Epoch(s.ctx))
		if s.Genesis.EpochStart(e.Epoch).Unix() != e.Start || s.Genesis.EpochEnd(e.Epoch).Unix() != e.End || e.Now < e.Start || e.Now >= e.End {
			t.Errorf("epoch of %s: %+v", org, e)
		}
	}
	if _, err := s.Client(t, s.owner, s.regulator, "nobody-"+s.run); err == nil {
		t.Error("the peer of a stranger can be asked to endorse")
	}
	if _, err := s.Client(t, "nobody-"+s.run); err == nil {
		t.Error("a stranger has access")
	}
}

func (s *suite) registersMakers(t *testing.T) {
	good := makerArgs(s.maker)
	leaf := s.maker.Certify(s.maker.ID, "x", commit.Module, committest.NewDevice(commit.P256).Key.Public())
	by := func(org string, a ledger.RegisterMaker) call {
		return call{by: org, function: ledger.FnRegisterMaker, args: a}
	}
	changed := func(id, name string, certificate []byte) call {
		return by(s.regulator, ledger.RegisterMaker{ID: id, Name: name, Certificate: certificate})
	}
	var c checks
	for _, org := range s.withoutRole(ledger.RoleRegulator) {
		c.add(org+" is no regulator", func() error { return s.refused(ledger.Forbidden, by(org, good)) })
	}
	for name, bad := range map[string]call{
		"certificate of another id": changed(s.other.ID, "Maker", good.Certificate),
		"certificate of a device":   changed(good.ID, "Maker", leaf),
		"no certificate":            changed(good.ID, "Maker", nil),
		"garbage":                   changed(good.ID, "Maker", []byte("certificate")),
		"id with a separator":       changed("maker/a", "Maker", good.Certificate),
		"unprintable name":          changed(good.ID, "a\nb", good.Certificate),
	} {
		c.add(name, func() error { return s.refused(ledger.Invalid, bad) })
	}
	if s.Agree != nil {
		c.add("nobody agreed", func() error { return s.refused(ledger.NotEndorsed, by(s.regulator, makerArgs(s.stranger))) })
	}
	c.must(t)
	for _, m := range []*contracttest.Maker{s.maker, s.other} {
		a := makerArgs(m)
		s.consent(t, a.Digest())
		r := s.mustSubmit(t, by(s.regulator, a))
		want := ledger.Maker{ID: m.ID, Name: "Maker " + m.ID, Certificate: m.Cert.Raw, TxID: r.TxID}
		got := result[ledger.Maker](t, r)
		want.Time = got.Time
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	s.oneMakerEach(t)
}

// oneMakerEach tries to register a maker again, in both ways.
func (s *suite) oneMakerEach(t *testing.T) {
	again := ledger.RegisterMaker{ID: "again-" + s.run, Name: "Again", Certificate: s.maker.Reissue("again-" + s.run)}
	s.consent(t, again.Digest())
	var c checks
	for name, a := range map[string]ledger.RegisterMaker{"twice": makerArgs(s.maker), "its CA's key under another id": again} {
		c.add(name, func() error {
			return s.refused(ledger.Conflict, call{by: s.regulator, function: ledger.FnRegisterMaker, args: a})
		})
	}
	c.must(t)
	var ids []string
	for _, m := range must[[]ledger.Maker](t)(s.as(s.owner).Makers(s.ctx)) {
		ids = append(ids, m.ID)
	}
	if !slices.IsSorted(ids) || !slices.Contains(ids, s.maker.ID) || !slices.Contains(ids, s.other.ID) || slices.Contains(ids, again.ID) || slices.Contains(ids, s.stranger.ID) {
		t.Errorf("makers are %v", ids)
	}
}

// consent has everybody agree, where anybody is asked.
func (s *suite) consent(t *testing.T, digest commit.Digest) {
	t.Helper()
	if s.Agree != nil {
		s.Agree(t, digest)
	}
}

func (s *suite) registersFleets(t *testing.T) {
	s.fleet, s.closed = "fleet-"+random(), "closed-"+random()
	by := func(org string, a ledger.RegisterFleet) call {
		return call{by: org, function: ledger.FnRegisterFleet, args: a}
	}
	var c checks
	for _, org := range s.withoutRole(ledger.RoleOwner) {
		c.add(org+" is no owner", func() error { return s.refused(ledger.Forbidden, by(org, fleetArgs(s.fleet))) })
	}
	c.add("unknown schema", func() error {
		return s.refused(ledger.Invalid, by(s.owner, ledger.RegisterFleet{ID: s.fleet, Schema: "battery/v999", ChunkSize: contracttest.ChunkSize}))
	})
	c.add("another chunk size", func() error {
		return s.refused(ledger.Invalid, by(s.owner, ledger.RegisterFleet{ID: s.fleet, Schema: contracttest.Schema, ChunkSize: 128}))
	})
	for _, id := range []string{"", "A", "a/b", "-a", "a-", "a\x00", "ä", strings.Repeat("a", ledger.MaxID+1)} {
		c.add("id "+id, func() error { return s.refused(ledger.Invalid, by(s.owner, fleetArgs(id))) })
	}
	for _, set := range s.tooFew() {
		c.add("endorsed by "+strings.Join(set, " and "), func() error {
			return s.refused(ledger.NotEndorsed, call{by: s.owner, endorsers: set, function: ledger.FnRegisterFleet, args: fleetArgs(s.fleet)})
		})
	}
	c.must(t)
	for _, id := range []string{s.fleet, s.closed} {
		r := s.mustSubmit(t, by(s.owner, fleetArgs(id)))
		got := must[ledger.Fleet](t)(s.as(s.regulator).Fleet(s.ctx, id))
		if diff := cmp.Diff(result[ledger.Fleet](t, r), got); diff != "" {
			t.Error(diff)
		}
		want := ledger.Fleet{ID: id, Owner: s.owner, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize, Time: got.Time, TxID: r.TxID}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	s.oneFleetEach(t)
}

func (s *suite) oneFleetEach(t *testing.T) {
	var c checks
	for _, org := range s.Genesis.WithRole(ledger.RoleOwner) {
		c.add("twice", func() error {
			return s.refused(ledger.Conflict, call{by: org, function: ledger.FnRegisterFleet, args: fleetArgs(s.fleet)})
		})
	}
	c.add("a fleet that is not there", func() error {
		return s.queryRefused(ledger.NotFound, s.financier, ledger.QueryFleet, ledger.FleetRef{Fleet: "none-" + s.run})
	})
	c.add("a fleet with a separator", func() error {
		return s.queryRefused(ledger.Invalid, s.financier, ledger.QueryChunks, ledger.FleetRef{Fleet: "a/b"})
	})
	c.must(t)
	var ids []string
	for _, f := range must[[]ledger.Fleet](t)(s.as(s.financier).Fleets(s.ctx)) {
		ids = append(ids, f.ID)
	}
	if !slices.IsSorted(ids) || !slices.Contains(ids, s.fleet) || !slices.Contains(ids, s.closed) {
		t.Errorf("fleets are %v", ids)
	}
}
