// Package commit is how a device commits to its health record without showing it, and how anyone checks a whole chunk
// of such commitments before it is anchored.
//
// # Construction
//
// A chunk has n slots (64, 256, 1,024 or 4,096) over one powers-of-tau [SRS]. The device in slot s has two bases of its
// own, G_s = [τ^s] and H_s = [τ^(n+s)], and a [Secret] drawn at enrolment. In an epoch it commits to its packed record
// x:
//
//	C_s = x·G_s + r·H_s        r = PRF(secret, ledger, SRS, fleet, chunk, n, slot, epoch, x)
//
// It proves that it knows x and r (Okamoto's proof of representation):
//
//	R = a·G_s + b·H_s          (a, b) = PRF(secret, everything that is hashed below but R, and x)
//	c = H(tag, ledger, SRS, device, fleet, chunk, n, slot, epoch, G_s, H_s, C_s, R)
//	z_x = a + c·x,  z_r = b + c·r        accepted when z_x·G_s + z_r·H_s = R + c·C_s
//
// and signs place, epoch, C_s and the proof with its own Ed25519 or ECDSA P-256 key. That is an [Attestation]. The sum
// of a chunk's C_s is the KZG commitment to the polynomial with x_s at degree s and r_s at degree n+s.
//
// # What is public, and why it hides
//
// Public are fleet, chunk, slot, epoch, device, C_s, R, z_x, z_r and the signature. For a uniform r, C_s is uniform in
// the group whatever x is, since H_s generates it. For uniform a and b, (R, z_x, z_r) can be simulated without x by
// choosing z_x, z_r and c first. Both hold up to the difference between HMAC-SHA-256 and a random function, so hiding
// is computational in the PRF and perfect otherwise. Because r depends on x, a crash, a rollback or a retry never puts
// one r under two records; were it to, the difference of two commitments would be (x − x')·G_s, and small differences
// can be searched. Because (a, b) depends on all that is hashed and on x, one nonce never answers two challenges, which
// would give x and r away.
//
// # What is bound, and to what
//
// Opening one C_s in two ways gives a relation between powers of τ, as hard as the discrete logarithm. R is in the
// challenge: otherwise one could choose z_x, z_r and c first and solve for R, and "prove" any point. The proof shows
// that C_s has support on the device's own two degrees only. Without it, one stolen device and its owner could add any
// polynomial over the neighbours' slots and so forge their records. The same values are in challenge and signature, so
// neither fits another slot, chunk size, fleet, ledger, SRS, epoch or device.
//
// [CheckChunk] combines a chunk's proofs in one multi-scalar multiplication with 128-bit weights. They are derived from
// all the attestations together with fresh randomness, so nobody can choose proofs that cancel: a chunk with a bad
// proof passes with probability 2^-128. When the combination fails each proof is checked by itself and the lowest bad
// slot is named. Verdict and error therefore do not depend on the randomness, and two endorsers agree. Ed25519
// signatures are combined in the same way, by rules (ZIP 215) under which one signature alone and in a batch has one
// answer; ECDSA's are verified one by one, for from r alone a batch would not know the points.
//
// # What is not promised
//
// That a record is true: the device's firmware measures it. That a record lies within its schema: the commitment hides
// it, so the owner checks with [CheckOpening] before it anchors, and the chunk circuit proves it. That a device attests
// once in an epoch: the device remembers what it attested to (package datahub/device), and only one anchor is taken per
// chunk and epoch. That the SRS is sound: its τ must be unknown to everyone, which only a ceremony gives; [NewSRS]
// checks its form. The arithmetic on the device's side takes time that depends on its secrets (gnark-crypto is not
// constant-time), so run it where nobody untrusted can measure it. What verifies handles public values only.
package commit
