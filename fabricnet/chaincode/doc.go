// Package chaincode runs the contract (package contract) for one organisation's Fabric peer: as an external service that the peer calls, behind fabric-chaincode-go. None of
// the ledger's rules are here. Here is what the contract expects of its driver: who calls, when, on which ledger, and the peer's state.
//
// # A call
//
// The arguments of a proposal are the function, the ledger id in hexadecimal, and the function's own arguments as encoded JSON; attestations come as transient input. A result is
// a response of status 200. A refusal is status 400, and its message is the JSON of a [ledger.Refusal]; anything else that went wrong is status 500. Of a response of 400 or
// more the peer endorses nothing. Two functions are the service's own: [ledger.FnFound] writes the genesis, [ledger.QueryAttestations] reads from this organisation's store.
//
// # What is promised
//
//   - The caller is the organisation whose MSP issued the certificate that signed the proposal, as the peer has verified. The certificate names the organisational unit client or
//     admin, neither peer nor orderer, and is valid by this service's clock. If it has the Fabric CA attribute assay.functions, it calls the functions listed there, separated by commas,
//     and no others.
//   - What the certificate says besides, as [contract.CredentialsOf] reads it, is kept with a request, and policies may look at it. It is the word of the caller's own CA.
//   - The proposal's time is within the genesis' clock skew of this service's clock. Nobody dates a call otherwise and finds this organisation's endorsement.
//   - A call is the proposal that its caller signed: another chaincode cannot call this one in the name of whoever called it. It names the ledger it is for.
//   - A call writes after the contract has agreed to it, all of what it writes, in an order of the contract's making: services that agree answer with the same bytes.
//   - A range that the contract reads is read to its end, even if the peer cuts long ones off (ledger.state.totalQueryLimit).
//   - What a peer hands over is bounded before this package or the contract decodes it. A panic fails the call (500), and the service lives on.
//   - Arguments, transient input and results are not logged.
//
// # What is not promised
//
// Fabric does not hold how old a transaction is when it is committed: with its endorsements in hand, a caller may keep one back. What keeps this from being of use is in the
// contract: enrolments and retirements read which epoch is opened, and anchors whether their epoch is closed, so that open_epoch and settle, which write those keys, void by the versions
// read whatever was held back. That takes a regulator that opens, and somebody who settles, in time. Endorsement policies are held by the peers, not here: the chaincode's policy
// must be the genesis' endorsement rule.
//
// The service believes whoever connects with a client certificate from its roots to be its peer: such a peer can say that anyone called. Use a CA, or a key pair, for this
// alone. And it believes its peer about the state, as every chaincode does. The state database must be LevelDB: CouchDB rewrites JSON. Peers that cut ranges off at different
// lengths read the same but in other portions, and their endorsements do not fit together: leave ledger.state.totalQueryLimit as it is.
//
// A call that is running when the connection to the peer breaks is never finished: fabric-chaincode-go waits for the peer's answer, and keeps the call in memory until the service
// ends.
//
// A query can be submitted as a transaction, which records its result on the channel. For attestations this must not happen, so every answer to that query differs from all others in the
// response's message, and no two organisations' endorsements of it fit together: by accident, nobody records them. Whoever wants to record what they have seen can
// always do so, in a transaction that is invalid.
package chaincode
