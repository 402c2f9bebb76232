// Package node is an organisation's node. What runs in it follows from the organisation's roles on the ledger.
//
// Every node serves its organisation's people and programs, and the nodes of the other organisations, with the interface of datahub/api; it tells the ledger where
// it is found and whose certificates it shows. Whoever asked a request sees the proof's progress at their own node, which watches at the owner's. A regulator's node
// opens every epoch as it begins, and verifies again what the ledger says was approved and verified (package review), as others' may.
//
// An owner's node takes in what devices send, keeps it encrypted, turns every epoch into anchored commitments, and answers requests about them as the owner's policy
// says (package desk). Only an owner's has a broker, a store, a key store and proving keys.
//
// # The way in
//
// The broker lets devices connect whose maker is on the ledger. A device says hello and is given a seat, a slot of a chunk of a
// fleet, with its secrets; it accepts with a signature, and the enroller puts it on the ledger with effect from the next epoch.
// Its frames are checked and stored by package ingest, which acknowledges them only then, and are fed to the device's
// derivation (package health) on the way.
//
// A device that the ledger has as retired leaves its seat when its last epoch is past, and is given another one, in its next generation, only by a fleet that
// readmits. A seat that nobody came for in a week is given to another device.
//
// # The end of an epoch
//
// The line under an epoch's readings is drawn when their grace is over and what the broker had by then is stored, be it that the node was away when the epoch ended; a
// quarter of the time for anchors is given to that at most. What comes later is late.
//
// Devices are asked for their records: each with what its readings give, as a proposal for those that compute none. A device's
// own record wins; where it disagrees with its readings beyond a bound, the report is flagged. What a chunk commits to is fixed
// once, stored, anchored, and tried again until the ledger has it or takes no more. The first record that a device attests to in an epoch counts: a second one is
// put into the quarantine. A closing that is open when the time for anchors is over stays open until the ledger says what it has.
//
// # What is promised
//
//   - A frame that a device saw acknowledged is in the store, once, whenever the process is killed. A node that is started again goes on with every
//     epoch whose time for anchors is not over, and anchors the same content as before.
//   - The store, the broker's disk and the logs hold no reading in the clear. Secrets of devices are derived from a secret of the fleet in the key store
//     and are in memory only.
//   - A data folder and a store belong to the ledger that they were used with first; with another one the node does not start.
//   - When the store, the key store or the ledger cannot be reached, the node waits and says so at /readyz; devices keep what is not acknowledged.
//   - What a node writes to the ledger is its organisation's word, and no more than that: the contract decides what it may. An owner's node answers what grant and
//     policies allow, whoever has got hold of it.
//
// # What is not promised
//
// An owner's node sees every reading. What it cannot do is make a device's record: that needs the device's signature. It
// can leave devices out, which shows on the ledger as coverage. One process at a time runs a node's broker and closes its epochs.
package node
