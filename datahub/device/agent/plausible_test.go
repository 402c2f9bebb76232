package agent

import (
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

func TestPlausible(t *testing.T) {
	battery, err := record.Lookup("battery/v1")
	if err != nil {
		t.Fatal(err)
	}
	pile, err := record.Lookup("charger/v1")
	if err != nil {
		t.Fatal(err)
	}
	metered := record.Record{1, 100_000, 5, 0, 0, 120_000}
	for name, c := range map[string]struct {
		p  Proposal
		ok bool
	}{
		"nothing measured": {Proposal{Schema: battery, Class: commit.Gateway, Record: proposed}, true},
		"secure element":   {Proposal{Schema: battery, Class: commit.SecureElement, Record: proposed}, false},
		"module":           {Proposal{Schema: battery, Class: commit.Module, Record: proposed}, false},
		"as measured":      {Proposal{Schema: battery, Class: commit.Software, Record: proposed, Measured: Measured{PeakMilliC: health.Known(38_200), SpreadMicroV: health.Known(35_000)}}, true},
		"hotter":           {Proposal{Schema: battery, Class: commit.Software, Record: proposed, Measured: Measured{PeakMilliC: health.Known(30_000)}}, false},
		"colder":           {Proposal{Schema: battery, Class: commit.Software, Record: proposed, Measured: Measured{PeakMilliC: health.Known(50_000)}}, false},
		"wider":            {Proposal{Schema: battery, Class: commit.Software, Record: proposed, Measured: Measured{SpreadMicroV: health.Known(20_000)}}, false},
		"pile as metered":  {Proposal{Schema: pile, Class: commit.Gateway, Record: metered, Measured: Measured{PeakMilliW: health.Known(120_000_000), EnergyMilliWh: health.Known(100_000_000)}}, true},
		"pile's power":     {Proposal{Schema: pile, Class: commit.Gateway, Record: metered, Measured: Measured{PeakMilliW: health.Known(60_000_000)}}, false},
		"pile's energy":    {Proposal{Schema: pile, Class: commit.Gateway, Record: metered, Measured: Measured{EnergyMilliWh: health.Known(90_000_000)}}, false},
	} {
		if err := Plausible(c.p); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMeasurements(t *testing.T) {
	g := &ledger.Genesis{EpochZero: 100, EpochSeconds: 10}
	var m measurements
	at := func(seconds int64) int64 { return seconds * 1_000_000 }
	m.readings(g, []telemetry.Reading{
		{TimeMicros: at(99), HottestMilliC: health.Known(90_000)}, // before epoch 0
		{TimeMicros: at(100), HottestMilliC: health.Known(20_000), LowestCellMicroV: health.Known(1), HighestCellMicroV: health.Known(5)},
		{TimeMicros: at(109), HottestMilliC: health.Known(10_000)},
		{TimeMicros: at(110), HottestMilliC: health.Known(30_000)},
	})
	if got := m.of(0); got.PeakMilliC != health.Known(20_000) || got.SpreadMicroV != health.Known(4) {
		t.Errorf("epoch 0: %+v", got)
	}
	m.readings(g, []telemetry.Reading{{TimeMicros: at(131), HottestMilliC: health.Known(1)}}) // takes the place of epoch 0
	if got := m.of(0); got != (Measured{}) {
		t.Errorf("epoch 0 is kept: %+v", got)
	}
	if got := m.of(1); got.PeakMilliC != health.Known(30_000) {
		t.Errorf("epoch 1: %+v", got)
	}
	var p measurements
	p.meterings(g, []telemetry.Metering{
		{TimeMicros: at(100), ImportMilliWh: health.Known(1000)}, {TimeMicros: at(105), ImportMilliWh: health.Known(1500), PowerMilliW: health.Known(7)},
		{TimeMicros: at(112), ImportMilliWh: health.Known(1700)}, {TimeMicros: at(113), ImportMilliWh: health.Known(10)}, {TimeMicros: at(114), ImportMilliWh: health.Known(30)},
	})
	if zero, one := p.of(0), p.of(1); zero.EnergyMilliWh != health.Known(500) || zero.PeakMilliW != health.Known(7) || one.EnergyMilliWh != health.Known(220) {
		t.Errorf("epochs 0 and 1: %+v, %+v", zero, one)
	}
}
