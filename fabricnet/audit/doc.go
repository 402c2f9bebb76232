// Package audit checks a consortium's channel on Hyperledger Fabric from its first block, and takes no owner's word for anything, no orderer's for more than the order of
// transactions, and a peer's only where that is counted ([Counts.PeersWord]). It reads blocks as any peer or orderer gives them out, and ends with a [Report], signed by the
// organisation that audited.
//
// # What is checked
//
//   - Block 0 is the channel's genesis block that the caller pins. Every block follows its predecessor, holds the data that its header names, and is sealed by the
//     orderers of the configuration before it: by one of them under raft, by a quorum of the consenters under BFT.
//   - A block that changes the channel's configuration is a failure unless the caller names its hash ([Config.AcceptConfigurations]); which organisations' MSPs it changes is
//     reported even then.
//   - Every transaction: the creator's signature, certificate chain and period of validity, the transaction id and its uniqueness, the endorsers' signatures, chains and roles, the
//     endorsement policies of the channel's chaincode definitions and their collections and, for the contract, the endorsement rule of the consortium's own genesis.
//   - The validation code of every transaction is computed again, with the conflicts between what it read and what was written since. Peers record theirs in a field that nobody
//     signs, so that one of the two says VALID and the other does not is a failure, and what counts is the code that was computed. Two codes that both make a transaction void are a
//     notice: peers themselves differ in which of several faults they come to first.
//   - Every valid call of the contract is run again on the state that the blocks before it add up to. Writes, event and response must be the recorded ones, byte for byte: every
//     request, decision and verdict is derived again, every certificate and proof verified again.
//   - A stage of a ceremony is closed with the hash of the block that holds its end, and names that block. The contract itself cannot see it.
//   - An anchor is run again with the attestations behind it, and each of those verified. The auditor's own contract service has them, if it endorsed. An anchor without them, or a
//     channel whose SRS is not to be had, is a failure, unless the caller does without attestations ([Config.WithoutAttestations]): then it is checked in its form, listed and counted.
//   - No transaction but a call of the contract writes to its state, none leaves it by other ways than public writes, and each call names the ledger id.
//
// # Where it stops
//
// [Run] goes on after a failure in a transaction, with the writes that are recorded, and stops at the first block that is not what the orderers sealed, or that can be read in more
// than one way ([Damage]): what follows it means nothing. Failures and notices are in [Report.Findings], each with its block.
//
// # What it needs
//
// Blocks, in an iterator, and the consortium's genesis: no network, no ledger's client and no database. [Blocks] reads single blocks of a channel and says what they show without the others. The
// state that an audit adds up is in memory, or in a [Store] that the caller brings. Fabric's messages are those of its Go packages where these are messages alone, and package wire's where they
// bring services with them.
//
// # What is not promised
//
// The contract that is run again is the one that the auditor was built with. A release that gives other bytes for an old call finds fault with old blocks.
//
// Blocks cut off the end leave a sound channel: compare [Report.Height] and [Report.Hash] with what is noted elsewhere, such as in a trust export, and give them to [Report.Verify].
// Another channel that somebody founded for the same consortium is sound as well: only [Report.ChannelGenesis] tells the two apart.
//
// Who signed for a change of the channel's configuration is not evaluated: whoever accepts its block has to know that it was agreed. It can hand over any organisation's name to other
// keys, and under raft one orderer's key seals it.
//
// Chaincodes other than the contract whose keys have policies of their own, or that are validated by a plugin, are not evaluated: their transactions' codes are a peer's word, each
// with a notice, and without a peer's codes a failure. No such transaction decides about the contract's state or about a chaincode's definition. Private data are seen as hashes alone.
//
// Times are the creators': a certificate is held against the time that its transaction claims, give or take [ledger.Genesis.ClockSkew]. For calls of the contract honest endorsers
// compared that with their clocks; a call that is committed long after newer ones is a notice.
//
// A transaction whose parts have more than two million fields is not read, and after sixteen million keys walked for hashed range queries in a block no more are: what peers take as
// valid beyond these bounds is a failure. That a raft orderer did not withhold or reorder transactions cannot be seen in blocks.
package audit
