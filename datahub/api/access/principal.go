package access

import (
	"context"
	"slices"
	"time"
)

// Kind is what sort of caller a principal is.
type Kind int

// The kinds of callers. The zero value may nothing.
const (
	_ Kind = iota
	// Person has a token: a person, or a program of the organisation.
	Person
	// Peer is the node of another organisation.
	Peer
	// Anonymous showed nothing.
	Anonymous
)

// Principal is who calls.
type Principal struct {
	Kind Kind
	// Organisation is the caller's: the node's own for a person.
	Organisation string
	// Subject is a person's name in their organisation, and Issuer who says so.
	Subject, Issuer string
	// Roles are what a person may do.
	Roles []Role
	// TokenID is the id of a person's token.
	TokenID string
	// Until is when what they showed ends, and a stream with it. Zero for those who showed nothing.
	Until time.Time
	// ca is the certificate that a peer's chain ends at.
	ca []byte
	// host is where one who showed nothing calls from.
	host string
}

// String names the principal in logs.
func (p Principal) String() string {
	switch p.Kind {
	case Person:
		return "person " + p.Subject + " of " + p.Organisation
	case Peer:
		return "node of " + p.Organisation
	case Anonymous:
		return "anonymous"
	}
	return "nobody"
}

// HasAny reports whether a person has one of the roles. An administrator has all.
func (p Principal) HasAny(roles ...Role) bool {
	if p.Kind != Person {
		return false
	}
	return slices.Contains(p.Roles, Administrator) || slices.ContainsFunc(roles, func(r Role) bool { return slices.Contains(p.Roles, r) })
}

// key tells principals apart for their limits.
func (p Principal) key() string {
	switch p.Kind {
	case Person:
		return "person\x00" + p.Issuer + "\x00" + p.Subject
	case Peer:
		return "peer\x00" + p.Organisation
	}
	return "anonymous\x00" + p.host
}

// From is who made the call that a handler serves. It is false outside of a call that was let through.
func From(ctx context.Context) (Principal, bool) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok || !c.authorised.Load() {
		return Principal{}, false
	}
	return c.principal, true
}
