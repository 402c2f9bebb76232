// Package evidence makes and reads evidence packages: everything that the ledger has of one request, in one signed file, that anybody can check without the
// ledger. An organisation hands it to a court, an auditor or a customer.
//
// # The file
//
// An [Evidence] is JSON in one form (Marshal writes it, Parse reads nothing else): version assay-evidence/v1, the consortium's genesis, the request with all that followed, the
// grant and its revocation, the policy texts that were asked, the proof's bundle, the facts and keys that it was verified with, and the ledger's own blocks that recorded each of
// these. It is signed with the Ed25519 key of the organisation that exported it, over every other byte. It holds no record and nothing else that is not on the ledger.
//
// # What Verify shows
//
// [Verify] goes by the blocks: for the request, grant, policies, decision, start of the proof, verdict, failure, withdrawal, revocation and the anchors, it wants the block that recorded the
// call, sealed and endorsed by the peers that the genesis asks for, with the caller whose business it was, and exactly the record that the file holds. So the word of
// whoever exported is not needed for any of these. Then it makes the decision again: that the grant is the request's and the fleet owner's, that the texts have the
// digests that the decision names and allow the question, that the grant's limits hold, what it cost; and verifies the proof again: against the anchors, with the keys whose
// digests are in the endorsed verdict, to the same verdict, byte for byte, of a cohort no smaller than the grant's; that it was begun on the ledger before it was recorded, and that
// the grant's policy did not want a person by then who had not been asked.
//
// How blocks are read is the business of the ledger's driver, which the caller gives as [Blocks]: package audit reads those of a Fabric channel, package embedded/sealed those of an embedded
// ledger, and [Evidence.Reader] picks. None of the three needs a network, a ledger's client or a database, so a small program can verify evidence whose owner has none of these.
//
// # What it does not show
//
// That nothing was left out: a revocation that the file does not hold, another answer about the same fleet, a regulator's alert, a later block. So where a request that
// is not at its end stands is the exporter's word, as the report says. That the ledger is the right one: compare
// [Evidence.Ledger] with an id from elsewhere, or give it in [Options]. What single blocks cannot show, each driver says ([ledger.Inclusion.Assumed]), and the report
// repeats it; a code by which a peer found a transaction valid is signed by nobody, so it is the word of whoever made the file. That concerns the last step alone: on one that
// was void no further step is endorsed. Where a fleet has more anchors than [MaxAnchors], their blocks are not in the file: commitments are then the exporter's word, and that they are those which the
// endorsers saw is theirs, who verified the proof. The rule for differences between answers needs all answers: it is the contract's, and package review's.
package evidence
