// Package review verifies again, all the time, what the ledger says was approved and proven. A regulator's node runs it; anybody else may.
//
// For every approval and every verdict it collects what package evidence does, from its own organisation's access to the ledger, and verifies that: blocks, seals and
// endorsements, the grant, the policy texts, the decision made again, the proof verified again with the pinned keys against the anchors, the verdict compared byte for byte. For a
// verdict it also looks at what else stood about the same fleet and epoch when it was recorded, answers, failures, and proofs that were begun or may yet be: no difference may set
// apart fewer batteries than the grants allow.
//
// What does not hold is a disagreement. It is logged and counted, the evidence is signed and kept in a folder, and if the organisation is a regulator it raises an alert on the
// ledger with the digest of that file, once. Others look at the same request with their own eyes then.
//
// # What it promises
//
// Its position is kept durably behind what was reviewed, so that nothing is left out however often it is stopped; what was under way is reviewed again. What cannot be
// read because the peer or the contract beside it is away is waited for. What cannot be read although both answer, what an event tells of and the request never shows, and what makes a
// review panic is a disagreement, after some attempts. An alert is tried until it is on the ledger; one that the contract does not take however often, about a request that there is
// none of, is logged and counted.
//
// # What it does not
//
// It sees what its organisation's peer shows it. A peer that shows a sound chain of its own making, with the endorsers' keys, deceives it, and one that never tells of a verdict is not
// found out: an audit of the whole channel is for that. An alert changes nothing about the request.
package review
