// Package device is the device's side of the protocol, as firmware in a battery management system, a charging pile or a
// gateway has it: a key pair, a maker's certificate over it, an enrolment secret for each slot it is enrolled in, and the
// attestation of one health record in each epoch. Beside it stands the maker, who certifies keys.
//
// # What a device promises
//
//   - It attests to one record in an epoch, and never to an earlier epoch than its last: a choice among several
//     attestations would let an owner pick the best. Asked again for the same record it gives the same bytes.
//   - It attests only for the seat that it is enrolled in, and only to records within its schema.
//   - It has an enrolment secret of its own for every seat, which its owner knows too, because the owner needs it to recompute what
//     the device committed to: either the device draws it and shows it once (Enrol), or the owner chooses it (Accept).
//   - It agrees to a seat before the ledger enrols it there, with a signature (Possess), which serves until an
//     epoch that the device chooses.
//
// # What it does not promise
//
// A Device lives in memory. Firmware keeps key and secret in a secure element and the last attestation in storage that
// survives a loss of power; Last and Resume are there for that. A device that forgets its last epoch can be made to attest
// twice, and the ledger then still takes one anchor per chunk and epoch. It cannot be made to reveal its record that way,
// since blinding and nonces depend on the record (package zk/commit). Whoever runs a gateway that holds the keys of several
// devices can sign any record for them: the certificate's key class says so.
//
// Below this one, package agent connects a device to its owner's node, package simulate makes readings and records of a fleet that
// ages in a physically reasonable way, and package misbehave lets simulated devices do what a node has to cope with.
package device
