// Package gateway is where a node's interface meets the network: one listener for gRPC, one for REST with a page to try it, both over TLS 1.3 with the node's
// certificate.
//
// # What it promises
//
// REST is a translation. Every call of it becomes a gRPC call over a connection in memory, to a server with the same services and the same guard (package access) as
// the one on the network, so that there is one place that decides. Towards that server a client of REST has its token and nothing else: of a request's headers,
// Authorization, Idempotency-Key and X-Request-Id get there, whatever others there are, and a client certificate cannot be shown. Paths have one spelling: what holds an
// escape, an empty or a dot segment, or a slash at its end is refused before anything is looked up, and so are parameters that a call does not have, methods by
// header, form bodies, and bytes behind the JSON.
//
// Whoever is nobody yet costs little: connections are bounded in number, per host too; handshakes, headers and bodies have a deadline; a body is not read before the
// token in front of it is good for its call, nor beyond what its method takes, and only a few large ones at a time, two of them one caller's. Who is answered without the
// body is not waited for: the connection ends a moment later. Answers have a deadline for every write, so that a reader who stops
// is cut off.
//
// Answers carry no permission for other origins (CORS), are not to be cached, framed or guessed at by a browser, and say nothing of a panic. The page at /docs/ runs under a
// Content-Security-Policy that lets no script in but its own, by hash, and talk to nothing but this node; a token that is typed in there is kept in the page's
// memory.
//
// # What it does not
//
// It terminates no TLS for others and trusts no header about who connected: behind a proxy, all callers share one host's bound of connections and of tokens that are no good (access.Limits), which
// have to be raised. A stream over HTTP/1.1 takes a connection of its own.
package gateway
