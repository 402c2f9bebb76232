package health

import "fmt"

// dropHeld leaves out a reading that was held back, if there is one.
func (a *Accumulator) dropHeld(fate, addition string) {
	if !a.holding {
		return
	}
	a.holding = false
	verb := "jumps by more than " + formatMicro(a.battery.MaxGapMicros) + " s,"
	if a.held.TimeMicros < a.last.TimeMicros {
		verb = "falls"
	}
	reason := fmt.Sprintf("time %s from %s s to %s s, and %s", verb,
		formatMicro(a.last.TimeMicros), formatMicro(a.held.TimeMicros), fate)
	a.report(Issue{a.held.Line, a.battery.time().column, Excluded, TimeGlitch, reason, rowLeftOut + addition})
}

// adoptHeld accepts that the clock restarted, or that there is a gap, where a reading was held back.
func (a *Accumulator) adoptHeld() {
	a.holding = false
	micros := a.held.TimeMicros - a.last.TimeMicros
	code, reason := TimeGap, fmt.Sprintf("%s s without a reading, more than %s s",
		formatMicro(micros), formatMicro(a.battery.MaxGapMicros))
	if micros < 0 {
		code, reason = ClockRestart, fmt.Sprintf("time falls from %s s to %s s and goes on from there",
			formatMicro(a.last.TimeMicros), formatMicro(a.held.TimeMicros))
	}
	action := "nothing is integrated across it"
	if d := a.discharges.running; d != nil {
		action += fmt.Sprintf(", the discharge from line %d on is no measurement of capacity", d.firstLine)
	}
	a.report(Issue{a.held.Line, a.battery.time().column, Excluded, code, reason, action})
	// Time did pass during a gap. How much passed before a restart nobody knows.
	a.elapsedMicros += max(micros, 0)
	a.begin(a.held)
}
