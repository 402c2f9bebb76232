package admin

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/multi"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"
)

// ErrNotCommitted is the error of [Admin.Committed] when the channel has no chaincode of that name.
var ErrNotCommitted = errors.New("not committed on the channel")

// StepError says which step failed, at which node, and why.
type StepError struct {
	// Step is what was being done: "approving assay 1.0 sequence 1".
	Step string
	// Node is the address of the node that was asked, or empty.
	Node string
	// Message is the node's own message where it sent one, else what went wrong on the way to it.
	Message string
	err     error
}

func (e *StepError) Error() string {
	if e.Node == "" {
		return e.Step + ": " + e.Message
	}
	return e.Step + " at " + e.Node + ": " + e.Message
}

func (e *StepError) Unwrap() error { return e.err }

// failed makes a StepError, unless err is nil. Where no node is named, the library's error may name one.
func (a *Admin) failed(step, node string, err error) error {
	if err == nil {
		return nil
	}
	var inner *StepError
	if errors.As(err, &inner) {
		return err
	}
	var several multi.Errors
	if node == "" && !errors.As(err, &several) {
		node = endorserOf(err)
	}
	message := explain(err)
	if at := unreached.FindStringSubmatch(err.Error()); at != nil {
		if node == "" {
			node = at[1]
		}
		message = a.unreachable(at[1])
	}
	return &StepError{Step: step, Node: node, Message: message, err: err}
}

// unreached is how the library says that it could not connect, without the reason.
var unreached = regexp.MustCompile(`dialing connection on target \[([^\]]*)\]`)

// reachable reports whether an error is that the library did not connect to a node that can be connected to.
func (a *Admin) reachable(err error) bool {
	at := unreached.FindStringSubmatch(err.Error())
	if at == nil {
		return false
	}
	n, known := a.node(at[1])
	return known && n.dial() == nil
}

// unreachable finds out why a node cannot be connected to.
func (a *Admin) unreachable(address string) string {
	if n, known := a.node(address); known {
		if err := n.dial(); err != nil {
			return "cannot connect: " + err.Error()
		}
	}
	return "cannot connect"
}

func (a *Admin) node(address string) (Node, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n, known := a.nodes[address]
	return n, known
}

// endorserText is how the library names the peer that an error is of.
var endorserText = regexp.MustCompile(`^Transaction processing for endorser \[([^\]]*)\]`)

func endorserOf(err error) string {
	if found := endorserText.FindStringSubmatch(err.Error()); found != nil {
		return found[1]
	}
	return ""
}

// explain finds the message of the node in the library's wrappings.
func explain(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	var several multi.Errors
	if errors.As(err, &several) {
		texts := make([]string, len(several))
		for i, one := range several {
			if texts[i] = explain(one); endorserOf(one) != "" {
				texts[i] = endorserOf(one) + ": " + texts[i]
			}
		}
		slices.Sort(texts)
		return strings.Join(slices.Compact(texts), "; ")
	}
	if s, ok := status.FromError(err); ok {
		return statusText(s)
	}
	return err.Error()
}

func statusText(s *status.Status) string {
	switch s.Group {
	case status.EventServerStatus:
		return "the transaction was not valid: " + status.ToTransactionValidationCode(s.Code).String()
	case status.GRPCTransportStatus:
		return fmt.Sprintf("%s (%s)", s.Message, status.ToGRPCStatusCode(s.Code))
	case status.ClientStatus:
		if s.Code == status.Timeout.ToInt32() {
			return "no answer in time"
		}
	}
	switch {
	case s.Message == "":
		return s.Error()
	case s.Group == status.EndorserClientStatus && s.Code == status.SignatureVerificationFailed.ToInt32() && len(s.Details) == 1:
		return fmt.Sprintf("%s: %v", s.Message, s.Details[0])
	}
	return s.Message
}
