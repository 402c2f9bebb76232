package workqueue

import (
	"fmt"
	"slices"
	"strings"
)

// Account is a worker's on the broker: one of its own, without JetStream, that imports from the queue's account, as services, what
// the worker may publish, and nothing else.
//
// A broker checks the subject that a client publishes to, not the reply subject that it names, and JetStream answers there from inside
// its account. In the queue's account itself a worker could so have the broker send to any subject of it: delete streams, or put
// something into another's place. A service's reply is rewritten on the way in, and ends in the account that asked. Two workers
// have two accounts, since what one of them imports would be within the other's reach.
type Account struct {
	Name string
	// Login is how the account's only user logs in, as a server's configuration has it, such as "nkey: U…".
	Login string
	May   Permissions
}

// replyWithin is for how long the broker remembers where a service's answer goes. Every answer that comes at all comes within
// fetchWait or callTimeout; what is asked and never answered should not fill the broker's memory.
const replyWithin = 3 * fetchWait

// A server imports all of JetStream's API into an account that has no JetStream, to say so, and a worker that asks would get that
// for an answer. It does not if the account has this subject from elsewhere, here from where nobody serves it; then the account reaches
// nothing of the API but what it imports.
const (
	shadowed = "$JS.API.INFO"
	unserved = "assay-work.nothing"
)

// Config writes the account as a line of a server's configuration, within accounts { }. From is the name of the queue's account.
func (a Account) Config(from string) string {
	imports := []string{fmt.Sprintf("{ service: { account: %s, subject: %q }, to: %q }", from, unserved, shadowed)}
	for _, s := range a.May.Publish {
		imports = append(imports, fmt.Sprintf("{ service: { account: %s, subject: %q } }", from, s))
	}
	return fmt.Sprintf("%s { users: [ { %s, permissions: { publish: { allow: %s }, subscribe: { allow: %s } } } ], imports: [ %s ] }\n",
		a.Name, a.Login, quoted(a.May.Publish), quoted(a.May.Subscribe), strings.Join(imports, ", "))
}

// Exports writes what the queue's account lets these have, as the list that a server's configuration has under exports. Each
// request has one answer, since [Consumer.Next] asks for one message, and for so short a time that the broker sends no heartbeats.
func Exports(accounts []Account) string {
	var subjects []string
	names := map[string][]string{}
	for _, a := range accounts {
		for _, s := range a.May.Publish {
			if names[s] == nil {
				subjects = append(subjects, s)
			}
			if !slices.Contains(names[s], a.Name) {
				names[s] = append(names[s], a.Name)
			}
		}
	}
	exports := []string{fmt.Sprintf("{ service: %q }", unserved)}
	for _, s := range subjects {
		exports = append(exports, fmt.Sprintf("{ service: %q, response_type: singleton, threshold: %q, accounts: %s }", s, replyWithin.String(), quoted(names[s])))
	}
	return "[ " + strings.Join(exports, ", ") + " ]"
}

// quoted writes a list. Nothing may be done by whoever has none: an empty list would allow everything.
func quoted(all []string) string {
	if len(all) == 0 {
		all = []string{unserved}
	}
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = fmt.Sprintf("%q", s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}
