// Package server is what a node's interface does: it turns the calls of assay.v1 into calls and queries of the contract, in the name of the node's
// organisation, and the ledger's answers into messages.
//
// It decides nothing, but that a call must be somebody's ([Options].Caller). Who may call what is decided before it, by datahub/api/access; whether the organisation may do it is decided behind it, by the contract. All
// it adds of its own is that another organisation's node sees those requests alone that it asked or answers ([Caller]), and
// no query: it has its own ledger, and fetches here what its node needs of a session, which [Options].Queries decides.
//
// # What it promises
//
// Every message is held to the bounds in its descriptor before a handler sees it, streams' messages too, whoever registers the services; a violation is
// INVALID_ARGUMENT with a BadRequest that names every field. A refusal of the ledger becomes a status with an ErrorInfo of the domain "assay" whose reason is the
// ledger's code:
//
//	not_found     NOT_FOUND             forbidden     PERMISSION_DENIED
//	invalid       INVALID_ARGUMENT      expired       FAILED_PRECONDITION
//	conflict      ABORTED               not_endorsed  FAILED_PRECONDITION
//
// Anything else that goes wrong beneath is UNAVAILABLE, reason "unavailable", without detail, which goes to the log: the outcome of a change is then not known, and
// the same call again is safe.
//
// Calls that change the ledger may be repeated. Each looks at what the ledger already says: the same content gives the answer of the first time, another content
// is ALREADY_EXISTS. That needs no memory and holds after a restart and on another of the organisation's nodes. An idempotency key (metadata "idempotency-key") does
// two things more: it makes the nonce of a request, so that CreateRequest can be repeated without one, and a key that comes again with another call is ALREADY_EXISTS.
// For that the process remembers the last 65,536 keys, for a day. The nonce is the organisation's and not the caller's: two of its people who ask with the same key get one
// request, or ALREADY_EXISTS.
//
// The model of a score is the organisation's secret. It is handed on before the query is asked, and is in no answer, no error and no log; a call that comes again with
// another model is refused. What was learned from a query is given to the requester's own people, by the requester's own node.
//
// Streams send the state first and then what changes. They end with the caller's context, or when nothing more can follow. They survive an
// outage of the ledger: what changed in it is sent afterwards. A slow reader gets fewer messages, the latest state among them; nothing is queued for it.
//
// # What it does not
//
// A list is not of one moment: its pages are read one after the other. Entries come in the order of ids. Page tokens are not secret and not signed: one that is made up gives
// what a list with other restrictions would. GetCoverage and VerifyBundle read what the ledger has about all chunks of a fleet.
package server
