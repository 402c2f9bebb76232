package health

import (
	"errors"
	"fmt"
	"math/big"
)

// chargerFigures are what the record of an epoch is derived from.
type chargerFigures struct {
	epoch     chargerEpoch
	faults    uint32
	ageMicros int64
	used      int
}

// Record derives the record of the current epoch from the readings so far. The error says what is missing for one.
func (a *ChargerAccumulator) Record() (Health, error) {
	f := a.figures()
	return f.health()
}

func (a *ChargerAccumulator) figures() chargerFigures {
	return chargerFigures{a.epoch, a.faults, a.lastMicros - a.firstMicros, a.used}
}

func (f *chargerFigures) health() (Health, error) {
	e := &f.epoch
	if e.readings == 0 {
		return Health{}, ErrNoReadings
	}
	if !e.registered && (e.sessions > 0 || e.peakMilliW.Value > 0) {
		return Health{}, errors.New("no energy: the pile charged, but no reading of the epoch carries a register")
	}
	peak, err := e.peak()
	if err != nil {
		return Health{}, err
	}
	r, err := laneRecord("charger/v1", map[string]*big.Int{
		"energy_Wh":      ratio(new(big.Int).SetUint64(e.energyMilliWh), 1, big.NewInt(1000)),
		"sessions":       big.NewInt(int64(e.sessions)),
		"revenue":        new(big.Int).SetUint64(e.revenueCents),
		"uptime_minutes": big.NewInt(e.upMicros / 60_000_000),
		"peak_power_W":   ratio(big.NewInt(peak), 1, big.NewInt(1000)),
		"faults":         big.NewInt(int64(f.faults)),
		"age_days":       big.NewInt(f.ageMicros / dayMicros),
	})
	if err != nil {
		return Health{}, err
	}
	return Health{Record: r, Details: Details{Formulas: ChargerFormulas, Readings: f.used}}, nil
}

// peak is the highest power measured, else the highest mean power, in mW.
func (e *chargerEpoch) peak() (int64, error) {
	switch {
	case e.peakMilliW.Known:
		return e.peakMilliW.Value, nil
	case e.peakOfMeansMilliW.Known:
		return e.peakOfMeansMilliW.Value, nil
	case e.energyMilliWh > 0:
		return 0, fmt.Errorf("no peak power: no reading of the epoch carries power, and no register was read twice %d s apart", meanMicros/1_000_000)
	}
	return 0, nil
}
