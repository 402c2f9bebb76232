package agent

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// Proposal is a record that a node proposes to a device.
type Proposal struct {
	Schema   *record.Schema
	Class    commit.KeyClass
	Epoch    uint64
	Record   record.Record
	Formulas string
	// Measured is what the device itself published in the epoch.
	Measured Measured
}

// Measured are the extremes of what a device published in one epoch, by its own clock.
type Measured struct {
	// PeakMilliC is the highest temperature, SpreadMicroV the largest difference between cells.
	PeakMilliC, SpreadMicroV health.Measured
	// PeakMilliW is the highest power of a pile, EnergyMilliWh by how much its register rose.
	PeakMilliW, EnergyMilliWh health.Measured
}

// How far a proposal may be from what the device measured.
const (
	peakTolerance   = 50   // 0.1 °C: the temperature's lane
	spreadTolerance = 5    // mV
	powerTolerance  = 1000 // W
)

// Plausible approves what lies within the bounds of the device's own measurements of the epoch: the highest temperature
// within 5 °C, a cell spread at most 5 mV above the largest, a pile's power at most 1 kW above the highest and its energy at
// most 1 % and 1 kWh above what its register rose by. What was not measured is not compared. It is for gateways and software,
// which could sign anything anyway; a device with its key in hardware needs a decision of its own.
func Plausible(p Proposal) error {
	if p.Class != commit.Gateway && p.Class != commit.Software {
		return fmt.Errorf("a device of class %s decides by itself", p.Class)
	}
	if p.Schema.Name == "charger/v1" {
		return plausiblePile(p)
	}
	if m := p.Measured.PeakMilliC; m.Known {
		if d := lane(p, "peak_temperature") - (m.Value+40_000)/100; d > peakTolerance || d < -peakTolerance {
			return errors.New("its peak temperature is not what was measured")
		}
	}
	if m := p.Measured.SpreadMicroV; m.Known && lane(p, "voltage_spread_mV") > m.Value/1000+spreadTolerance {
		return errors.New("its voltage spread is above what was measured")
	}
	return nil
}

func plausiblePile(p Proposal) error {
	if m := p.Measured.PeakMilliW; m.Known && lane(p, "peak_power_W") > m.Value/1000+powerTolerance {
		return errors.New("its peak power is above what was measured")
	}
	if m := p.Measured.EnergyMilliWh; m.Known && lane(p, "energy_Wh") > m.Value/1000+m.Value/100_000+1000 {
		return errors.New("its energy is above what was metered")
	}
	return nil
}

func lane(p Proposal, name string) int64 {
	i, ok := p.Schema.LaneIndex(name)
	if !ok {
		return 0
	}
	return int64(p.Record[i])
}

// measurements are those of the last epochs.
type measurements struct {
	epochs [3]struct {
		epoch uint64
		known bool
		Measured
		register health.Measured
	}
}

func (m *measurements) at(g *ledger.Genesis, micros int64) int {
	epoch, err := g.EpochAt(time.UnixMicro(micros))
	if err != nil {
		return -1
	}
	i := int(epoch % uint64(len(m.epochs)))
	e := &m.epochs[i]
	if e.known && e.epoch > epoch {
		return -1
	}
	if !e.known || e.epoch < epoch {
		register := m.epochs[(i+len(m.epochs)-1)%len(m.epochs)].register
		*e = struct {
			epoch uint64
			known bool
			Measured
			register health.Measured
		}{epoch: epoch, known: true, register: register}
	}
	return i
}

// of is what was measured in an epoch.
func (m *measurements) of(epoch uint64) Measured {
	e := m.epochs[epoch%uint64(len(m.epochs))]
	if !e.known || e.epoch != epoch {
		return Measured{}
	}
	return e.Measured
}

func (m *measurements) readings(g *ledger.Genesis, readings []telemetry.Reading) {
	for i := range readings {
		r := &readings[i]
		at := m.at(g, r.TimeMicros)
		if at < 0 {
			continue
		}
		e := &m.epochs[at]
		raise(&e.PeakMilliC, r.HottestMilliC)
		if r.HighestCellMicroV.Known && r.LowestCellMicroV.Known {
			raise(&e.SpreadMicroV, health.Known(r.HighestCellMicroV.Value-r.LowestCellMicroV.Value))
		}
	}
}

func (m *measurements) meterings(g *ledger.Genesis, meterings []telemetry.Metering) {
	for _, r := range meterings {
		at := m.at(g, r.TimeMicros)
		if at < 0 {
			continue
		}
		e := &m.epochs[at]
		raise(&e.PeakMilliW, r.PowerMilliW)
		if !r.ImportMilliWh.Known {
			continue
		}
		if before := e.register; before.Known && r.ImportMilliWh.Value >= before.Value {
			e.EnergyMilliWh = health.Known(e.EnergyMilliWh.Value + r.ImportMilliWh.Value - before.Value)
		}
		e.register = r.ImportMilliWh
	}
}

func raise(most *health.Measured, v health.Measured) {
	if v.Known && (!most.Known || v.Value > most.Value) {
		*most = v
	}
}
