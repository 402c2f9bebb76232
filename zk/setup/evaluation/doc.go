// Package evaluation puts a circuit's constraints on powers of tau: the points that a ceremony for the circuit begins with.
//
// A circuit with m constraints has for every wire w three polynomials A_w, B_w, C_w. Their values on the domain of n places, n a power of two and at least m,
// are the wire's coefficients in the left, right and output sides of the constraints. From [tau^j], [alpha tau^j] and [beta tau^j] come, for every wire, the
// points A_w = [A_w(tau)]1, B_w = [B_w(tau)]1, B2_w = [B_w(tau)]2 and K_w = [beta A_w(tau) + alpha B_w(tau) + C_w(tau)]1, and, for i below n - 1, the points
// Z_i = [tau^i (tau^n - 1)]1. [Make] makes these [Values]; [Values.Start] gives them the form of the library's Phase2.Initialize, whose result is the same
// point for point.
//
// Making them takes minutes for large circuits, since each point is a sum over the domain. Checking them takes seconds. So they are kept, and
// whoever reads them need not trust who made them.
//
// # The check
//
// [Values.Check] draws a number r_w of 128 bits for each wire from the system's generator. It does so when it has all points in memory and nobody can change them
// any more. Each array P of points must satisfy sum r_w P_w = [s(tau)], where s is the polynomial of degree below n whose value at the i-th place of the
// domain is the sum over w of r_w times the coefficient of w in constraint i. The right side is one multi-scalar multiplication of the powers with the
// coefficients of s, which an inverse Fourier transform of numbers gives, and not of points. For K there are three such polynomials, one for each side of the
// constraints, with the powers times beta, times alpha, and plain. For Z the polynomial is the sum of r_i (x^(i+n) - x^i). [Powers] whose closing value is
// not applied yet need not be: [tau^j] is then a known number times a point, and the number goes into the coefficient.
//
// What that shows: let T_w be the right points. Both sides are linear, so the equation says sum r_w (P_w - T_w) = 0. Suppose that some P_w differs from T_w. Its
// difference has the group's prime order, which is larger than 2^128, so for any choice of the other numbers at most one value of r_w satisfies the
// equation. A wrong array passes with probability 2^-128 at most. Every array has an equation of its own, all of which must hold, so wrong arrays cannot make
// up for each other, though the same numbers serve all of them.
//
// This needs three things. All points must be in the group of prime order: on BN254 every point of G1's curve is, and each point of G2 is tested when it
// is read, since the twist has other points. The order of the points must be the circuit's: it is that of the arrays, and the numbers are
// not the same for two wires. And nothing may escape: these five arrays are all points that depend on constraints or powers. What the library calls
// VKK, PKK and CKK are K's points for public, private and committed wires; Start takes K apart, and puts Z into the library's order, by the circuit alone.
// Delta and sigma begin as generators.
//
// A wire that occurs in no constraint, or not on one side, has the zero polynomial there and so the point at infinity. No rule of its own says
// so: the equation does, as it does that no other wire has that point, unless tau is a root of the wire's polynomial.
//
// The check takes the powers as they are. That they are powers of one tau, and not at infinity, is for the ceremony to verify before.
//
// # Cost
//
// The encoding has 160 bytes for each wire and 32 for each place. Making needs 0.7 kB of memory for each place and 0.7 kB for each wire, besides the
// powers, which have 0.4 kB for each place; checking needs half of that.
// For the fleet's circuit, of 25,030 constraints and 32,768 places, making took 125 seconds of two busy processors' time, reading and checking 6; for chunks of
// 64, of 6,156 constraints and 8,192 places, 23 and 1.5. Making is nearly all transforms of points, whose time grows a little faster than the places.
package evaluation
