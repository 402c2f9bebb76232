// Package gateway is [ledger.Client] on Hyperledger Fabric: one organisation's access through the gateway service of its own peer.
//
// # What a submission does
//
// [Client.Submit] proposes the call to the peers of named organisations, never to whomever the peer would choose: the transient input, which is
// attestations, reaches nobody else, and the set meets the genesis' endorsement rule, for which owners do not count. The endorsed transaction is
// signed, handed to the ordering service, and waited for until the own peer has committed it. Every failure is an [*Error] with its stage, the
// transaction id and what each peer said. A no of the contract, of the endorsers or of the committing peers unwraps to a *[ledger.Refusal].
//
// # What is tried again
//
// A new proposal is made only when nothing of the last one went to the ordering service, or when the ledger itself says that the transaction is
// invalid. A refusal is confirmed once, after the refusing peers have all blocks that the own peer had: a peer that is a block behind does not
// know what was just recorded. A transaction that may have reached the ordering service is sent again as it is, under its id, which the
// ledger takes once. So a call is recorded at most once per Submit.
//
// # When the outcome is not known
//
// If neither the ordering service nor the own peer answers in time, or the caller's context ends after the transaction was sent, the error is
// an [*OutcomeUnknown] with the transaction id: it may be recorded, now or later, or not. [Client.Outcome] finds out once the peer can be
// reached. Whoever must survive a crash at this moment gives [Options].Submitting, which is told the id before anything is sent.
//
// # Events
//
// [Client.Events] and [Client.Blocks] follow the own peer's blocks through its restarts: none is missed, none comes twice. To survive one's own
// restart, see [ledger.Follow].
//
// # What it does not do
//
// It trusts the organisation's own peer, which tells it what is on the ledger: it checks neither block hashes nor signatures. Package audit
// does. It does not check that the channel is the consortium's; the contract does, which is told the ledger id with every call.
//
// It signs with ECDSA on P-256 through a crypto.Signer, so the key may live in a vault or a hardware module.
package gateway
