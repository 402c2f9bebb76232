// Package ledger is what the rest of the project sees of the consortium's ledger, whichever ledger it is: who takes part
// ([Genesis]), what is recorded ([Maker], [Fleet], [Slot], [Anchor], [Request], [Decision], [ProofVerdict]), under which keys,
// with which calls ([Call] and the argument types), and how a program talks to it ([Client], and [Book] for typed calls).
//
// # A request's life
//
// A financier or a regulator asks ([Book.Request]) under a [GrantRecord] that the fleet's owner made. The owner refuses, or approves what the grant and its policies allow
// ([Book.Assess] tells), which spends of the grant; the requester may withdraw before. The owner proves ([Book.StartProof]) and submits ([Book.SubmitProof]), or gives up ([Book.Fail]). The
// request ends as verified, failed, refused, withdrawn or, without any of these in time, expired: [Status]. Every step is an [Event]. [Book.Bundle] is the proof
// as it was recorded. [QuestionOf] is the one place where a statement becomes what policies look at.
//
// # A query's life
//
// A [Query] over the fleets of several owners, or a score of one, is answered from encrypted totals, which no ledger sees. A financier asks ([Book.Ask]) about a closed epoch; each owner
// approves its part or refuses ([Book.Answer]; [Book.AssessQuery] tells), which spends of its grant as a proof does. Once all approved, the requester begins a session
// ([Book.Begin]): the ledger records who takes part, and then, round by round, what each member commits to ([Book.Post]). The rounds and their order are beside
// [Round]. A session that ends before its sum is named may be followed by another. The hash of the block behind that with a session's beginning is random to whoever asked, and
// the same for everybody ([Client]).
//
// # A ceremony's life
//
// Keys that nobody can forge proofs with come out of a ceremony (package zk/setup/ceremony), of which the ledger has what files cannot show: the order. A regulator records the plan
// ([Book.PlanCeremony]); any member brings the header of a contribution when it is made ([Book.RecordContribution]), which its contributor signed. A regulator ends a stage
// ([Book.EndCeremonyStage]); the hash of the block that holds the end ([Book.BlockOf]) closes it ([Book.CloseCeremonyStage]), so nobody knew it when the last contribution was recorded. After
// the second stage a key is taken whose setup names the transcript ([SetupTranscript]), with the consent of each who endorses. The contract sees no files and no block's hash: whoever
// consents has replayed the files, and compared the closing values with the blocks ([BlockSource]); an audit compares the latter too.
//
// # Who decides what
//
// The rules are in package contract. They are run by the peers of several organisations, each for itself, and a change counts when
// the [EndorsementRule] is met: by default the regulator and one more organisation that owns nothing. The rule is part of
// the genesis, and so of the ledger id that every device signs.
//
// # Encodings
//
// Arguments, records and results are JSON in one form: what json.Marshal writes for the Go type, field by field in order. Decoders take that
// form and nothing else, so that a record has one digest and two peers never read one argument in two ways. Everything is bounded before it
// is decoded. Times are Unix seconds, bytes are base64, digests 64 lower-case hexadecimal digits.
//
// # Attestations
//
// A device's attestation is never part of a call's arguments. It travels as transient input ([TransientAttestations]), which peers see and do not
// record; each peer keeps the attestations that it checked in a store of its own, addressed by the Merkle root in the anchor.
//
// # Trust export
//
// [Trust] is the part of the ledger that an offline verifier needs, signed by the regulator. [ParseTrust] checks that it is consistent in itself
// and signed by a regulator of the genesis in it. It cannot know whether that is the right consortium: compare [Trust.Ledger] with a
// ledger id obtained in another way. Nor does it show that the export is recent, or that nothing was left out after its height.
package ledger
