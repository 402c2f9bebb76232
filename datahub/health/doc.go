// Package health turns measurements of a battery into battery/v1 health records, and those of a charging pile into charger/v1 records.
//
// An Accumulator takes readings of one battery one at a time, as they arrive from a battery management system, and can be
// asked for a record at any moment; a ChargerAccumulator does so for a charging pile. Import reads a whole file: the Battery Data
// Format (LF Energy, "bdf") or a table of one row per discharge cycle ("cycles"). The BDF importer is an Accumulator fed from a file,
// so both give the same record for the same readings. A Tracker keeps the accumulators of many devices and divides their readings
// into epochs. Compare holds a device's own record against a derived one.
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
// # Formulas, version charger/v1
//
// A pile may have several meters. Each register is followed by its meter's name, so the order of time matters within one meter only.
//
//	energy_Wh       what the registers rose by between one reading and the next of the same meter. A rise belongs to the epoch of the
//	                later reading. A register that falls was reset; one that rises faster than Charger.MaxPowerMilliW, with 1 kWh to
//	                spare for the steps it counts in, is not believed; one that its meter calls unreliable is not used; one under a
//	                new name is another meter's. In each case counting begins anew, without what flowed up to there.
//	sessions        how many sessions ended. A session over an epoch's end belongs to the epoch it ends in.
//	revenue         the bills of those sessions, in 0.01: what a session's end states, else the latest stated during the session, else
//	                what is stated first after it, which belongs to the epoch of that reading. A session without a bill adds nothing.
//	uptime_minutes  the time between two readings if the pile was not down at the earlier one and they are no more than
//	                Charger.MaxGapMicros apart, in whole minutes. A Tracker divides such a time at the epoch's end.
//	peak_power_W    the highest power of any reading. If none carries power, the highest mean power that a register shows over
//	                a minute or more.
//	faults          how many times, since the first reading, a fault set in.
//	age_days        whole days from the first reading to the last: a lower bound.
//
// What is sent again counts once: a register's reading no later than the last of its meter is not looked at, and the last 16 sessions
// that ended are remembered by name. A session that ends before one that is no longer remembered is not counted. Readings out of order count, but
// for uptime and faults, which take the latest only. There is no record if the pile charged and no register was read, or if energy flowed and
// nothing tells the power. Eight meters are followed at a time.
//
// # Epochs of many devices
//
// In a Tracker the test clock is Unix time, and a reading belongs to the epoch of its time. The figures of two epochs are kept: of the running one,
// which the latest reading is of, and of the latest with readings before it. They are as at the end of that epoch, capacity and totals
// too, so a record does not depend on how much of the next epoch has arrived when it is asked for. EpochEnd closes an epoch: from there on its figures
// stay as they are, and readings of it that come later count only towards what is counted since the first reading. What a pile sells in
// them is in no record.
//
// Readings of a battery that are older than the last one are never integrated twice. Of them is used what is not known yet: their temperature and cell
// voltages, if their epoch is one of the two that are kept and is not closed; and their charge, if they lie in one of the last four gaps longer than
// Battery.MaxGapMicros. A gap is filled in order of time, from its beginning. What fills it counts towards full cycles, and a fault that sets in there as a
// fault, but a discharge that it interrupted stays interrupted. So a clock that is put back costs the readings until it has caught up; one
// that jumps ahead, those up to the time it jumped to, which is why whoever feeds a Tracker has to refuse impossible times. Readings further
// apart than Battery.MaxGapMicros confirm one another no more: that has to be above the longest interval at which a device sends.
//
// A device takes up to 1.5 KiB of memory; a battery's snapshot has about 300 bytes, a pile's up to 900. That is where the battery's voltage window is
// stated: without it up to 64 discharges of 80 bytes are kept, because the window may yet widen.
//
// # Snapshots
//
// A snapshot of an accumulator, and of a device in a Tracker, is everything that it remembers, in one canonical encoding: going on from it is the same as
// never having stopped. It is refused if the figures of the device, the epochs or the formulas are not those that it was taken with. Snapshots are as
// secret as the readings, and not authenticated. Which epochs are closed is not in them: after restoring, call EpochEnd for the last one.
//
// # Exactness
//
// No floating point is used. Decimal text becomes an integer of µs, µV, µA, nAh or m°C, rounded half away from zero where it has
// more digits than that. Charge is an integer of 128 bits in half picocoulombs, so sums and trapezoids are exact. The one other
// rounding is the last step: each lane is rounded half up, once, from exact values (days and minutes are cut off to whole ones).
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
