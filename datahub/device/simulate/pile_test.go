package simulate

import "testing"

func TestAPilesFiguresHangTogether(t *testing.T) {
	f := newFleet(t, 8, "charger/v1", 1000)
	advance(t, f, 30)
	total := 0.0
	for i, r := range f.Records() {
		if r.Absent() {
			continue
		}
		p := f.devices[i].physics.(*pile)
		energy, sessions, revenue, uptime, peak := r[1], r[2], r[3], r[4], r[5]
		if (energy == 0) != (sessions == 0) || (revenue == 0) != (sessions == 0) {
			t.Errorf("pile %d: %d Wh and %d cents in %d sessions", i, energy, revenue, sessions)
		}
		if uptime > 30*minutesPerDay {
			t.Errorf("pile %d was up for %d minutes of 30 days", i, uptime)
		}
		if float64(peak) > p.watts || float64(energy) > p.watts*float64(uptime)/60 {
			t.Errorf("pile %d of %v W: peak %d W, %d Wh in %d minutes", i, p.watts, peak, energy, uptime)
		}
		total += float64(energy)
	}
	if mean := total / 1000 / 30; mean < 80_000 || mean > 350_000 {
		t.Errorf("%.0f Wh per pile and day, want some 170,000", mean)
	}
}
