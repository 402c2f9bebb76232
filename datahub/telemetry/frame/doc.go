// Package frame is what devices and their owner's node say to one another over MQTT: the signed frame in which a device
// uploads, in Assay's own form or carrying another format, and the node's answers.
//
// # Construction
//
// Everything is a CBOR array in core deterministic encoding (RFC 8949, 4.2.1) that starts with a version. A parser bounds
// length and counts before it decodes, and accepts exactly the bytes that Marshal writes, so that what was signed has one
// spelling.
//
//	up      Seal(transport key, Up, device, Frame)      Frame{device, sequence, oldest, time, kind, payload, signature}
//	hello   Hello{certificate, ephemeral key, time, signature}, in the clear
//	down    1 ‖ Seal(transport key, Down, device, Ack or Attest)  or  2 ‖ HPKE(ephemeral key, Offer)
//
// Signed: the device's Ed25519 or P-256 key signs a tag, the ledger's id and every field, each behind its length, so no
// signature on a frame serves as one on a hello, a seat, an attestation, or anything of another ledger. The signature is
// made before sealing and kept with the frame: it shows, to whoever gets the frame, who said it.
//
// Sealed: XChaCha20-Poly1305 under a key that only this device and the node have, with a random nonce of 192 bits for every
// sending, which does not repeat by chance in any number of frames that a device can send. Version, direction and device are
// authenticated with it. An offer is sealed by HPKE (RFC 9180, base mode; X25519, HKDF-SHA-256, ChaCha20-Poly1305) to a key
// that the device drew for the one hello and holds in memory only: who later takes the device's key cannot open it.
//
// Delivery: sequences count 1, 2, 3 … for each device. The node stores a frame and then says so with Ack, which covers all
// up to its number; a device keeps what is not covered, sends it again, and says with Oldest from where on it still can. So
// nothing acknowledged is lost or doubled however often messages are lost, repeated or reordered in between.
//
// Time: an offer says how its node counts epochs, so that a device which counts otherwise finds out. It is not where a device
// learns it: the sender is the owner, who would gain by having devices attest ahead of time. A device takes it from the
// consortium's genesis, which it is given with the ledger's id, that is its digest.
//
// # What others can do
//
// A broker, or whoever reads its disk, sees device ids, certificates, times and sizes of messages. It can drop, delay, repeat
// and reorder. Repeated and reordered frames are recognised by their sequence, a withheld one is missed, since sequences have
// no holes. It cannot read, alter or make a frame or an answer, or show the one as the other.
//
// A broker that is not the node's own and lies at the moment of a hello could make an offer of its own, since base mode says
// nothing about the sender. Devices that know the organisation's key therefore check Offer.Signature, which covers device and
// ephemeral key; for those that do not, TLS with the node's certificate is all that tells the node from another.
//
// A replayed hello yields an offer sealed to an ephemeral key that whoever replays it does not have. A replayed
// acknowledgement says nothing that was not true, a replayed request to attest gets the same bytes again (package device).
//
// Who copies a device's key alone can say hello in its name, and so obtain its transport key and secret: the key is the device.
// It cannot go unnoticed for long: two that number their own frames put different content under one sequence, which the node
// sees. Who copies a transport key alone reads the device's traffic and cannot add to it, for lack of the signature. Who runs
// a gateway that holds devices' keys can say anything in their names: the certificate's key class tells.
//
// # What is not promised
//
// That a reading is true. That clocks are right: SentMicros and the times of readings are the device's, for the node to bound.
// Forward secrecy: the transport key stays the same for a generation, so who obtains it opens that generation's recorded
// traffic. That size and time of messages hide how a device is used.
package frame
