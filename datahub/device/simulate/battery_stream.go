package simulate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/zk/record"
)

// phase is what a pack does at the moment.
type phase int

const (
	restFull phase = iota
	discharging
	restEmpty
	charging
)

const (
	testRate      = 0.45 // C, below the C/2 at which capacity is rated
	restSeconds   = 600
	cellMilliOhm  = 0.8
	alarmReadings = 3
	packMinutes   = 25
	loadSpread    = 0.1
)

// BatteryStream is the readings of one pack: full discharges and charges over its voltage window, with rests between them. It is not
// safe for concurrent use.
type BatteryStream struct {
	fleet   *Fleet
	pack    battery
	random  *rand.Rand
	speedUp float64

	phase phase
	// Charge is counted as package health does, in half picocoulombs: (µA + µA)·µs. left is what is in the pack.
	capacity, left int64
	currentMicroA  int64
	last, since    time.Time
	heat           float64 // 0 at ambient temperature to 1 at the pack's peak
	ambient        float64
	moved          int64 // half picocoulombs, in and out
	alarm          int
	faults         uint32
	begun          time.Time
}

// Battery starts the stream of device i, a full pack at rest, as it has aged up to now.
func (f *Fleet) Battery(i int, o StreamOptions) (*BatteryStream, error) {
	d, random, err := f.device(i)
	if err != nil {
		return nil, err
	}
	pack, ok := d.physics.(*battery)
	if !ok {
		return nil, fmt.Errorf("device %d of a %s fleet has no battery", i, f.schema.Name)
	}
	speedUp, err := o.speedUp()
	if err != nil {
		return nil, err
	}
	s := &BatteryStream{fleet: f, pack: *pack, random: random, speedUp: min(speedUp, fastest/testRate)}
	// A whole mAh, so that the record says exactly what a discharge delivers.
	s.capacity = int64(pack.record()[4]) * 1000 * 7_200_000_000
	s.left = s.capacity
	s.ambient = pack.siteMean + pack.siteSwing*season(float64(f.day))
	s.ambient = min(s.ambient, pack.peak-2)
	return s, nil
}

// Next is the reading at a time, which should not fall.
func (s *BatteryStream) Next(at time.Time) telemetry.Reading {
	micros := elapsed(s.last, at)
	if s.last.IsZero() {
		s.begun, s.since = at, at
	}
	before := s.currentMicroA
	cutOff := s.advance(at, micros)
	s.count(before, micros)
	s.warm(micros)
	s.fault(micros)
	s.last = at
	return s.reading(at, cutOff)
}

// advance chooses the current at the end of a step, and says whether the pack is at the end of its window.
func (s *BatteryStream) advance(at time.Time, micros int64) (cutOff bool) {
	rest := time.Duration(restSeconds / s.speedUp * float64(time.Second))
	switch s.phase {
	case restFull, restEmpty:
		s.currentMicroA = 0
		if at.Sub(s.since) >= rest {
			s.turn(at)
			s.currentMicroA = s.sign() * min(s.rated(), s.room()/max(2*micros, 1)) // leaves enough for a step of the same length
		}
	case discharging, charging:
		return s.flow(at, micros)
	}
	return false
}

func (s *BatteryStream) turn(at time.Time) { s.phase, s.since = (s.phase+1)%4, at }

// rated is the current of a discharge or charge in µA.
func (s *BatteryStream) rated() int64 {
	return int64(testRate * s.speedUp * ratedMilliampHours * 1000)
}

func (s *BatteryStream) sign() int64 {
	if s.phase == discharging {
		return -1
	}
	return 1
}

// room is the charge that is left to move in this phase.
func (s *BatteryStream) room() int64 {
	if s.phase == discharging {
		return s.left
	}
	return s.capacity - s.left
}

// flow goes on with a discharge or charge. The last current is chosen such that one more step of the same length, in which it falls to
// nothing, moves exactly what is left: a trapezoidal count then finds the capacity.
func (s *BatteryStream) flow(at time.Time, micros int64) (cutOff bool) {
	now, full, room := abs(s.currentMicroA), s.rated(), s.room()
	if room > (now+2*full)*micros {
		s.currentMicroA = s.sign() * full
		return room <= (now+full)*micros+full*micros*5/4 // the last current would be too small to count as one
	}
	next := (room/max(1, micros) - now) / 2
	if next < full/80 { // this step takes the rest
		s.turn(at)
		s.currentMicroA = 0
		return false
	}
	s.currentMicroA = s.sign() * next
	return true
}

func (s *BatteryStream) count(before, micros int64) {
	charge := (before + s.currentMicroA) * micros
	s.moved += abs(charge)
	s.left = max(0, min(s.capacity, s.left+charge))
	// What a step of another length leaves over, the management system's own count corrects at either end.
	switch s.phase {
	case restFull:
		s.left = s.capacity
	case restEmpty:
		s.left = 0
	}
}

// warm moves the temperature towards the pack's peak while it is discharged, and back.
func (s *BatteryStream) warm(micros int64) {
	minutes := float64(micros) / 60e6 * s.speedUp
	target := 0.0
	switch s.phase {
	case discharging:
		target = 1
	case charging:
		target = 0.6
	}
	s.heat += (target - s.heat) * (1 - math.Exp(-minutes/packMinutes))
}

// fault draws whether the management system raises an alarm.
func (s *BatteryStream) fault(micros int64) {
	if s.alarm > 0 {
		s.alarm--
		return
	}
	days := float64(micros) / 86_400e6 * s.speedUp
	if s.random.Float64() < 1-math.Exp(-s.pack.faultRate()*days) {
		s.alarm = alarmReadings
		s.faults++
	}
}

// openCircuit is the voltage of a cell at rest in µV, at charges of 0, 10 … 100 %.
var openCircuit = [...]float64{3_150_000, 3_480_000, 3_560_000, 3_610_000, 3_650_000, 3_710_000, 3_800_000, 3_900_000, 3_990_000, 4_080_000, 4_200_000}

func (s *BatteryStream) cellMicroV(cutOff bool) float64 {
	if cutOff { // what ends a discharge is that the voltage reaches the end of the window, and so for a charge
		if s.phase == discharging {
			return lowCellMicroV
		}
		return highCellMicroV
	}
	share := float64(s.left) / float64(s.capacity) * 10
	i := min(int(share), len(openCircuit)-2)
	rest := openCircuit[i] + (openCircuit[i+1]-openCircuit[i])*(share-float64(i))
	drop := float64(s.currentMicroA) / s.speedUp * cellMilliOhm / 1000
	return max(lowCellMicroV, min(highCellMicroV, rest+drop))
}

func (s *BatteryStream) reading(at time.Time, cutOff bool) telemetry.Reading {
	cell := s.cellMicroV(cutOff)
	spread := float64(uint32(max(1, s.pack.spread))) * 1000 // whole millivolts, as the record has it
	if s.currentMicroA != 0 {
		spread *= 1 + loadSpread
	}
	hottest := int64((s.ambient + (s.pack.peak-s.ambient)*s.heat) * 1000)
	r := telemetry.Reading{
		TimeMicros: at.UnixMicro(), VoltageMicroV: health.Known(int64(cells * cell)), CurrentMicroA: health.Known(s.currentMicroA),
		StateOfCharge: health.Known(int64(float64(s.left) / float64(s.capacity) * 10_000)),
		HottestMilliC: health.Known(hottest), ColdestMilliC: health.Known(hottest - 1500 - int64(1500*s.heat)),
		LowestCellMicroV: health.Known(int64(cell - spread/2)),
	}
	r.HighestCellMicroV = health.Known(r.LowestCellMicroV.Value + int64(spread))
	if s.alarm > 0 {
		r.AlarmLevel, r.AlarmFlags = 2, 1<<10 // cell spread
	}
	return r
}

// History is what the pack's own log holds of a full discharge that ended just now, at steps of at most the given length. The stream goes
// on from there. It is for the beginning of a stream: capacity is known from then on.
func (s *BatteryStream) History(until time.Time, step time.Duration) []telemetry.Reading {
	discharge := time.Duration(float64(s.capacity) / 2 / float64(s.rated()) * float64(time.Microsecond))
	step = min(step, discharge/100)
	rests := time.Duration(2 * restSeconds / s.speedUp * float64(time.Second))
	steps := int((discharge+rests)/step) + 4
	out := make([]telemetry.Reading, 0, steps+1)
	for i := steps; i >= 0; i-- {
		out = append(out, s.Next(until.Add(-time.Duration(i)*step)))
	}
	return out
}

// Record is the record as the pack's own management system has it, which has counted since the pack was new. The peak temperature of
// the epoch is the caller's to know.
func (s *BatteryStream) Record(peakMilliC int64) record.Record {
	r := s.pack.record()
	full := 2 * int64(ratedMilliampHours) * 1000 * 7_200_000_000
	r[2] += uint32(s.moved / (full / 10))
	r[3] += uint32(s.last.Sub(s.begun).Hours() / 24)
	r[6] = uint32(max(0, (peakMilliC+40_000)/100))
	r[7] += s.faults
	return s.fleet.within(r)
}

func abs(v int64) int64 { return max(v, -v) }
