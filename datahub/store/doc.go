// Package store keeps what an owner's node must not lose: frames of devices and how far they are, snapshots of the derivation,
// quarantined frames, reports, devices, and the closings of epochs. It is a sealing layer, Store, over a Driver: package sqlite for one
// machine, package postgres for a server. Both behave alike; the tests of this package run against both.
//
// # Durability
//
// Commit writes a batch in one transaction, and what it acknowledged survives a crash of the process and of the machine. A frame is
// stored once: a second one of the same device and sequence is refused, with the batch that it is in. When an answer is lost,
// committing the same Batch again finds out whether it was written, and writes it once. Disk full, connection lost and key store not
// available are told apart, change nothing, and pass.
//
// Migrations are applied by Open, by one process at a time. A database that a newer version made is refused.
//
// # Sealing
//
// Payloads of frames, states, quarantined frames, records, openings and reasons of absence are sealed before they reach a driver. A
// body is sealed with XChaCha20-Poly1305 under a data key that belongs to one fleet and one period, a run of epochs (EpochsPerKey).
// Data keys are random, are in the database only wrapped by the key store, each under a wrapping key of its own, and in memory while
// they are used.
//
// Nonces are random and have 192 bits. Of 2^48 bodies under one key, which is a billion a day for eight centuries, two share one with
// a probability below 2^-96; nothing has to be remembered over crashes, restored backups or processes that write at the same time.
//
// The associated data hold the kind of body, fleet, device, epoch and position: for a frame its sequence, time, kind, number of
// readings and whether it is late; for a snapshot its sequence; for a quarantined frame its ID, subject and reason; for a report its
// chunk, slot, sequence and whether it is the device's own; for an opening the chunk's index. Lengths are written before what
// varies. A body that was altered, moved, swapped or copied to another row or column does not open: ErrTampered.
//
// Who has the database, or a backup of it, learns what is not sealed: which devices there are and their certificates, when and how
// much they send, kinds and numbers of readings, sizes, reasons of quarantine, flags of reports, anchors and attestations, which
// hide records. They learn nothing of what is sealed but its length. They can delete rows, alter what is not bound, and put back an
// older state of a row in its place, or of the whole database; that is not detected here, though holes in the sequence of a device's
// signed frames show. Devices, progress, closings, the states of chunks, flags and attestations are not bound to anything: who can write
// them can clear a flag, call a chunk anchored, or have devices discard frames that were never stored.
//
// Who has the database and the key store's wrapping keys reads everything but what was shredded. Who has the database and may only
// ask the key store reads what it lets them unwrap. Who has the memory of the process has the data keys in use, and the key store's
// token.
//
// # Shredding
//
// Shred destroys a period's wrapping key in the key store, and then the wrapped data key. With that nobody reads the period's rows any
// more, in no backup of the database either; a backup of the key store must not outlive it. What is not sealed, and digests of
// frames, which are never stored, are not touched; Prune deletes rows, but none that a device's derivation goes on from.
//
// Processes that hold a key open look every two seconds whether one was shredded, and use none if the database does not tell them. What
// is written is written only while the row of its key is there, in the same transaction.
//
// Who can write the database can keep a period from being shredded. He cannot have the key of a period destroyed that was not asked
// for: wrapping keys have names that depend on the database's identity and its epochs per key, a wrapped key is opened before its
// wrapping key is destroyed, and a canary in the database, which only its own key store opens, is opened before any key is made or
// destroyed.
//
// # What it does not do
//
// It does not check signatures, and does not know what is in a payload. It does not keep two nodes from taking turns on one device:
// the one that comes second is told ErrConflict.
package store
