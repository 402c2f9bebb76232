package client

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Problem is what a node says it could not do.
type Problem struct {
	Code codes.Code `json:"code"`
	// Reason is for programs: the ledger's code, or one of the interface's own. It is empty when something between here and the node failed.
	Reason  string  `json:"reason,omitempty"`
	Message string  `json:"message"`
	Fields  []Field `json:"fields,omitempty"`
	// RetryAfter is how long to wait before the same call may succeed, 0 if the node does not say.
	RetryAfter time.Duration `json:"retry_after,omitempty"`
}

// Field is a field of the call that is not as it must be.
type Field struct {
	Name    string `json:"name"`
	Problem string `json:"problem"`
}

// ProblemOf finds the problem in an error of a call. It is false for errors that no call made.
func ProblemOf(err error) (Problem, bool) {
	var with interface{ GRPCStatus() *status.Status }
	if !errors.As(err, &with) {
		return Problem{}, false
	}
	s := with.GRPCStatus()
	p := Problem{Code: s.Code(), Message: printable(s.Message())}
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			p.Reason = printable(d.GetReason())
		case *errdetails.BadRequest:
			for _, v := range d.GetFieldViolations() {
				p.Fields = append(p.Fields, Field{Name: printable(v.GetField()), Problem: printable(v.GetDescription())})
			}
		case *errdetails.RetryInfo:
			p.RetryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	return p, true
}

// Error is the problem in words.
func (p Problem) Error() string {
	if p.Reason == "" {
		return strings.ToLower(p.Code.String()) + ": " + p.Message
	}
	return p.Reason + ": " + p.Message
}

// printable keeps a node's words from steering a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
