// Package access decides who may call what of a node's interface. It is the one place that does, for gRPC and for REST, for calls and for streams.
//
// # Who calls
//
// A person or a program shows a token (Authorization: Bearer …) of an issuer that the node's organisation configured. It is a JWT, signed with
// ES256, EdDSA or RS256 by a key that the issuer publishes, for this node's audience alone, valid now, and for an hour at most in all. Its claim
// "assay_roles" says what the holder may do here ([Role]).
//
// Another organisation's node shows a certificate over TLS 1.3. Its organisation is the one in the certificate's subject, and the certificate chains to the
// CA that this very organisation published on the ledger: no organisation's CA speaks for another. A peer is no person and has none of their
// rights: it may call the few methods that the table opens to peers, and those about a request only if its organisation asked it or answers it. What nodes fetch from one
// another is for peers alone: no role opens it, an administrator's neither.
//
// A call that brings both is refused, and so is one that brings neither, except for a bare "are you there".
//
// # What may be called
//
// [Rules] is one table: method, roles that may call it, roles that the node's own organisation needs for it, whether peers may, and how large a request may be.
// A method that is not in the table is refused, and [Guard.Check] refuses to serve one.
// The contract decides again, for the organisation, about all that is written: the table keeps people of one organisation apart.
//
// # Where it happens
//
// [Guard.ServerOptions] are for a grpc.Server whose services are registered by [Guard.Registrar]. Admission runs when a call's headers arrive: authentication, the
// principal's rate and share of calls at once, the table, the deadline, which is no later than the end of what the caller showed. What is not admitted is refused with
// its message unread. Of the others the message is read and, if it is no longer than its method takes, decoded; compressed ones are not taken. Four of a principal's
// messages are read at one time, and the others wait, so that no more than four times the longest is on its way into memory. The interceptors, for calls and for streams,
// then look for fields that this node does not know, and whether a peer is party to the request; they keep a reader of a stream from holding it up, and turn a panic into
// an error without detail. A server that was given only a part of this refuses every call. Whether a message is valid is looked at by the handlers (package server).
//
// # What it does not promise
//
// A token is good for whoever holds it until it ends: there is no revocation list. Keys of an issuer are kept for up to an hour, so a key that the
// issuer withdraws may be accepted for that long, and no longer, when the issuer cannot be reached: then calls are UNAVAILABLE and never let through. The
// record of published CAs is kept for up to five minutes, less where [Guard.NodesChanged] is called upon the ledger's events, which also ends the calls of a CA that is
// not its organisation's any more. A stream ends with the token or certificate that opened it, and within ten seconds of when the node learns that the token's key was
// withdrawn. A message of up to the longest that any method takes is held in memory until it is found to be too long for its own.
//
// Limits are per principal and per process. Those who are nobody yet are bounded by the listener, and by how many tokens and certificates that are no good one host may
// show in a minute: beyond that, nothing of it is looked at but what is known to be good. All who call from one address are one host: who guesses there may keep the others'
// new tokens out. Whoever reads a stream too slowly loses the connection, with all other calls on it: a proxy must not have several users share one.
package access
