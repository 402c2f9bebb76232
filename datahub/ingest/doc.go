// Package ingest takes what devices send over MQTT into the owner's store: the broker that they connect to, the rule who may, and the
// pipeline behind it. Package frame has the messages, package store keeps them.
//
//	device ── MQTT, TLS 1.3 ──► broker ──► stream ASSAY_UP ──► open, verify, decode ──► sequence, Sink ──► Store.Commit ──► Ack ──► device
//
// # Broker
//
// A Broker is a NATS server in this process (StartBroker) or an external cluster (ConnectBroker); the same service says in both who may
// connect. A device comes with its maker's certificate, which TLS has proven it holds the key of, and under its own id as MQTT client id,
// so that nobody can take over another's session. It may publish to its own up and hello and subscribe to its own down, and nothing else:
// whatever it publishes elsewhere is dropped, though MQTT acknowledges it. Registry.Allow is asked at every connection, since makers come
// and go, and a session ends after Embedded.SessionLimit or Cluster.SessionLimit. One message has at most 256 KiB, QoS 2 is refused, and so
// are QoS 1 subscriptions beyond a thousand: what the node sends is never kept. What a device sends as retained is kept for a minute at
// most, for nobody. A device may be authorised 16 times at once, and then every two seconds; of connections to the embedded server that
// have shown a certificate and not said CONNECT, which have five seconds to, there are at most 4 of a device at a host, and 256 of a host.
// That server listens for MQTT only, with TLS only; the node itself is connected within the process. What JetStream writes is encrypted.
//
// # What is promised
//
//   - A device that was told Ack{Through} has all its frames up to there in the store, as it signed them, once, or in the quarantine for a
//     reason that the Ack tells. That holds whatever is killed when.
//   - MQTT's PUBACK promises less: the broker has taken the frame, has written it or is about to, and drops it if the backlog is full. A
//     device keeps each frame until an Ack covers it.
//   - Frames of a device are taken in order of sequence, without holes but those that the device itself declares.
//   - Nothing that a device sends stops the others: each is held to a rate of messages and of bytes, beyond which what it sends is dropped,
//     and disconnected wherever it is connected if it goes on, for longer each time; each has a bounded share of the backlog and of the
//     quarantine. A frame that panics a decoder is put aside; one that ends the process is taken alone after some starts, and then put
//     aside too.
//   - While the store, the key store, the sink or the broker is not there, nothing is acknowledged and nothing is lost: what came waits in
//     the broker's stream, and when that is full, in the devices. Memory is bounded by a few batches whatever happens.
//
// # Sequences
//
// With e the sequence after the last that was taken, a frame q whose signature is right is taken if q = e; dropped as a duplicate if q < e,
// or put aside as a conflict if it is not the frame that was stored as q, which means that two devices have one key; taken after a gap if q
// > e and the device says that it holds none below q, if they are not absurdly many (then it is put aside); and otherwise dropped as early:
// the device sends again from where it was acknowledged. A frame whose content does not decode, whose clock is impossible or which the Sink
// refuses is put aside, and uses up its sequence. One that does not open or verify is put aside and does not: nobody knows who made it.
// Frames of the first sort are only there, so that nothing pushes them out; when the quarantine takes no more of a device, or of all, they
// are not acknowledged until an operator has made room. Those of the second sort push out one another, the oldest first.
//
// # Replay
//
// What an operator marks in the quarantine (store.QuarantineMark) is tried again with the rules, keys and decoders of now. It is stored, or
// put back with the reason that it has then and the time. A frame that is tried again may be older than others of its device that were
// taken since: Upload.Replay says so.
//
// # What is not promised
//
// That a frame is true: the device measured it. That a device which was connected before its maker was withdrawn is cut off at once: it is
// refused when it next connects, at the latest after the session limit, and Ban disconnects it. That an external cluster bounds what comes
// before CONNECT: its own configuration has to. That a device which floods an external cluster is found if nothing of it reaches the node.
// That duplicates are compared with what is stored while the store is down: they are then dropped unseen, and counted. One Pipeline uses a
// stream at a time; two nodes on one store see each other's frames as stored already and log an error.
package ingest
