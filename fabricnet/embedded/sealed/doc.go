// Package sealed is the blocks of an embedded ledger: their encoding, and what one of them shows to somebody who has the consortium's genesis and nothing else. It needs no store,
// no contract and no network, so that a verifier can have it who has none of these either.
//
// # What a block shows
//
// [Blocks] finds transactions in blocks: that the block is sealed by the organisation which cuts blocks, the first regulator of the genesis, and of a transaction that its caller
// signed it, that the organisations which endorsed it signed call and outcome, and that they are those whom the genesis asks for. A block of this ledger holds no other transactions
// than valid ones, so the seal is the sealer's word that one had its effect; [ledger.Inclusion.Assumed] says so.
//
// # What it does not show
//
// That the ledger is an embedded one: a genesis does not say so, and an organisation has one key in both kinds. That the block is one of the chain which others see: compare
// its hash. That an outcome is the contract's, and that what was read was so: package embedded verifies both of a whole ledger.
package sealed
