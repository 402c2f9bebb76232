// Package agent connects a device to its owner's node: MQTT 3.1.1 over TLS 1.3, with the device's own certificate and key. It
// says hello, takes the seat it is offered, sends signed frames and answers when the node asks for an epoch's record. Package
// frame has the messages.
//
// # What it promises
//
//   - What Publish took arrives once, in order, as long as the state is kept: a frame is numbered, signed and written to the
//     state before Publish returns, and stays there until the node has acknowledged it. Loss of the connection, a broker or node
//     that restarts, lost, repeated or late answers change nothing about that.
//   - Memory and disk are bounded. At most MaxWindow frames are on their way; when the window is full Publish waits.
//   - It is patient. If nothing is acknowledged for Options.ResendAfter, or longer where acknowledgements usually take longer, it
//     sends the oldest frame again, and the others as that one's acknowledgement shows that they were lost; then less and less
//     often. Connecting again backs off likewise. All of it with jitter, so that a slow node is not made slower, and a fleet that
//     lost its node does not come back in one blow.
//   - It attests to one record in an epoch: what it attested to is in the state before it is sent, and sent again when the node
//     asks again, whatever it proposes then. It never attests for an epoch that by its own clock has not ended. When epochs end it
//     takes from the consortium's genesis (Options.Genesis), which the ledger's id is the digest of. The owner, who makes offers, has
//     no say in it: one who could move the end of an epoch could collect attestations for years ahead while a battery is good.
//     An offer with other numbers is refused.
//   - What it agrees to lapses: a signature over a seat serves a day, or four epochs if they are longer. While the node never asked it to
//     attest, which it asks those that are enrolled, the device then says hello again and agrees anew.
//   - A device whose firmware computes records (Options.Own) answers with its own. Another one looks at what the node proposes
//     (Options.Approve) and attests to that.
//
// An agent says hello when it starts, and when several sendings in a row stay without an answer: the node may have lost or
// renewed the transport key. The node's answer says up to where it has the device's frames, and numbering goes on from there. If
// that is further than the device remembers, its state is an old copy, and what it holds below is taken for delivered. If it is
// less than what the device still holds, the node lost frames that it had acknowledged; the device says so in the next frame
// (frame.Frame.Oldest) and goes on.
//
// # What it does not promise
//
// The state is not encrypted: it holds the device's key, its secrets and readings that were not acknowledged, in files that only
// their owner may read. A file survives the end of the process at any moment, but frames are not flushed to the disk one by
// one, so a loss of power can cost the last ones before it; attestations are flushed. In memory (no Options.State) all is gone
// with the process, also the memory of the last attestation: package device says what that means.
//
// The network client (Eclipse Paho) takes messages of any size that MQTT allows from the broker, which TLS has identified.
package agent
