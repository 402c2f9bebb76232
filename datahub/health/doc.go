// Package health turns measurements of a battery into battery/v1 health records.
//
// Two ways lead in. An Accumulator takes readings one at a time, as they arrive from a battery management system, and can be
// asked for a record at any moment. Import reads a whole file: the Battery Data Format (LF Energy, "bdf") or a table of one row
// per discharge cycle ("cycles"). The BDF importer is an Accumulator fed from a file, so both give the same record for the same
// readings.
//
// # Formulas, version health/v1
//
// Positive current charges, negative discharges, as in BDF. (GB/T 32960 frames have it the other way round.)
//
//	charge      trapezoidal: a segment between two readings adds (i₀ + i₁)/2 · (t₁ − t₀). Charging and discharging parts are kept
//	            apart by applying the same rule to max(i, 0) and to max(−i, 0), so their difference is exactly the trapezoid.
//	capacity    the charge delivered by the latest full discharge whose mean current is at most Battery.MaxRateMilliC
//	            (C/2 unless told otherwise).
//	state_of_health          capacity / rated capacity, in 0.01 %
//	remaining_capacity_mAh   capacity, in mAh
//	equivalent_full_cycles   (charged + discharged) / (2 · rated capacity) over all readings so far, in 0.1 cycle
//	age_days                 whole days from the first reading to the last, by wall clock where readings carry it, else by test
//	                         clock. What happened before the first reading is not in it: it is a lower bound.
//	voltage_spread_mV        highest less lowest cell voltage of the epoch's latest reading at rest that carries them, else of the
//	                         epoch's latest that carries them. A single cell has 0.
//	peak_temperature         highest temperature of the epoch, in 0.1 °C. Ambient temperature is not the battery's and is left out.
//	fault_count              how many times, since the first reading, a fault set in. A fault is present while a reading carries an
//	                         alarm of the battery management system, or its temperature is above Battery.MaxTemperatureMilliC, or,
//	                         if the voltage window was stated, its voltage is outside the window by more than 2 % of its width.
//	                         A logger's glitch is no fault of the battery and does not count.
//
// A discharge is an unbroken run of readings with a current of C/200 or more out of the battery. It is full if it began at
// the upper end of the voltage window and reached the lower end, each within 2 % of the window's width: the highest voltage since the
// previous discharge decides about the beginning (so relaxation before the load sets in does not matter), the lowest during
// it about the end. It must deliver between 10 % and 150 % of the rated capacity. Where no window is stated it is the lowest
// and highest voltage seen, which must be at least 0.5 V apart. That the charge before had tapered off is not checked, so a
// battery charged in haste looks worse than it is, never better. A discharge still running counts only if the window was
// stated and its lower end is reached.
//
// A row per cycle has no curve to integrate: its capacity is taken as measured; the charge that goes in is taken to equal the
// charge that came out, so equivalent_full_cycles is the sum of the capacities over the rated capacity; age_days is the
// whole days of the discharges' durations; the epoch is the one cycle.
//
// # Exactness
//
// No floating point is used. Decimal text becomes an integer of µs, µV, µA, nAh or m°C, rounded half away from zero where it has
// more digits than that. Charge is a big integer of half picocoulombs, so sums and trapezoids are exact. The one other
// rounding is the last step: each lane is rounded half up, once, from exact values (age_days is cut off to whole days).
//
// # Dirty readings
//
// Every row that is not used as it stands is reported as an Issue with its line, its reason and what was done about it.
//
//   - A value that is missing, not a number, not finite or outside physical bounds: if it is time, voltage or current, the whole row
//     is left out, else only the value. The integral then spans the rows beside it, provided they are no more than
//     Battery.MaxGapMicros apart; otherwise that is a gap.
//   - Time falls, or jumps ahead by more than the bound: the row is held back until the next one shows what it was. If the next
//     row continues the old clock, the held row was a glitch of the logger; it is left out entirely and the integral spans
//     its neighbours. If the next row continues the held one, the clock restarted or there is a gap: nothing is integrated across
//     it and a discharge it interrupts, or one that sets in right after it, is no measurement of capacity. A restart is never taken for
//     a harmless one, because the current that flowed meanwhile is unknown. A held row that neither neighbour supports is left out.
//   - A row that repeats the one before is left out. One that repeats only its time is used (cyclers log both sides of a step
//     change so) and adds no charge.
//
// The package does not authenticate measurements, does not correct capacity for temperature, and makes no record
// rather than guess a lane: without a full discharge or without any temperature there is none.
package health

// Formulas is the version of the formulas above. A change to any of them is a new version.
const Formulas = "health/v1"
