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
// rights: it may call the few methods that the table opens to peers, and those about a request only if its organisation asked it or answers it.
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
// [Guard.ServerOptions] are for a grpc.Server. Admission runs when a call's headers arrive, before its message is read: authentication, the
// principal's rate and share of calls at once, the deadline. What is not admitted has a second to say what it came to say, and is
// refused. The interceptors, for calls and for streams, then decide by the table, bound and validate the message, keep a reader of a stream from
// holding it up, and turn a panic into an error without detail. A server that was given only a part of the options refuses every call.
//
// # What it does not promise
//
// A token is good for whoever holds it until it ends: there is no revocation list. Keys of an issuer are kept for up to an hour, so a key that the
// issuer withdraws may be accepted for that long, and no longer, when the issuer cannot be reached: then calls are UNAVAILABLE and never let through. The
// record of published CAs is kept for up to five minutes, less where [Guard.NodesChanged] is called upon the ledger's events. Limits are per principal and
// per process; the listener bounds those who are nobody yet.
package access
