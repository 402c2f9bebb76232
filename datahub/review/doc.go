// Package review verifies again, all the time, what the ledger says was approved and proven. A regulator's node runs it; anybody else may.
//
// For every approval and every verdict it collects what package evidence does, from its own organisation's access to the ledger, and verifies that: blocks, seals and
// endorsements, the grant, the policy texts, the decision made again, the proof verified again with the pinned keys against the anchors, the verdict compared byte for byte. For a
// verdict it also looks at what else stood about the same fleet and epoch when it was recorded, answers, failures, and proofs that were begun or may yet be: no difference may set
// apart fewer batteries than the grants allow.
//
// Queries over several fleets, and scores, it looks at again when a part is approved, a session begins, a sum is named or an answer given, and when a session ends. It holds the query, each answer,
// grant, policy, session and entry against the blocks that recorded them; makes every approval again, with what it spent, and that a person made it where a policy wants one; compares the settled epoch of each
// part with the ledger's anchors; reads the sessions by the rules that their members go by (mpc/session/transcript), in the order of the blocks; and holds what is opened against the grants as of then and
// against what else was opened about the same fleets and epoch (policy.Pools; of a score, the rule for differences). What digests in a session are of, it does not know: the regulator's node that is a
// member of the session compares.
//
// What does not hold is a disagreement. It is logged and counted, the evidence (of a query a [Dossier]) is signed and kept in a folder, and if the organisation is a regulator it raises an alert
// on the ledger with the digest of that file, once. Others look at the same request or query with their own eyes then.
//
// # What it promises
//
// Its position is kept durably behind what was reviewed, so that nothing is left out however often it is stopped; what was under way is reviewed again. What cannot be
// read because the peer or the contract beside it is away is waited for. What cannot be read although both answer, what an event tells of and the request or query never shows, and what makes a
// review panic is a disagreement, after some attempts. An alert is tried until it is on the ledger; one that the contract does not take however often, about what is not there, is logged and counted.
//
// # What it does not
//
// It sees what its organisation's peer shows it. A peer that shows a sound chain of its own making, with the endorsers' keys, deceives it, and one that never tells of a verdict is not
// found out: an audit of the whole channel is for that. An alert changes nothing about what it is about. Of a dossier whose blocks are
// too large, some blocks are left out.
package review
