// Package simulate makes health records of fleets that age in a physically reasonable way: for demonstrations, tests
// and benchmarks. No record of it is a measurement.
//
// # What is promised
//
// A fleet is a function of seed, schema and number of devices, and of the days it was advanced by: the same calls give
// the same records on one architecture (floating-point arithmetic may differ in the last bit between two). Device i is
// the same in a fleet of any size. Every record is absent or passes its schema's Check. Age, cycles and faults never
// fall and a battery's capacity never rises. Seeds drive physics only; keys and secrets (package device) always come
// from the operating system.
//
// # Batteries
//
// Capacity is rated capacity × the pack's own initial ratio × (1 − L_calendar − L_cycle):
//
//	L_calendar = k · √(Σ a(T)²·Δt)        k = 0.0016 per √day, times the pack's own factor
//	a(T)       = exp(6976 K · (1/298.15 K − 1/T))
//	L_cycle    = Σ q · d(DoD) · c(C) · h(T) · ΔEFC      q = 6·10⁻⁵ per equivalent full cycle, times the pack's own factor
//	d(DoD)     = (0.760 + 4.081·DoD) / (0.760 + 4.081·0.8)
//	c(C)       = exp(0.35·(C − 0.5))
//	h(T)       = 1 + ((T − 298.15 K)/30 K)²
//
// That calendar loss goes with the square root of time, that cycle loss is about linear in charge throughput, and that
// rate, temperature and depth of discharge drive it, is what Wang et al. found for cells with NCM and LMO (J. Power
// Sources 269, 2014, 937–948). The Arrhenius exponent of 6976 K and the line in the depth of discharge are those of
// Schmalstieg et al. (J. Power Sources 257, 2014, 325–334). The magnitudes k and q, the exponential in the rate and the
// parabola in the temperature are ours, chosen so that an ordinary pack, cycled 0.8 times a day, falls to about 88 % in
// four years. Squares of a(T) are summed so that a changing temperature never gives capacity back.
//
// Packs differ: both factors are log-normal (12 % and 15 %), initial ratios normal (0.8 %), and each has its own site
// temperature, depth of discharge, rate and use. One in fifty is bad: its cycle loss is 2.5 to 5 times an ordinary
// one's, doubles again below 85 %, its cells drift apart and it faults often. No pack is used beyond a loss of 55 %.
// Cell voltage spread grows with loss; the peak temperature is the hottest step's ambient temperature with
// self-heating, which goes with the square of the current. Faults are a Poisson process.
//
// # Charging piles
//
// Sessions are a Poisson process with a pile's own rate and a yearly season; energy per session has a mean of its own,
// and revenue is energy at the pile's price. Uptime is the period less outages; one pile in twenty-five is bad, with a
// third of its time lost and many faults. Peak power is the rated power less a derating with age. All of it is ours,
// chosen to look like a public fast-charging network.
//
// # Readings
//
// A stream makes the readings of one device, for the time that its reader gives. Streams have randomness of their own: they change nothing
// about how the fleet ages, and the device does not age while it is streamed.
//
// A pack has 96 cells in series with a window of 3.15 to 4.20 V each. It rests full for ten minutes, is discharged at 0.45 C until the
// voltage reaches the lower end, rests, and is charged until it reaches the upper one, again and again: what a fleet that is
// swapped or tested does, not what a car does. Cell voltage is the open-circuit voltage, interpolated in a table that looks like one of an
// NCM cell, less 0.8 mΩ times the current. Temperature goes from the site's mean ambient temperature of the season towards the pack's
// peak with a time constant of 25 minutes under load. Cells are as far apart as the record says, under load a tenth more. Faults
// come at the rate of the ageing model, as alarms of three readings. Charge is counted as package health counts it, so that it finds the
// capacity: to 0.02 % at even steps, to 0.5 % at uneven ones of a thousandth of a discharge. Peak temperature is within 1 °C.
//
// A speed-up multiplies currents and shortens rests, alarms and what heating takes, while clocks stay true: an owner has to admit
// faster discharges then (Battery). Without one, History begins a stream with the log of a full discharge in real time.
//
// A pile is idle, charges, or is down, with sessions, power, energy and price of its own as above; a speed-up makes sessions follow one
// another faster and be shorter by as much, so that energy in an hour stays what it is. An outage takes half an hour and begins with a fault.
//
// # Reporting
//
// In each period three devices in a hundred do not report, and their record is absent; one in two hundred never does.
package simulate
