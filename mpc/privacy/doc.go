// Package privacy adds the noise that makes an answer differentially private.
//
// # What is promised
//
// Two fleets are neighbours when one has one record more than the other. A
// mechanism M is (ε, δ)-differentially private when for all neighbours X, Y and
// all sets S of outputs Pr[M(X) ∈ S] ≤ e^ε·Pr[M(Y) ∈ S] + δ (Dwork, Roth, The
// Algorithmic Foundations of Differential Privacy, 2014). Whoever sees an
// answer, with whatever else it knows, learns little about whether any single
// battery was in the fleet at all. Exchanging one record for another is two
// steps of that kind: 2ε.
//
// [New] takes the sensitivity of what is released: one record added or removed
// changes at most l0 numbers, each by at most lInf. Without a δ the noise is
// Laplace's and the whole vector is ε-private at scale l0·lInf/ε for each
// number. With a δ it is Gaussian, with the σ of Balle and Wang (2018, theorem
// 8) for the L2 sensitivity √l0·lInf. Numbers of different kinds, such as a
// count beside a sum of squares, are released together by giving each kind a
// [Mechanism] with its own lInf and the l0 of all of them: dividing each number
// by its lInf gives a vector in which l0 entries change by at most 1, so the
// budget is for all of them together. For Laplace that is the same as giving
// each of k kinds ε/k; for Gauss it is better than that, by √k.
//
// # Granularity and size
//
// A sampler of floating-point noise leaks through the bits it cannot reach
// (Mironov 2012). google/differential-privacy/go draws a discrete two-sided
// geometric or binomial variable instead, on a grid of a power of two. Its
// integers end at 63 bits, silently, and its product of sensitivities too; a
// sum of squares has a sensitivity of 2^60 and more. So every number x is first
// rounded to a multiple of a public 2^k, in integers without bounds; the
// library draws noise for sensitivity ⌈lInf/2^k⌉ on the integers; and the result
// is 2^k·(round(x/2^k) + noise). Rounding is monotone and commutes with steps
// of 2^k, so numbers that differ by at most lInf become ones that differ by at
// most ⌈lInf/2^k⌉. Every output is a multiple of 2^k: no low bit of x passes
// beside the noise. k is the least for which the scale of the noise (Laplace), or
// a bound of it (Gauss), stays below 2^40 or 2^42 steps, so that the grid adds less than 2^-17 of
// the noise for any parameters allowed.
//
// For small sensitivities k is negative: x is on the grid as it is, and the
// result is rounded to an integer at the end, as a function of x + noise. The
// library would round as well, but the noise and not the sum, and halves away
// from zero: just above a scale of 2^38 it gives the noise 0 half as often as 1, a
// privacy loss of log 2, though once in 2^39 times. Laplace noise is drawn at
// scales of 2^39 to 2^40, where the library's granularity is 1 and it does not
// round. With a δ it does, from a grid of at most 2^-55 of σ, which makes 0 rarer by as
// much, less than once in 2σ times: 2^-56 of δ, or 2^-48 for 256 numbers.
//
// Noise has no bound; a plaintext modulus has one. [Mechanism.Add] takes the
// public bounds of x and cuts its result off at [Mechanism.Reach] beyond them.
// That is a function of the noised number alone and costs no privacy. It
// happens with probability below 2^-64 and biases nothing that anyone will see.
// Parties lay an encryption out for the reach: it is the same on every processor.
//
// Not covered: how long sampling takes depends on the noise drawn; a party that
// times an owner's process closely is inside it. The library draws a Gaussian on
// multiples of about σ/2^56 with densities in floating point, cut off at 8.9σ, beyond
// which a true one goes once in 2^60 times; the 2^-45 in its comments is of
// candidates that are rejected anyway. For 256 numbers that is 2^-52, far below
// 10^-12, where δ starts. The library reads the system's randomness 64 KB
// ahead: a virtual machine that is copied while it runs draws the same noise twice.
//
// # Who draws the noise
//
// Each of n owners adds the full noise for its own records to its own totals,
// and the sum of the n noises is in the answer. An owner's part is therefore
// private for its batteries whatever the others do: even if all of them, the
// receiver and the regulator put their knowledge together and take their own
// noise off again, that owner's whole noise is left. Any one honest owner's
// batteries are protected by its own noise alone. The price is n times the
// variance of a single noise that nobody knows, √n times the deviation. Drawing
// one n-th each would be cheaper and would protect an owner only as long as
// none of the others talks. A battery is one record of one fleet, so a query
// costs it ε, not n·ε. One that has records in two fleets of the roster, or two
// in one fleet, pays for each: 2ε. [Mechanism.Deviation] is of one owner's noise.
//
// The noise of a part is drawn once. Noise drawn again for the same part would
// let a receiver average it away, so a part is kept and sent again as it is,
// when a query is repeated as well, and one that was handed over has spent its
// budget, opened or not.
//
// # What else an answer is
//
// Whether there is an answer is an answer. A refusal because of what the records
// hold, such as a cohort below a minimum or a value above a bound, is an exact
// bit of them that no budget has paid for; whoever may choose the bound finds the
// record by bisection. So bounds are met by clipping, and a decision that depends on
// the records is made from noised numbers. Then a refusal has spent what the part would
// have, and is kept as the part would be.
//
// # What several answers cost
//
// Answers add up: ε₁ and ε₂ (δ₁ and δ₂) about the same batteries are together
// (ε₁+ε₂, δ₁+δ₂)-private, even when the second question depends on the first
// answer (sequential composition). [Budget.Add] is that sum; a ledger holds it
// per grant and fleet against a limit. The sum is of all ways of asking. One
// exact answer about the same batteries has no ε and no sum bounds it: where a
// grant has a budget, exact answers must be paid from it or refused.
//
// What differential privacy does not do: hide what is true of many batteries, or
// correct records that were wrong.
package privacy
