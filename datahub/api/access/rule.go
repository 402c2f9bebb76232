package access

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// PeerAccess is what other organisations' nodes may do with a method.
type PeerAccess int

const (
	// NoPeers: people and programs of the node's own organisation only.
	NoPeers PeerAccess = iota
	// AllPeers: every organisation that published a node.
	AllPeers
	// PartyPeers: those that asked the request that the call names in its field "request", or answer it.
	PartyPeers
)

// Rule says who may call a method.
type Rule struct {
	// Roles are those that a person needs one of. An administrator has all. Without any, no person may call, an administrator neither.
	Roles []Role
	// Organisation are the roles that the node's own organisation needs one of; none is any.
	Organisation []ledger.Role
	Peers        PeerAccess
	// Anonymous lets callers in that show nothing.
	Anonymous bool
	// MaxRequest bounds the encoded message.
	MaxRequest int
	// Stream says that the method answers with a stream.
	Stream bool
	// AtOnce bounds how many of these calls a principal may have at one time, of what takes much of the node to answer; 0 is by the limits alone.
	AtOnce int
}

// RuleOf is the rule of a method, by its full name ("/package.Service/Method").
func RuleOf(method string) (Rule, bool) {
	r, ok := rules[method]
	return r, ok
}

// Rules are the methods that have a rule, in order.
func Rules() []string {
	methods := make([]string, 0, len(rules))
	for m := range rules {
		methods = append(methods, m)
	}
	slices.Sort(methods)
	return methods
}

// LargestRequest bounds the encoded message of every method.
func LargestRequest() int {
	largest := 0
	for _, r := range rules {
		largest = max(largest, r.MaxRequest)
	}
	return largest
}

// Check reports what a server serves that has no rule, or another form than its rule says.
func (g *Guard) Check(services map[string]grpc.ServiceInfo) error {
	var problems []error
	for service, info := range services {
		for _, m := range info.Methods {
			name := "/" + service + "/" + m.Name
			rule, ok := rules[name]
			switch {
			case !ok:
				problems = append(problems, fmt.Errorf("%s: has no rule of access", name))
			case m.IsClientStream:
				problems = append(problems, fmt.Errorf("%s: takes a stream, which cannot be bounded by its rule", name))
			case m.IsServerStream != rule.Stream:
				problems = append(problems, fmt.Errorf("%s: whether it answers with a stream is not what its rule says", name))
			}
		}
	}
	return errors.Join(problems...)
}

// decide says whether a principal may call a method at all. What a peer may see of a request is decided with the request in hand.
func (r *Rule) decide(p Principal, own *ledger.Organisation) error {
	switch {
	case p.Kind == Anonymous && r.Anonymous:
		return nil
	case p.Kind == Peer && r.Peers != NoPeers:
	case p.Kind == Peer:
		return errors.New("not for other organisations' nodes")
	case p.Kind != Person:
		return errors.New("not for callers without a token")
	case len(r.Roles) == 0:
		return errors.New("for other organisations' nodes alone")
	case !p.HasAny(r.Roles...):
		return fmt.Errorf("needs one of the roles %v", withAdministrator(r.Roles))
	}
	if len(r.Organisation) > 0 && !slices.ContainsFunc(r.Organisation, own.Has) {
		return fmt.Errorf("organisation %s is none of %v", own.ID, r.Organisation)
	}
	return nil
}

func withAdministrator(roles []Role) []Role {
	if slices.Contains(roles, Administrator) {
		return roles
	}
	return append(slices.Clone(roles), Administrator)
}
