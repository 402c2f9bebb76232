package health

// epoch is what is measured anew in every epoch.
type epoch struct {
	readings                       uint32
	peakMilliC                     Measured
	spreadMicroV, spreadRestMicroV Measured
	// spreadAt and spreadRestAt are the times of the readings that the spreads are from.
	spreadAt, spreadRestAt int64
}

func (e *epoch) takeTemperature(v Measured) {
	if v.Known && (!e.peakMilliC.Known || v.Value > e.peakMilliC.Value) {
		e.peakMilliC = v
	}
}

// takeSpread notes a spread that is later than those before.
func (e *epoch) takeSpread(microV int64, atRest bool, at int64) {
	e.spreadMicroV, e.spreadAt = Known(microV), at
	if atRest {
		e.spreadRestMicroV, e.spreadRestAt = Known(microV), at
	}
}

// spread is the spread that the epoch's record states.
func (e *epoch) spread() int64 {
	if e.spreadRestMicroV.Known {
		return e.spreadRestMicroV.Value
	}
	return e.spreadMicroV.Value
}
