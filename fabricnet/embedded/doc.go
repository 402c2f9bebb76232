// Package embedded runs the contract in one process, on a durable hash-chained store in a directory. It is the ledger where there is no network: the demonstration, tests, and a
// first installation.
//
// # In the directory
//
//	ledger.db                         genesis, blocks, state (bbolt)
//	orgs/ORG.key                      an organisation's Ed25519 key, PKCS#8 in PEM, mode 0600
//	peers/ORG/attestations/ROOT       attestations that ORG's peer checked, by Merkle root
//
// # How a call becomes a block
//
// The caller's organisation signs a proposal: function, arguments, digest of the transient input, caller, time and a nonce. The peer of every organisation checks it and runs the
// contract on its own snapshot, without seeing the others' results; it signs proposal and outcome (what was read in which version, what is written, result, event). The outcomes must be
// byte-identical, their signers must meet [ledger.Genesis.EndorsementRule], and nothing that was read may have changed since. Then the transaction goes into a block with the ones that came
// meanwhile. The block names its predecessor's hash, the first regulator signs it, and it is written with its effects in one synchronous bbolt transaction, after which the call returns.
//
// # What is promised
//
//   - An acknowledged call survives kill -9 and a power failure, if the disk keeps what it has synchronised.
//   - [Verify] needs no key and reads everything from genesis: chain, signatures, endorsement rules, what was read, the closing values of ceremonies, and the state that the
//     writes add up to. A changed byte of a block is found and named by height.
//   - A block shows by itself what package sealed says, to whoever has the genesis alone: [Blocks].
//   - Attestations are in peers/ and nowhere in ledger.db.
//   - One process at a time has the directory open for writing.
//
// # What is not promised
//
// The organisations' keys lie beside one another, so the ledger is as honest as whoever can read the directory: the separation of organisations is carried out and recorded, not
// enforced. Whoever has the keys can rewrite it all, and anyone who can write can cut blocks off the end; compare the head with one noted elsewhere, such as in a trust export.
package embedded
