// Package verify checks a bundle: the answer to a statement about a fleet, proven over the commitments that a ledger
// anchored. It needs no device, no record and no prover, and trusts only the [Facts] and the [Keyring] that it is given.
// What the proofs show, and on which assumptions, is in package zk; what a verdict says, in [Verdict]. It holds neither circuits nor a prover: package
// fromgnark turns what gnark proves and sets up into this package's own proofs and keys.
//
// The format and every check are written down in zk/SPEC.md, for those who would rather trust a verifier of their own;
// package second runs one. What is refused is refused for a [Failure], and any verifier finds the same one.
//
// # Proofs are checked together
//
// A chunk's proof asserts four equations: Groth16's; that the values of its in-circuit commitments are known; the
// opening of the anchored commitment; and M's representation. A fleet proof asserts one, Groth16's. In each, a product
// of pairings of points in G1 and G2 is 1, so in the logarithm to some generator of the target group, of prime order,
// it says e_k = 0. [VerifyBundle] checks Σ w_k·e_k = 0 instead, with w_1 = 1 and every other weight drawn uniformly from
// 2^128 values once all is fixed: from fresh randomness, hashed with the bundle, the keys' digests and the challenges that
// cover what the ledger says of the chunks. If some e_k is not 0, at most one value of its weight (or, were it e_1 alone, none) makes the sum
// 0 whatever the other weights are. So a false bundle passes with probability 2^-128 at most, and a true one always
// passes. The same argument lets [NewKeyring] check an SRS key's mask bases together.
//
// It holds for points of the groups of prime order only. Parsing a proof refuses any point that is off its curve, outside
// the subgroup (G1 is its whole curve) or at infinity, and so does parsing a key.
//
// Because the equations are linear in points of G1, points paired with one point of a key are added up first, and a
// pairing with a key's point uses lines computed once for the [Keyring]. A weight is a + b·λ for numbers a and b of 64
// bits, where λ multiplies by an endomorphism: different (a, b) give different weights, and a point is multiplied by one
// in 64 doublings.
//
// A sum other than 0 decides nothing: each proof is then checked by itself, chunks first, one equation after another and
// without weights. That names the first that is at fault, so neither answer nor error depends on the weights.
//
// # What is not promised
//
// Its time depends on what it is given, all of which is public. An invalid bundle costs about what checking each of its
// proofs by itself costs. Expiry and whether a statement was asked for are its caller's to check.
package verify
