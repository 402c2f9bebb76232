// Package transcript is what a ledger keeps of a session, and the rules by which an entry may follow those before it. Every party reads a session with this code, and
// believes no ledger that recorded what it refuses: a contract keeps these rules, or stricter ones. It holds no cryptography but hashes, and no secret.
//
// A session is one query under one key. Its Opening names the roster, the parameters, the query and its limits; the digest of the opening and of the ledger's
// record of it is the session's ID. Then each party writes at most one entry for each round, and nothing is ever changed:
//
//	round     by                          when                                        digest of
//	key       everyone                    from the opening on                         its public part and, an owner, the part for each owner: a commitment
//	ready     everyone                    all keys are committed to                   the keys that it computed from what was then revealed
//	input     owners                      all are ready, and not yet closed           its encrypted totals: a commitment; zero: this owner declines
//	close     the receiver                enough inputs, and all owners answered      nothing: inputs are those recorded before it
//	                                      or the time for inputs is over: see Transcript.SilentUntil
//	activate  the receiver                closed                                      the sum of the inputs; its detail names the owners who open it
//	share     active owners, regulator    activated                                   its share of the switch to the receiver's key
//	result    the receiver                all shares                                  the result, salted
//	abort     anyone                      before the result                           nothing: its detail is the reason
//
// So a commitment is always recorded before what it commits to is shown to anyone, one sum is opened under a session's key, by one set of owners, and any party may end a
// session before it is answered. A changed roster or a changed set of active owners is another session.
//
// What it does not promise: that a digest is a digest of anything. That is for those who are shown what it commits to. The time in an entry is the ledger's: a receiver that
// could choose it could close a session before its owners have answered.
package transcript
