// Package score lets a lender run a secret scoring model over an owner's fleet. The lender learns the mean of the score
// over a cohort (and, if it asks, its standard deviation); the owner learns which features the model has, and no
// coefficient; neither sees what the other holds. There is no network and no storage here.
//
//	lender:  request, secret := Seal(model, context)              → request.MarshalBinary, 0.2 to 0.4 MB
//	owner:   request  = ParseRequest(bytes)
//	         moments  = owner.Collect(request.Shape, records)     one pass over the batteries, constant memory
//	         answer   = owner.Answer(request, context, moments)   → answer.MarshalBinary, 0.2 MB a number
//	lender:  result   = secret.Open(ParseAnswer(bytes))
//
// # The score
//
// A model is linear, s = t, or logistic, s = 1/(1+exp(-t)), of t = intercept + Σ weight·lane over up to 16 features. A
// feature is a lane clipped to [low, high]; inside it is mapped to x in [-1, 1]. The logistic function is replaced by a
// polynomial p of degree 3, 5 or 7, which interpolates it at the Chebyshev nodes of a stated interval [-R, R]. Largest
// difference there: ±4: 0.036, 0.0085, 0.0021; ±8: 0.117, 0.062, 0.034 for the three degrees. Beyond R the polynomial
// leaves the function; Model.Misfit tells both, Model.Clear how many batteries are beyond. Model files are JSON
// (ParseModel). A histogram by score band is not offered: a band's indicator is not nearly a polynomial of such a degree.
//
// ONNX and PMML are not read: no Go library that is kept up was found to read linear and logistic models from either (onnx-go
// lacks LinearClassifier, its issue 174).
//
// # Batteries are summed before the model touches them
//
// The mean of p(w·x) over a cohort is Σ W_α·μ_α, where α runs over the monomials of degree at most d, μ_α is the mean of
// x^α over the cohort, a moment, and W_α = p's coefficient times multinomial times w^α. The owner computes the moments in
// the clear; the lender encrypts each W_α once, each in a coefficient of its own of one ring element; the owner takes the
// inner product with its moments. So
//
//   - no model can weigh single batteries, whatever the request holds: an answer is a function of means over the cohort.
//     A design with a battery to each slot would have to force equal weights on all slots, with rotation keys of
//     hundreds of megabytes, and on ciphertexts that nobody can look into;
//   - the computation is linear in what is encrypted. There is no product of ciphertexts, so no relinearisation key: a
//     foreign evaluation key would be one more thing a lender could forge, and would make answers depend on the digits of
//     intermediate ciphertexts. Encrypting the weights w and letting the owner multiply would not bind a lender more:
//     its "weights" are then ring elements, with other values in each of N slots, and sums of powers of linear forms are
//     all polynomials of the degree. What a hostile lender can ask is the same, and is stated below;
//   - the noise that depends on data is a short sum with a short bound.
//
// # The scheme
//
// CKKS (Cheon, Kim, Kim, Song 2017) with coefficient encoding in R = Z_Q[X]/(X^N+1), N = 8192, Q of three primes just
// below 2^58, log2 Q = 174; secrets ternary, errors centred binomial with deviation 3.24, at most 21. The table of the
// Homomorphic Encryption Standard (Albrecht et al. 2018) allows 218 bits at N = 8192 for 128-bit classical security.
//
// Request. The lender draws s and a 32-byte seed. Public polynomials a, c are expanded by cSHAKE256 from the request's
// head: parameters, shape, context, seed. It sends b = -a·s + e and, for each monomial k, coefficient k of -c·s + e' + W,
// where W_k = round(2^σ·W_α) and σ is the largest with max(Σ|W_α|, 2^-20) < 2^(131-σ). That is all: coefficients beyond
// the last monomial are never made. With the spread there is a second c, e' and W, under the same s, for the square.
//
// Answer. The owner's M = M_0 + Σ M_k·X^-k, with M_k = round(2^40·μ_k), makes Σ W_k·M_k the constant coefficient of W·M.
// It draws ternary u, a small e" and F uniform in [-2^143, 2^143) and returns
//
//	mask  = c·M + u·a + e"          in R
//	value = Σ sealed_k·M_k + (u·b)_0 + F   one number modulo Q
//
// so that value + (mask·s)_0 = Σ W_k·M_k + Σ e'_k·M_k + (u·e)_0 + (e"·s)_0 + F. No other coefficient's first half is made.
// The second number has coins of its own.
//
// Noise. |e| ≤ 21 and |M_k| ≤ 2^40, with at most N monomials: what depends on data is below 8192·21·2^40 < 2^57.4, what
// does not, (u·e)_0 + (e"·s)_0, below 2·8192·21 < 2^18.4. |Σ W_k·M_k| stays below 2^171 + 2^53 and the sum with F below
// Q/2 > 2^172.9: an honest answer always decrypts. The result is off by at most
//
//	2^143·(1 + 2^-85)/2^(σ+40)   flooding and noise, about 2^-28 to 2^-27 of Σ|W_α|, and of 2^-20 if that is more
//	+ Σ|W_α|·MomentError         the moments, 1.01·2^-31·Σ|W_α|
//	+ K/2·2^-σ + 2^-46·gross     the coefficients' rounding; gross is p with absolute values at the largest |t|
//
// and is then rounded to the next power of two above that, which adds at most as much again. Result states the bound.
//
// # What the owner learns
//
// The shape: lanes, clips, degree, whether the spread is asked for. b and the sealed coefficients are ring-LWE samples
// under a key that is drawn for this request and used for nothing else; a length depends on the shape alone. An owner
// can answer with moments of its own invention, as with any claim about its data, and if it then sees the result it knows
// the model's value at a point of its choice; from an answer made otherwise, about 30 bits of any linear functional of
// coefficients and key. So results are not for owners; that an answer does not open is one bit of such a result. A Secret
// opens one answer: an owner that had many of its making opened would be told the key. What is opened is rounded, because
// digits below the noise depend on the key (Li and Micciancio 2021).
//
// # What the lender learns
//
// From an honest request: the score, flooded. Noise that depends on the data shifts F, and a shift by B changes the
// distribution of 2^144 equally likely values by a statistical distance of B/2^144 (the smudging lemma: Asharov et al.
// 2012): 2^-86 a number, 2^-46 over 2^40 numbers.
//
// The mask must not tell the moments either: c·M alone does, to anybody, by division. It is hidden by u·a + e", a ring-LWE
// sample whose a the lender did not choose (expand is a random oracle here; trying 2^k seeds gains a factor of 2^k on the
// chance of a weak one), and which b has no part in: b may be anything, and 0. The lender does choose b, and so gets, with
// value, a linear functional of u, of which F leaves at most 30 bits: 18 of the 8192 coefficients, at best. The assumption is
// that ring-LWE withstands this one hint about its secret. For plain LWE such leakage is covered by Goldwasser, Kalai,
// Peikert and Vaikuntanathan 2010; known attacks gain a dimension of the lattice by each coefficient that is known
// (Dachman-Soled, Ducas, Gong, Rossi 2020), and the hint can be guessed at 2^30 times the work. There is room for that: the
// table asks for log2 Q of 218 for 128 bits and 152 for 192, and here it is 174.
//
// No check of ciphertexts bounds a hostile lender, and none is needed: given a mask that tells nothing, whatever the lender
// sent, value is Σ W_k·M_k, for integers W_k modulo Q of its choice, plus terms without data, plus F, modulo Q. Given the
// moments, F makes 2^144 values equally likely, of Q < 2^174 in all: by the entropies of the two a number tells less than
// log2(Q/2^144) < 30 bits about the moments, and it cannot be arranged that noise carries more. An answer with the spread
// is two numbers, so 60 bits (BitsPerAnswer). The bits of a number are of a functional of the lender's choice:
//
//   - one polynomial of degree at most d (2d in the second number), the same for every battery, averaged over the cohort; a
//     moment; a few moments with fewer digits each; or the low digits of one, a fingerprint that confirms a guess of all
//     the data, or of one battery's when all the others' are known. Differences of two cohorts that differ in one battery
//     tell of that one. Whoever grants answers counts them. Differential privacy (Owner.Noise) is what bounds these;
//   - over as many batteries as monomials, or fewer, a polynomial can be 1 on one battery and 0 on the others, if the lender
//     knows the features of all of them: such cohorts are refused (Shape.LeastCohort). What is to be gained is a feature x
//     that it does not know, by a polynomial of degree d-1 in the others, times x. If there are others, those are at most a
//     third as many as monomials, f·d/((f+d)(f+d-1)) of them, so that on average a battery is at most a third of the sum of
//     such a polynomial's squares, even in the smallest cohort. On average: an outlier can still weigh much more;
//   - narrow clips are nearly thresholds, and their products filters. The difference of two wide clips with nearly the same
//     ends is a narrow one, in one request or between two, so it is the ends that are held to a grid: Lane.Narrowest.
//
// An answer is to be made once for a request, kept, and sent again as it is: two answers to one request have
// independent noise, and tell twice as much. That is for the caller to see to, and so is how many requests are answered.
//
// # Differential privacy
//
// The model is unknown to the owner, so noise goes on the sums of monomials, not on the score: see Owner.Noise. Answers
// are computed from the noised sums only, so they are as private together as those are (against computationally bounded
// lenders). The error that this adds is not part of Result's bound: Model.NoiseIn bounds it. Whether a cohort is too small is decided by its noised
// size, too, and then as private; without noise a refusal is an exact bit of it.
//
// # What is not promised
//
// That the moments are those of the fleet: that is for a proof over the anchored records, and Collect is where its
// statement is computed. Nor that code which handles secrets takes the same time for all of them: the lender's key and the
// owner's coins are only multiplied and added, but sampling rejects, and moments are floating-point arithmetic. Memory is
// overwritten where Go lets it be.
package score
