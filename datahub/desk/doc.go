// Package desk is the part of an owner's node that answers. It follows the ledger and takes every request about the owner's fleets to its end:
//
//	open       asks the contract what it would say to an approval. If no, it refuses, with the contract's reasons. If yes, it approves, or leaves the
//	           request to a person where a policy or the node's configuration wants one.
//	approved   waits until the epoch's facts are final, says that it proves, proves, and asks the contract again, now with what the proof shows. If it may
//	           not be released the request fails, else the proof is submitted.
//	proving    is proven again: another desk is at it, or was.
//
// # What it promises
//
// It decides nothing of its own: whether a request is allowed is the contract's to say (ledger.Book.Assess), which holds every answer to the same
// rules when it is submitted. So a desk that is wrong, or somebody who has its rights, answers nothing that grant and policies do not allow.
//
// It keeps nothing: what there is to do stands on the ledger. A node that was down, however long and wherever it was killed, goes on where the ledger is. Every step is
// taken once on the ledger, so that two desks of one owner, or one that is started while the other still runs, approve once, spend once and answer once; they may
// both prove, in vain for one.
//
// A proof that shows too small a cohort, or sets too few batteries apart from another answer, does not leave the process: no peer is asked to endorse it, and the
// request fails with a reason that names no number. That it failed is known, and that is a bit: the count is below the grant's minimum, or a difference is.
//
// What fails for another reason is tried again, each time later, up to an hour. A request waits at most until it expires.
//
// # What it does not
//
// It does not know a person: an approval by one comes to the ledger by another way (the node's interface, the command line), and the ledger takes the owner's word for that. A
// refusal is final, also one for a grant that begins tomorrow, or because another answer is still on its way: whoever asked asks again.
package desk
