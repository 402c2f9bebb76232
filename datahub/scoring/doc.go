// Package scoring runs private scores between two nodes: a lender's, which has a model that nobody sees, and an owner's, which has batteries that nobody sees. The cryptography is
// package score's; what each side must keep, say on the ledger and show to the other, and in which order, is here. Both sides are stepped from outside, as often as one likes: a
// step reads what is recorded and stored, and does what is next.
//
//	lender  seals its model for the session, keeps request and secret, records the request's digest, and then shows the request to the owner
//	owner   fetches the request, compares, computes the moments once for a query, keeps the answer, records its digest, and then shows the answer to the lender
//	lender  fetches the answer, compares, opens it, keeps the result, records a salted digest of it, and destroys model, request and secret
//
// # What is promised
//
// One answer to one request. An owner makes an answer in a session at most once, keeps it before it says anything of it, and shows it only once the ledger has its digest. The
// ledger takes one answer of all sessions of a query. So a lender that asks the same again gets the same bytes, and one that asks otherwise gets nothing: the request that is answered is the
// one that the lender recorded, made for this session and of the shape that the query states.
//
// Noise is drawn once. The moments of a query, noised if it has an epsilon, or that there are too few batteries, are kept before they are used, and serve every session of the query. With an
// epsilon the smallest cohort is held against the noised number. A query with an epsilon is answered with noise or not at all.
//
// Crashes and backups. Whatever is recorded is stored before. An owner whose answer is on the ledger and not in its store, or another there, is a restored backup or one of two copies: it destroys its
// part and shows nothing more. An owner that ended a session of a query takes no part in another of it, whatever its store says. A lender whose request is recorded and not stored, or another, gives
// the session up; there may be another, with a fresh key. A result is kept first of all, and a secret opens what the ledger has the digest of: whoever opens again opens the same.
//
// An owner is told nothing about the model by what a lender does with an answer: one that cannot be opened, or is of no honest moments, is recorded as a result like any other. The digest is salted. Nor does
// such an answer cost the lender more than it must: moments that no batteries have may leave a mean without a deviation.
//
// What a query asks of the numbers that the ledger has of the fleet is looked at before a record is read, and refused by those numbers (query.Unanswerable). A session that is not as its query has it is an
// error to both sides (query.CheckSession), whatever let it onto the ledger.
//
// Bytes of the other side are asked for with the one length that they can have, and compared with what is recorded before they are decoded.
//
// # What is not promised
//
// That there is an answer: an owner may end a session, or let it expire. Whether it ends it is a bit about the cohort's size, for a query without an epsilon an exact one. That an
// answer is of the anchored records: it is computed from what the owner's node takes for them. That the model is any good, or honest: package score says what a hostile one can ask.
package scoring
