package node

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// Fleet is a fleet of the owner's.
type Fleet struct {
	ID         string            `yaml:"id"`
	Schema     string            `yaml:"schema"`
	ChunkSize  uint32            `yaml:"chunk_size"`
	MaxDevices uint32            `yaml:"max_devices"`
	Accept     []Acceptance      `yaml:"accept"`
	Readmit    bool              `yaml:"readmit"`
	Battery    Battery           `yaml:"battery"`
	Bounds     map[string]string `yaml:"disagreement_bounds"`
	MeterKeys  map[string]string `yaml:"meter_keys"`
	ClipSteps  map[string]string `yaml:"clip_steps"`
}

// Acceptance admits devices by what their certificate says.
type Acceptance struct {
	Maker  string `yaml:"maker"`
	Serial string `yaml:"serial"`
}

// Battery is what has to be known about a fleet's batteries to judge their readings, in decimal text.
type Battery struct {
	RatedCapacityAh string        `yaml:"rated_capacity_Ah"`
	LowVoltageV     string        `yaml:"low_voltage_V"`
	HighVoltageV    string        `yaml:"high_voltage_V"`
	MaxVoltageV     string        `yaml:"max_voltage_V"`
	MaxRateC        string        `yaml:"max_rate_C"`
	MaxGap          time.Duration `yaml:"max_gap"`
	MaxTemperatureC string        `yaml:"max_temperature_C"`
}

const batterySchema = "battery/v1"

func (f *Fleet) setDefaults() {
	if f.Schema == "" {
		f.Schema = batterySchema
	}
	if f.ChunkSize == 0 {
		f.ChunkSize = 1024
	}
	if f.MaxDevices == 0 {
		f.MaxDevices = 100_000
	}
}

func (f *Fleet) check() error {
	if err := ledger.CheckID("id", f.ID); err != nil {
		return err
	}
	schema, err := record.Lookup(f.Schema)
	if err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if !slices.Contains(commit.Sizes, int(f.ChunkSize)) {
		return fmt.Errorf("chunk_size is %d, must be one of %v", f.ChunkSize, commit.Sizes)
	}
	if most := uint64(f.ChunkSize) * ledger.MaxChunks; uint64(f.MaxDevices) > most {
		return fmt.Errorf("max_devices is %d, must be at most %d", f.MaxDevices, most)
	}
	for i, a := range f.Accept {
		for _, pattern := range []string{a.Maker, a.Serial} {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("accept[%d]: %q is no pattern: %w", i, pattern, err)
			}
		}
	}
	if f.Schema == batterySchema {
		if _, err := f.Battery.Figures(); err != nil {
			return fmt.Errorf("battery.%w", err)
		}
	}
	if _, err := query.Lanes(f.Schema, f.ClipSteps); err != nil {
		return fmt.Errorf("clip_steps: %w", err)
	}
	_, err = f.bounds(schema)
	return err
}

// Figures are the battery's figures for package health.
func (b Battery) Figures() (health.Battery, error) {
	out := health.Battery{MaxGapMicros: b.MaxGap.Microseconds()}
	for _, v := range []struct {
		field, text string
		places      int
		to          *int64
	}{
		{"rated_capacity_Ah", b.RatedCapacityAh, 6, &out.RatedMicroAh},
		{"low_voltage_V", b.LowVoltageV, 6, &out.LowMicroV},
		{"high_voltage_V", b.HighVoltageV, 6, &out.HighMicroV},
		{"max_voltage_V", b.MaxVoltageV, 6, &out.MaxVoltageMicroV},
		{"max_rate_C", b.MaxRateC, 3, &out.MaxRateMilliC},
		{"max_temperature_C", b.MaxTemperatureC, 3, &out.MaxTemperatureMilliC},
	} {
		if v.text == "" {
			continue
		}
		var err error
		if *v.to, err = health.ParseDecimal(v.text, v.places); err != nil {
			return out, fmt.Errorf("%s: %w", v.field, err)
		}
	}
	if err := out.Check(); err != nil {
		return out, fmt.Errorf("figures: %w", err)
	}
	return out, nil
}
