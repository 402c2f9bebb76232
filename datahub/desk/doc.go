// Package desk is the part of an owner's node that answers. It follows the ledger and takes every request about the owner's fleets to its end:
//
//	open       asks the contract what it would say to an approval. If no, it refuses, with the contract's reasons. If yes, it approves, or leaves the
//	           request to a person where a policy or the node's configuration wants one.
//	           What waits for another answer alone waits.
//	approved   waits until the epoch's facts are final, adds up the records, and asks the contract again, now with what a proof would show. If that may not
//	           be released the request fails, and no proof was begun. Else it says that it proves, proves, asks once more, and submits the proof.
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
// What it decides, it decides as automatic. If a policy that wants a person comes into force just before an approval of its own, the contract refuses that, and the request waits for a person.
//
// What would show too small a cohort, or set too few batteries apart from another answer, is never begun, and the request fails with a reason that names no number. That it
// failed is known, and that is a bit: the count is below the grant's minimum, or a difference is. So the cohort counts as one of which something was told: package policy
// says what it is in the way of.
//
// Requesters take turns, in decisions and in answers, however much one of them asks. Of a fleet's epoch one request is answered at a time.
//
// What fails for another reason is tried again, each time later, up to an hour. A request waits at most until it expires, and what is under way for it ends then, whatever it
// waits for: a question that is asked too late to be proven keeps nobody else waiting longer than that.
//
// # What it does not
//
// It does not know a person: an approval by one comes to the ledger by another way (the node's interface, the command line), and the ledger takes the owner's word for that. A
// refusal is final, also one for a grant that begins tomorrow: whoever asked asks again.
package desk
