// Package node is a data owner's node: it takes in what devices send, keeps it encrypted, and turns every epoch into anchored
// commitments.
//
// # The way in
//
// The broker lets devices connect whose maker is on the ledger. A device says hello and is given a seat, a slot of a chunk of a
// fleet, with its secrets; it accepts with a signature, and the enroller puts it on the ledger with effect from the next epoch.
// Its frames are checked and stored by package ingest, which acknowledges them only then, and are fed to the device's
// derivation (package health) on the way.
//
// # The end of an epoch
//
// Devices are asked for their records: each with what its readings give, as a proposal for those that compute none. A device's
// own record wins; where it disagrees with its readings beyond a bound, the report is flagged. What a chunk commits to is fixed
// once, stored, anchored, and tried again until the ledger has it or takes no more. The first record that a device attests to in an epoch counts: a second one is
// put into the quarantine.
//
// # What is promised
//
//   - A frame that a device saw acknowledged is in the store, once, whenever the process is killed. A node that is started again goes on with every
//     epoch whose time for anchors is not over, and anchors the same content as before.
//   - The store, the broker's disk and the logs hold no reading in the clear. Secrets of devices are derived from a secret of the fleet in the key store
//     and are in memory only.
//   - When the store, the key store or the ledger cannot be reached, the node waits and says so at /readyz; devices keep what is not acknowledged.
//
// # What is not promised
//
// The node is the owner's: it sees every reading. What it cannot do is make a device's record: that needs the device's signature. It
// can leave devices out, which shows on the ledger as coverage. One process at a time runs a node's broker and closes its epochs.
package node
