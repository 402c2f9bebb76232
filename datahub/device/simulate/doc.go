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
// # Reporting
//
// In each period three devices in a hundred do not report, and their record is absent; one in two hundred never does.
package simulate
