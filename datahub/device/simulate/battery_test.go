package simulate

import (
	"math"
	"math/rand/v2"
	"testing"
)

// typical is a pack without chance: 25 °C all year, 80 % deep, C/2, 0.8 cycles a day.
func typical() *battery {
	return &battery{
		initialRatio: 1, calendarFactor: 1, cycleFactor: 1,
		siteMean: 22, cyclesPerDay: 0.8, depth: 0.8, rate: 0.5,
	}
}

func fourYears(b *battery) *battery {
	b.advance(rand.New(rand.NewPCG(1, 1)), 0, 4*365)
	return b
}

func TestATypicalPackHasAReasonableLife(t *testing.T) {
	b := fourYears(typical())
	if health := 1 - b.loss(); health < 0.85 || health > 0.92 {
		t.Errorf("state of health after four years is %.3f, want about 0.88", health)
	}
	if b.fullCycles < 850 || b.fullCycles > 1020 {
		t.Errorf("%.0f equivalent full cycles after four years, want about 934", b.fullCycles)
	}
}

func TestCalendarLossGoesWithTheSquareRootOfTime(t *testing.T) {
	b := &battery{calendarFactor: 1, calendarStress: 400}
	early := b.loss()
	b.calendarStress *= 4
	if ratio := b.loss() / early; math.Abs(ratio-2) > 1e-12 {
		t.Errorf("four times the time gives %v times the loss", ratio)
	}
	if at25 := arrhenius(25); math.Abs(at25-1) > 1e-12 {
		t.Errorf("a(25 °C) = %v", at25)
	}
	if at45 := arrhenius(45); at45 < 4 || at45 > 5 {
		t.Errorf("a(45 °C) = %v, want exp(6976·(1/298.15 − 1/318.15)) = 4.36", at45)
	}
}

// Each stress alone makes a pack age faster.
func TestEveryStressAges(t *testing.T) {
	base := fourYears(typical()).loss()
	for name, change := range map[string]func(*battery){
		"heat":      func(b *battery) { b.siteMean += 10 },
		"depth":     func(b *battery) { b.depth += 0.15 },
		"rate":      func(b *battery) { b.rate += 0.4 },
		"use":       func(b *battery) { b.cyclesPerDay *= 1.5 },
		"calendar":  func(b *battery) { b.calendarFactor = 1.2 },
		"cycling":   func(b *battery) { b.cycleFactor = 1.2 },
		"a bad one": func(b *battery) { b.bad, b.cycleFactor = true, 3 },
	} {
		b := typical()
		change(b)
		if loss := fourYears(b).loss(); loss <= base*1.005 {
			t.Errorf("%s: loss %.4f is not above %.4f", name, loss, base)
		}
	}
}

func TestBadPacksStandOut(t *testing.T) {
	f := newFleet(t, 5, "battery/v1", 5000)
	advance(t, f, 366)
	var bad, good struct{ n, loss, faults, spread float64 }
	for _, d := range f.devices {
		b := d.physics.(*battery)
		group := &good
		if b.bad {
			group = &bad
		}
		group.n++
		group.loss += b.loss()
		group.faults += float64(b.faults)
		group.spread += b.spread
	}
	if bad.n < 60 || bad.n > 150 {
		t.Errorf("%v of 5000 packs are bad, want about 100", bad.n)
	}
	if bad.loss/bad.n < 1.5*good.loss/good.n || bad.faults/bad.n < 3*good.faults/good.n || bad.spread/bad.n < 2*good.spread/good.n {
		t.Errorf("bad packs do not stand out: %+v beside %+v", bad, good)
	}
}

func TestHealthIsCapacityOverRatedCapacity(t *testing.T) {
	f := newFleet(t, 6, "battery/v1", 200)
	for i, r := range f.Records() {
		if !r.Absent() && r[1] != uint32(uint64(r[4])*10_000/ratedMilliampHours) {
			t.Errorf("device %d: state of health %d and capacity %d disagree", i, r[1], r[4])
		}
	}
}

func TestPoissonHasItsMean(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for _, mean := range []float64{0, 0.01, 2, 29, 31, 500} {
		const n = 20_000
		sum := 0.0
		for range n {
			sum += float64(poisson(random, mean))
		}
		if got, tolerance := sum/n, 5*math.Sqrt(mean/n)+0.01*mean/30; math.Abs(got-mean) > tolerance+1e-9 {
			t.Errorf("mean %v drawn as %v", mean, got)
		}
	}
}
