// Package mpc holds nothing itself; beneath it is how several parties compute on data that none of them shows, on lattigo's
// lattice cryptography. It imports nothing else of Assay, so that a party can be held against this tree alone.
//
//	federated           questions about several owners' fleets: counts, sums, means, variances, histograms over a cohort; what their totals are and mean
//	privacy             noise on totals, and what it spends
//	collective          keys that nobody holds alone, encryption of totals, sums, shares of a result, and what each proves: functions without memory
//	session             one query as a protocol among owners, a regulator and a receiver: durable, and accountable to a ledger
//	session/transcript  what a ledger keeps of a session, and the rules of what may follow what
//	score               a lender's secret model over one owner's fleet
//
// # Who is trusted with what
//
// In a federated query every owner adds up its own batteries in the clear and encrypts the totals under a key whose secret is the regulator's part plus a part that
// any threshold of the owners make up. So no set of owners opens anything without the regulator, nor the regulator without a threshold of the owners. One session has
// one key, opens one sum, of at least three owners' inputs, towards one receiver. Anyone can add up the recorded inputs again; only the receiver reads the result.
//
// Parties are held to what they wrote on the ledger before anyone else's was shown: key parts, inputs and shares are committed to, key parts and inputs with proofs
// that they are well formed. What an owner encrypted may still be a lie about its records: the anchor it names says what it should have been, session.Config has one place to check a proof
// of it, and what was encrypted, and how, can be shown to the regulator. A receiver and all owners but one learn the last one's totals, from any sum there is.
//
// In a score the lender encrypts its model and the owner its answer, both under the lender's key: the owner learns the model's shape, the lender one or two means over
// a cohort of at least as many batteries as the model has terms.
//
// Exact results tell what they tell; who asks twice about nearly the same batteries learns the difference. Cohorts' minima, the rules of grants about what may follow what, and noise
// with a budget are against that, and each package says what it leaves to them.
//
// # About the library
//
// lattigo v5 is used for rings, key switching, secret sharing and encoding. Package collective and package score draw secrets, errors and noise by themselves, because v5.0.7's
// Gaussian sampler above 2^53 draws one of about 2^32 values and a jitter of 2^-53 of it, so that it floods far less than its deviation says, and in its ternary sampler a coefficient hangs on the one before. Encodings
// are our own, of fixed lengths, as the library's readers allocate what a length prefix asks for. Tests hold results against the library's decryption.
package mpc
