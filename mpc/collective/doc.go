// Package collective is the cryptography of a federated query: owners encrypt totals of their fleets under a key that
// nobody has, anyone adds the ciphertexts, and the sum, only the sum, is switched to the key of one receiver. Pure
// functions: no network, no storage, no clock. Package session decides who calls what when; its rules and this
// package's together make the promises below.
//
// # One session
//
//	Secret       every party                     NewSecret, stored before use
//	key          owners and regulator            PublicPart, Split; CheckPublicPart of all; PublicKey, Gather
//	inputs       owners                          Encrypt; everybody CheckInput, Add
//	opening      t owners and the regulator      OwnerKey or RegulatorKey, SwitchShare; the receiver Open
//
// One session has one query, one key, one sum and one active set. Nothing here remembers that a key was used: session
// does.
//
// # What it promises
//
// The scheme is BGV (Brakerski, Gentry, Vaikuntanathan, eprint 2011/277) in the multi-party form of Mouchet,
// Troncoso-Pastoriza, Bossuat and Hubaux (eprint 2020/304) with the threshold structure of Mouchet, Bertrand and Hubaux
// (eprint 2022/780), on the ring arithmetic, Shamir sharing and combination of lattigo v5. The key is s = s_reg +
// s_own, s_own = sum of s_i over the owners, each s_i shared t of n among the owners.
//
//   - Without the regulator nobody decrypts anything; nor does the regulator with fewer than t owners. (The regulator
//     and t owners together decrypt every input. No cryptography stands in the way of that coalition.)
//   - The receiver learns the totals of the sum, to the statistical distance stated below, and nothing else of any
//     input, also when it colludes with owners (with fewer than t, and the regulator, or with any number without it).
//   - A party that deviates learns no more by it than a few bits of a key that opens one sum, at a price: see "What a
//     proof shows". Its key part and its input carry proofs of knowledge (in the random oracle model), so that it can
//     neither own the collective key, nor copy, shift or scale another's input, nor submit an input that asks for the
//     key. Nor does it see by an opening's failure what the others' totals are.
//   - Honest shares of honest inputs always open: the budget holds for the worst case, not on average.
//
// # What it does not promise
//
//   - That totals are true. An owner may encrypt any number, up to wrap-around; proving that a ciphertext holds
//     anchored values is for a proof about c0, for which coefficient encoding leaves room (c0 - b*u - e0 is linear in
//     the totals).
//   - That a query is answered. A wrong share, key part or c0 makes Open fail, and it cannot say whose it was; the
//     bytes are on record by their digests. Nor is it always noticed: a party may add T^-1*d to its share, and so d to
//     a total.
//   - Verifiable dealing. An owner that deals wrong parts makes sessions fail whose active set has a holder of one;
//     Open notices, and cannot say who it was.
//   - Anything against the coalition named above, or once secrets leak while the ciphertexts are still kept: there is
//     no forward secrecy but Destroy.
//   - Constant time throughout. No secret indexes memory, and none is branched on but in lattigo's reductions. But
//     flooding divides, and encoding an owner's own totals uses math/big.
//
// # Parameters
//
// Set "assay-bgv-13-1": N = 8192, Q the product of the four largest primes below 2^53 that are 1 modulo 2^14, so log Q
// < 212; no special modulus, for nothing is multiplied, relinearised or rotated; T_1 and T_2 are the next two such
// primes. Secrets are uniform ternary, errors centred binomial of 2*21 bits: standard deviation 3.24, never beyond 21.
// The guidelines of Bossuat et al. (eprint 2024/463) allow log Q = 214 at N = 8192 for 128 bits against classical
// attacks, ternary secrets and deviation 3.19; the standard of 2018 (Albrecht et al., eprint 2019/939), before newer
// attacks, allowed 218. Against quantum attacks the guidelines' 128 bits end at 161, and this set is short of them. Sums
// of secrets only add to security. Centred binomial errors in place of rounded Gaussians are usual (Alkim et al.,
// eprint 2015/1092), and exact in integers.
//
// A total is signed, and lies in coefficient j of the plaintext, reduced modulo T_1 and, if it needs two ciphertexts,
// modulo T_2: a residue of the sum is a function of the sum alone, which limbs with their carries are not. One owner's
// total is at most Limit, 2^48 or 2^101, so that MaxOwners of them stay below half the modulus and cannot wrap; beyond
// it Encrypt refuses.
//
// An input's ciphertext for T is c0 = b*u + e0 + m/T, of which only the used coefficients are made, and c1 = a*u + e1.
// Since T is a unit modulo Q, this is BGV's usual form times T^-1.
//
// # Randomness
//
// Everything but 32-byte seeds follows from seeds, by cSHAKE256 and integer arithmetic. Key part, proof, dealing and
// switch share are functions of the secret and of what they are made for: made again after a crash, or by a restored
// copy, they come out byte for byte, so no error or flooding is ever drawn twice for one polynomial, which would let it
// be averaged away. An input is a function of a fresh seed, kept until the query closes, and of the totals: whoever is
// shown both can repeat it. Lattigo's rlwe.Encryptor.WithPRNG cannot serve for that: it replaces the sampler of uniform
// polynomials only, u and errors keep their own randomness; and its Gaussian goes through floating point, which is not
// the same on every machine.
//
// # What a proof shows
//
// A key part b = a*(-s) + e and an input's c1 = a*u + e1 have one form, t = a*x + y with x, y short, and one proof:
// Lyubashevsky's Fiat-Shamir with aborts (Asiacrypt 2009). Masks are uniform in a box of 2^31, the challenge is a
// ternary polynomial of weight 64, drawn from a hash of session, party, parameters, key or reference string, all of the
// ciphertext or key part, and the commitment. A response outside the smaller box, one in 186, starts the prover again;
// inside, each response has exactly one mask for any witness, so the proof is perfectly zero-knowledge for a
// programmable hash. Masks of 2^100 without aborts would be only statistically so, thrice as long, and prove less.
//
// Why it matters: an input (0, 2^190) without proof is an encryption of the key, and each opened coefficient shows 66
// bits of a linear function of the key: with a few hundred totals, all of it. Masking what is unused does not help
// against that. A proof about c1 does, and it need say nothing of c0: c0 is public, and what its maker does not know of
// the input's value is e*u + e1*s alone. It also makes the input its maker's own: whoever knows u knows the plaintext.
// Commitments before the reveal, which session adds, are not needed against copies; they keep the last owner from
// choosing its totals, or its key part, by the others' bytes.
//
// Extraction is relaxed, as in all such proofs: two answers give a difference of challenges c' and x', y' below 2^32
// with c'*t = a*x' + y'. For uniform a the fraction (x', y')/c' = (u, v) is the same for any two answers (else the
// lattice of a had a vector far shorter than Q^(1/2)). So a maker answers those challenges c for which c*(u, v), up to
// one shift, is integral and below 2^32:
//
//   - Are u and v integral, and most challenges answered, then their norm is below 2^36, and the ciphertext's value
//     under the key is something its maker knows plus e*u + v*s, below 2^58.5 in sums of 16: noise, for the flooding to
//     hide. To be longer by 2^h in a direction is to answer only challenges that are short in it, one in 2^2h.
//   - Are they not, only challenges of one class modulo the denominator are answered, and opened coefficients show e
//     and s modulo it, since halves modulo Q are long. The worst denominators are powers of 1-X, modulo which few
//     coefficients fall into few classes. 1-X itself divides every challenge: whether the coefficients of e, or of s,
//     add up to an odd number is had for nothing. 32 bits cost 2^30 hashes, 64 cost 2^53, 128 cost 2^82 and 256 cost
//     2^112. (At weight 24, enough against guessing challenges, 64 would cost 2^35 and 256 2^59.) They are linear bits
//     of 8192 coefficients; where one is odd, the sum does not open. A key part made so asks the same of the u and e1
//     of the sum.
//
// The last step, from classes to hashes, is an argument and no theorem; the tests count the classes.
//
// # Flooding
//
// An opened coefficient would show the sum's noise e*u + e0 + e1*s, and noise tells of inputs and key. So every share
// adds an integer uniform in [-2^143, 2^143) to each coefficient it shows (the smudging lemma: Asharov, Jain and Wichs,
// eprint 2011/613): one honest share brings any two values within B to a distance of at most 2B/2^144. B is 2^26.5 for
// 16 inputs and 17 key parts:
//
//	B = 16 * (2 * 8192 * 17*21 * 1 + 21)        |e*u|, |e1*s| <= N * 17*21 * 1, |e0| <= 21
//
// over 256 totals, two ciphertexts and 2^40 sessions it is 2^-67; with inputs and parts forged to the edge of their
// proofs (2^58.5) still 2^-75 for each query.
//
// A wide Gaussian of lattigo's would not do: above 2^53 ring.GaussianSampler has 31 random bits of norm and fills up
// with a jitter of 2^-53 of the value, so that a deviation of 2^k floods what is below 2^(k-53) only; between 2^53 and
// 2^64 it loses even that. All 144 bits of ours are the stream's.
//
// Coefficients beyond the used ones are not in a share at all, nor in a sum's c0: known zeros would show the noise
// itself. To leave them out tells as little as to add uniform values to them, and is shorter.
//
// # Ties
//
// Flooding additive shares of a Shamir sharing has a gap that flooding of an additive sharing does not have. Additive
// shares of the active owners are multiples of Shamir shares, and t+1 Shamir shares are linearly related. A corrupt
// owner that is not active holds such a share: with points 1, 2, 3, t = 2 and owner 3 corrupt, S_3 = 2*S_2 - S_1, and
// from h_1 = 2*c1*S_1 + f_1 and h_2 = -c1*S_2 + f_2 the receiver and it compute f_1 + 4*f_2, without error since that
// is small. So they know f_1 + f_2, all that floods the sum when the regulator is corrupt too, modulo 3, and the sum's
// noise with it. With 16 owners, owners 1, 3, 6, 8, 11, 13, 15 and 16 active and seven of the others corrupt, it is
// modulo up to 36015000: most of what there was to hide. So each two owners share a pair of seeds, dealt with the Shamir
// parts, and when both are active one adds and the other subtracts uniform values drawn from them for this sum,
// receiver and active set: the sum of shares stays, and any proper subset of the honest active owners' shares is
// uniform. It costs microseconds, as only used coefficients are tied. The regulator's share needs none: its secret is
// in no relation.
//
// # The noise budget
//
// T times an opened coefficient is the sum of residues plus T times all noise, and must stay below Q/2 to be read
// without error:
//
//	T * (17 * (2^143 + 2^18.4) + 2^86.1 + 16) = 2^200.1        Q/2 = 2^211
//
// 2^18.4 bounds a share's fresh encryption to the receiver, 2^86.1 inputs and parts forged to the edge of their proofs,
// 16 the residues. The tests compute it from the parameters.
//
// # What Open notices
//
// The 2^10.9 between the two (2^13 with three active owners) are a check: with a share missing, wrong, or of another
// key, each coefficient is uniform modulo Q and passes with probability 2^-10.9, all used ones of both ciphertexts only
// together. A query that wants more certainty carries a known total, such as the number of inputs.
//
// Whether Open fails must tell nothing of totals, for a failure is seen, and an owner that encrypts what Encrypt
// refuses could choose the total beyond which it happens. So totals that no inputs can hold are opened like others: to
// judge them is the receiver's, who should not be seen to.
//
// # Encodings
//
// Every message has one encoding, of a length that follows from the parameters and the shape, and its Unmarshal checks
// length, header and every residue before anything is done with it. What is read is well-formed, not yet believed:
// parts go through CheckPublicPart, inputs through CheckInput (whose Term alone can be added), shares through Open. A
// Sum has no encoding: whoever needs one adds it up.
package collective
