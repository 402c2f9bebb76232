// Package gateway is [ledger.Client] on Hyperledger Fabric: one organisation's access through the gateway service of its own peer.
//
// # What a submission does
//
// [Client.Submit] proposes the call to the peers of named organisations, never to whomever the peer would choose: the transient input, which is
// attestations, reaches nobody else but the own peer, and the set meets the genesis' endorsement rule, for which owners do not count. The endorsed
// transaction is signed, handed to the ordering service, and waited for until the own peer has committed it. Every failure is an [*Error] with its
// stage, the transaction id and what each peer said. A no of the contract, of the endorsers or of the committing peers unwraps to a
// *[ledger.Refusal].
//
// # What is signed
//
// Of what the own peer makes of the endorsements, the client takes what the endorsers signed and nothing else, and builds the transaction around it: the
// proposal's own headers and call, for its channel and its chaincode. It has one endorsement of each organisation that was asked, whose
// signature is that of the certificate which comes with it. That the certificate is of that organisation's peer is not known here, as the client does
// not have the channel's certificate authorities: the committing peers see to it, and package audit. So [ledger.Receipt].Endorsers is the own peer's
// word as far as that goes.
//
// # What counts as a no
//
// One organisation alone can say anything. A refusal is the ledger's if all who were asked and answered refused with the same code. If some endorsed, or
// said otherwise, the call is tried again after they all have the same blocks, and fails as not endorsed, with who said what.
//
// # What is tried again
//
// A new proposal is made only when nothing of the last one went to the ordering service, or when the ledger itself says that the transaction is
// invalid. A refusal is confirmed once, after the refusing peers have all blocks that the own peer had: a peer that is a block behind does not
// know what was just recorded. A transaction that may have reached the ordering service is sent again as it is, under its id, which the
// ledger takes once; so is one that an orderer took and that is in no block after a while, for an orderer that crashes loses what it had not yet shared.
// So a call is recorded at most once per Submit.
//
// # When the outcome is not known
//
// That nothing was recorded is said only of a transaction that was not sent, or that the own peer found wrong before it passed it on. An orderer's no is
// the word of one orderer, who may order the transaction all the same, so the outcome is waited for.
//
// If neither the ordering service nor the own peer answers in time, or the caller's context ends after the transaction was sent, the error is
// an [*OutcomeUnknown] with the transaction id: it may be recorded, now or later, or not. [Client.Outcome] finds out once the peer can be
// reached. Whoever must survive a crash at this moment gives [Options].Submitting, which is told the id before anything is sent.
//
// # Events
//
// [Client.Events] and [Client.Blocks] follow the own peer's blocks through its restarts: none is missed, none comes twice. They end with an error
// if the peer cannot read a block that it has. To survive one's own restart, see [ledger.Follow].
//
// # What it does not do
//
// It trusts the organisation's own peer, which tells it what is on the ledger: it checks neither block hashes nor signatures. Package audit
// does. The own peer also sees the transient input, wherever it is to go, and could pass it on. It does not check that the channel is the
// consortium's; the contract does, which is told the ledger id with every call.
//
// It signs with ECDSA on P-256 through a crypto.Signer, so the key may live in a vault or a hardware module.
package gateway
