// Package client calls a node's interface: what the command line does, a program can do with it.
//
//	c, err := client.Dial(client.Options{Address: "node.example:7443", Roots: roots, Token: client.TokenFile("/run/assay/token")})
//	…
//	defer c.Close()
//	for f, err := range c.AllFleets(ctx, "") { … }
//
// The services are there as they are generated, with what they have in common seen to: TLS 1.3, the caller's token or certificate, a deadline for calls that have none
// (30 seconds), and repetition. A call that the node could not carry out (UNAVAILABLE) is tried up to four times in all. That is safe for every call: those that change
// the ledger get an idempotency key if the context has none ([WithKey]), which stays the same from try to try. Somebody who wants to be safe beyond the life of a process
// keeps the key and the call.
//
// [Client.Watch], [Client.WatchQuery] and [Client.WatchAlerts] go on over broken connections and outages until there is nothing more to follow or the context ends. [Client.Bundle] and
// [Client.Evidence] put files together and check them against their digests. What a node says it could not do is a [Problem].
//
// [Client.Item] is what nodes fetch from one another while they compute together: so many bytes and no more, or why there are none.
//
// A token is read for every call and sent over TLS alone; it is in no error and no String.
package client
