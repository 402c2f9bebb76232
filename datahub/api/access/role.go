package access

import (
	"fmt"
	"slices"
)

// Role is what a token lets a person or program do at the node of its organisation. The contract decides again what the organisation may.
type Role string

const (
	// Viewer reads what every member of the consortium may read.
	Viewer Role = "viewer"
	// Auditor reads the trail of calls, the results of queries, and takes evidence besides.
	Auditor Role = "auditor"
	// Operator asks, withdraws, approves, refuses and reads the results of queries besides what a viewer does.
	Operator Role = "operator"
	// Administrator publishes policies, grants and revokes, and does what the others do.
	Administrator Role = "administrator"
)

// Roles are all of them.
func Roles() []Role { return []Role{Viewer, Auditor, Operator, Administrator} }

// maxRoles bounds the roles that one token lists, those of other programs that share the issuer included.
const maxRoles = 32

// ParseRole reads a role's name.
func ParseRole(name string) (Role, error) {
	if r := Role(name); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", fmt.Errorf("role %q: must be one of %v", name, Roles())
}

// knownRoles keeps the roles that are ours: an organisation's issuer may name more.
func knownRoles(names []string) []Role {
	var roles []Role
	for _, name := range names {
		if r, err := ParseRole(name); err == nil && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles
}
