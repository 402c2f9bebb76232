// Package federated says what a query over several owners' fleets means: which
// totals each owner computes, where they stand, that they cannot overflow, and
// what the opened totals say. It encrypts nothing and sends nothing.
//
// A [Query] asks for figures (count, sum, mean, variance, histogram) of lanes
// or of a valuation over a cohort. It has one canonical encoding, which [Parse]
// alone accepts and [Query.Digest] names. Everything that the parties must
// agree on follows from it: [NewPlan] derives the layout, the bounds and the
// number of ciphertexts. Each owner turns its records into its part with
// [Plan.Totals]; parts are encrypted and added, never shown; [Plan.Read] turns
// the opened sum into a [Result].
//
// # What the receiver learns
//
// Exactly the totals that [Plan.Learned] lists, summed over the owners, and
// nothing else of the fleets:
//
//   - the number of owners whose parts are in the sum;
//   - count: the count;
//   - sum: the sum, and not the count, unless there is noise: see below;
//   - mean: the count and the sum, so that it tells more than a quotient;
//   - variance: the count, the sum and the sum of squares;
//   - histogram: the count of each band.
//
// Sums of a quantity x with a mean or a variance are laid out as sums of x − c
// and (x − c)² for the public middle c of the cohort's interval, which, with
// the count, tell the same as sums of x and x². It keeps numbers small, and
// halves or quarters the noise of differential privacy. A count is in the
// layout once, whatever asks for it. It is there with an exact histogram too,
// where it tells nothing new and serves as a check.
//
// A valuation is a filter as well: a model that is zero but for one kind of
// battery makes "value" a total over that kind. So is a histogram: each band is
// a cohort of its own, and one battery may be alone in it. Two queries whose
// cohorts differ by a few batteries tell about these. [Query.Minimum] bounds an
// owner's part of the one cohort that is asked about and none of those; they
// are for policies on the models, bands and sequences that a grant allows, or
// for differential privacy. An owner that refuses an exact query because its part
// of the cohort is too small tells that it is: whoever may choose the minimum, and ask again,
// learns how large. A floor is a grant's to set, and a refused query is to be counted as
// an answered one. Nothing else makes an owner refuse by what its records hold, once it has compared
// lanes and population of a query with the schema and its fleet's public size: values
// above [Valuation.Max] count as Max.
//
// Two sums of one query whose owners differ by one, because one did not answer the
// first time, tell this one's totals. And owners who tell the receiver their
// parts leave it the sum of the others', of a single other one its totals.
//
// # Arithmetic
//
// All numbers are in stored units: lanes as records hold them, values in the
// unit of the query's valuation, computed and rounded by the owner for each
// battery. Totals are integers. Mean and variance are exact rationals; the
// variance is that of the cohort as a whole population, the mean of squares
// less the square of the mean.
//
// Totals are signed: the middle is subtracted, and noise goes both ways. They
// are encrypted as residues modulo one or two primes T and opened as the
// centred residue. [NewPlan] bounds each total of one owner by bounds ×
// [Query.Population], widened by the noise's reach; with [MaxOwners] such parts
// the sum stays below half the modulus (one prime's or the product's), so it
// wraps for no input that an owner can make. A query that does not fit is
// refused before anything is encrypted. An owner that lies about its records is
// not found out here; what it can do is limited to one wrong part.
//
// # Wrong openings
//
// A wrong key share, a share of another sum, or a missing one opens to numbers
// that are as good as random modulo T. Coefficient 0 holds 1 in each part, so
// its sum must be the number of parts, which the ledger tells; a random number
// passes with probability 1/T, about 2^-53. Without noise the totals must also
// fit together: the bands make up the count, the sum lies between count × least
// and count × greatest, squares and sum obey Cauchy and Schwarz and have the
// same parity, and so on. [Plan.Read] returns [ErrOpening] otherwise. Sums of
// honest parts always pass. These checks find errors and crude lies; they prove
// nothing about an owner's records. An owner that lies can choose its part so that the
// others' totals decide whether a check fails: whether Read failed is a bit of them, and is
// for the receiver alone, like the totals.
//
// # Differential privacy
//
// With [Query.Privacy], [Plan.Totals] adds noise to every total but the number
// of owners, as package privacy describes: each owner all of it, for one
// battery more or less in its fleet, the budget divided over the groups of
// totals. [Result] states the noise's standard deviation. A noised count may be
// negative, bands need not make up the count, a variance may be below zero:
// they are reported as they are.
//
// Whether an owner takes part is then decided by what it would hand over: its noised
// count, or the sum of its noised bands, must reach [Query.Minimum]. So a refusal
// tells no more than the part would, and has spent as much. Sums alone get a
// count beside them for this. An owner near the minimum takes part by chance, and with a
// count that is too high rather than too low; a policy that wants a cohort
// beyond doubt asks for a minimum that is some deviations higher.
package federated
