package health

import "fmt"

// dropHeld leaves out a reading that was held back, if there is one.
func (a *Accumulator) dropHeld(fate, addition string) {
	if !a.holding {
		return
	}
	a.holding = false
	if a.report == nil {
		return
	}
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
	if a.report != nil {
		a.report(a.breakBeforeHeld())
	}
	a.enter(a.held.TimeMicros)
	if a.keeper != nil {
		a.keeper.broke(&a.last, &a.held)
	}
	// Time did pass during a gap. How much passed before a restart nobody knows.
	a.elapsedMicros = min(a.elapsedMicros+max(a.held.TimeMicros-a.last.TimeMicros, 0), maxSpan)
	a.begin(&a.held)
}

func (a *Accumulator) breakBeforeHeld() Issue {
	micros := a.held.TimeMicros - a.last.TimeMicros
	code, reason := TimeGap, fmt.Sprintf("%s s without a reading, more than %s s",
		formatMicro(micros), formatMicro(a.battery.MaxGapMicros))
	if micros < 0 {
		code, reason = ClockRestart, fmt.Sprintf("time falls from %s s to %s s and goes on from there",
			formatMicro(a.last.TimeMicros), formatMicro(a.held.TimeMicros))
	}
	action := "nothing is integrated across it"
	if d := &a.discharges.current; d.running {
		action += fmt.Sprintf(", the discharge from line %d on is no measurement of capacity", d.firstLine)
	}
	return Issue{a.held.Line, a.battery.time().column, Excluded, code, reason, action}
}
