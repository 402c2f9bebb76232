// Package zk proves what a fleet is worth without showing a record.
//
// An owner holds, for every slot of a chunk, a record and a blinding scalar; a
// ledger holds the chunk's commitment C. [Prove] answers a statement about all
// of a fleet's anchored chunks with a bundle that [verify.VerifyBundle] checks.
// A native twin stands beside each circuit ([statement.Parameters.Sum],
// [verify.Output.Commit], and the witness builders here).
//
// The chunks' proofs are independent of one another: a [Prover] has them made here or by
// a [ChunkProver] elsewhere, which needs a [ChunkJob], the chunk's records in it, and
// whose answers [ChunkJob.Verify] holds against the job.
//
// # What a chunk proof shows
//
// Statement: the polynomial P behind C has coefficients x_0…x_{n−1},
// r_0…r_{n−1}; every x_s is 0 or a record whose lanes fit their capacity and
// whose presence is 1; and T commits to the population, the count, the exact
// value and the seven lane sums of the cohort that the statement describes.
//
// Public inputs: cd, ρ, y, σ, T. Public besides: C (from the ledger), M with
// its proof of representation, a KZG quotient, the Groth16 proof with two
// in-circuit commitments D₀ and D₁.
//
// Assumptions: Groth16 with commitments is knowledge sound (BSB22 as in gnark,
// with a secret of its own for each commitment), KZG is binding (d-SDH /
// algebraic group model), SHA-256 as RFC 9380 uses it and Poseidon2 behave as
// random oracles, and nobody knows the trapdoors of the setup. The SRS behind C
// has a τ of its own, and the two mask bases in the published key are its powers
// 2n and 2n+1. C was anchored from attestations with proofs of representation,
// so that its polynomial is known to exist on the chunk's own coefficients.
//
// # Why the link binds
//
// M is shown to be m₀·[τ^2n] + m₁·[τ^(2n+1)] (Okamoto; the challenge covers R),
// so C′ = C + M commits to P on the chunk's own coefficients. cd hashes C′, n,
// the statement's digest, fleet, chunk, epoch and ledger. D₀ commits to x, r,
// m₀, m₁, a blinding wire and the statement's parameters; its challenge ρ
// hashes D₀ and cd. So C′ and the committed values are fixed before ρ is known.
// The circuit evaluates the committed polynomial at ρ by Horner's rule and
// gets y; the KZG opening gives y as P′(ρ). Two different polynomials of degree
// below 2n+2 agree at ρ with probability (2n+1)/|Fr|.
//
// The parameters (bounds, selectors, curve segments, price: 115 numbers) are
// bound the same way: the circuit evaluates them at ρ to σ, and the verifier
// computes σ from the statement itself. This replaces 115 public inputs by one.
//
// # How the cohort is proven: boxes
//
// A record is in the cohort when it is present and every lane lies between
// public bounds. The circuit compares nothing. It places each record in a box
// whose two corners A ≤ B are a row of a public table:
//
//   - 81 rows cut the cohort's box at the segments of the two curves;
//   - 14 rows are everything above the cohort in one lane, or below it;
//   - one row, A = B = 0, is for absent slots, so presence 0 forces x = 0.
//
// Corners are packed like records, lane i at bit 31·i, presence 1 in every row
// but the last. For each slot the prover gives limbs of offsets u_i ≥ 0 and
// distances v_i ≥ 0 below 2^capacity ≤ 2^30, and the circuit forms
//
//	A = x − Σ u_i·2^(31i),  B = x + Σ v_i·2^(31i)
//
// and looks the pair (A, B) up in the table. Then Σ (u_i + v_i)·2^(31i) = B − A
// as integers (both sides are below 2^249 in absolute value), and each u_i + v_i is below
// 2^31 − 1, so there is no carry: u_i + v_i = B_i − A_i in every lane, with the
// digits of the corners as defined, even where such a digit is −1, which no sum
// of two numbers that are not negative can be modulo 2^31 without being
// 2^31 − 1. Hence A_i ≤ A_i + u_i ≤ B_i; A_i + u_i are the lanes of x; the record
// lies in the box. The boxes are disjoint: box rows and absent row trivially,
// and a row outside differs from the cohort in the lane it is cut in. So a
// record in the cohort can only use box rows, and one outside only the others;
// a record that exceeds a lane's capacity, a presence of 2, or a packing with
// stray bits fits no row and has no proof.
//
// A segment that does not exist is written as start j+1, end j, a lane digit of
// −1: an impossible row. All rows' pairs (A, B) are distinct, which the lookup
// needs.
//
// In the lane of a curve, the offset is a separate pick, multiplied by
// 2^(31·lane) of the public selector; the fixed limbs of that lane must be zero.
// They are not negative and their sum over the chunk, far below |Fr|, is
// asserted to be zero.
//
// # Why the lookups bind
//
// D₁ commits to all limbs, how often each limb value occurs, the rows' sums and a
// blinding wire. β hashes D₁ and ρ, which stands for everything in D₀; γ is a
// hash of β. Limbs: Σ 1/(β − limb) = Σ uses/(β − value) over the 1,024 values (LogUp,
// Haböck 2022). Rows: with keys A + γB, for each of six weights w,
//
//	Σ_slots w/(β − key) = Σ_rows W/(β − key).
//
// With the hash as a random oracle, (β, γ) is uniform and independent of all that
// is committed. Cleared of denominators the identity is one of polynomials in
// two variables of degree about n + 96, true at a random point, so true; and the
// linear forms β − A − γB of different pairs have no common factor. So a slot's key with w = 1 is a pole that some row must have
// (a slot's residues cannot cancel, there are fewer than |Fr| of them), and each W is the
// sum of w over the row's slots. Weights are 1, the two picks, their product,
// and the other lanes' offsets packed in two. This is a lookup and a group-by
// in one; sums over the cohort are sums over box rows and cost nothing more for
// each slot. The value is bilinear in the picks on each box, so it too is a
// combination of row sums: price × Σ (b + s·u)(b′ + s′·u′), exact, unrounded.
//
// γ is a hash of β and not a power of it: with γ = β^k the denominators of
// different rows would be polynomials in β that could share a root.
//
// # Why it hides
//
// C hides computationally in the devices' PRF. m₀ and m₁ are fresh for every
// attempt; with M public, y is still uniform, for M and y are two independent
// linear forms in them. σ is a function of public values. D₀ and D₁ each hold a
// uniform wire of their own (LinkBlind, LookupBlind, each in a constraint, or
// its basis would be infinity) besides the library's mask, which serves both.
// Groth16 is zero knowledge; the KZG quotient is determined by C′, ρ and y. T
// hides the totals behind a uniform salt. Two proofs of one statement therefore
// share no group element but C. No field of a bundle depends on a single record
// given the totals: with other records of the same totals in every chunk, every
// field keeps its distribution; with the same totals only over the fleet, it
// keeps it as far as T hides, which is computational.
//
// What the totals themselves say is another matter. A cohort of one battery, or
// a valuation whose curves are zero for all but one, makes a total a record.
// The owner has to look at the question; this package proves the answer.
//
// # The fleet proof
//
// Statement: the T's open to totals whose sum is behind the next T, and, in the
// last proof of a chain, Holds_j says whether Σ a·total ≥ b, and the disclosed
// totals are exact. Totals are packed into three field elements and added while
// packed; fewer than 2^32 slots, which the verifier checks, keep every part in
// its place, and they are taken apart once. The only rounding of a value is
// here: exact = value·(10^12·2^64) + remainder, 0 ≤ remainder < 10^12·2^64. A claim
// cannot wrap: coefficients are below 2^40, totals below 2^80, bounds below
// 2^123, so its difference is below 2^125, and it is decided on 126 bits.
//
// # Cost
//
// 51 constraints for each slot (2 link, 40 limbs, 2 picks, 7 row) and 2,900 for
// each chunk: 53.8 per slot at 1,024 slots. The fleet proof has 25,030. Golden
// counts are in testdata.
package zk
