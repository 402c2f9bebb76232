package gateway_test

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/assay-net/assay/datahub/api/access"
)

// peersAlone reports whether a method is for other organisations' nodes and for no person.
func peersAlone(m protoreflect.MethodDescriptor) bool {
	rule, _ := access.RuleOf(fullName(m))
	return len(rule.Roles) == 0
}

// callers may call everything between them: ada as an administrator, and the lender's node what is for peers alone.
type callers struct {
	token     string
	own, peer *grpc.ClientConn
}

func (w *world) callers() callers {
	w.Helper()
	_, lender := w.peer("lender", true)
	return callers{w.token(access.Administrator), w.dial(nil), w.dial(lender)}
}

// of is how the one calls who may call a method.
func (c callers) of(m protoreflect.MethodDescriptor) (context.Context, *grpc.ClientConn) {
	if peersAlone(m) {
		return with(""), c.peer
	}
	return with(c.token), c.own
}
