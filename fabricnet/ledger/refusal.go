package ledger

import (
	"errors"
	"fmt"
)

// Code classes a refusal. There are few, for programs; the message is for people.
type Code string

const (
	// NotFound: what the call names does not exist.
	NotFound Code = "not_found"
	// Forbidden: the caller may not do this.
	Forbidden Code = "forbidden"
	// Invalid: the call is malformed, or what it brings does not verify.
	Invalid Code = "invalid"
	// Conflict: it was done already, or something else changed in between.
	Conflict Code = "conflict"
	// AlreadyRecorded: the caller's place is taken by something else of the caller's, for ever.
	AlreadyRecorded Code = "already_recorded"
	// Expired: too late, or too early.
	Expired Code = "expired"
	// NotEndorsed: not enough organisations, or not the right ones, endorsed the call, or they disagreed.
	NotEndorsed Code = "not_endorsed"
)

// Refusal is the ledger's no to a call. Nothing was recorded.
type Refusal struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

func (r *Refusal) Error() string { return string(r.Code) + ": " + r.Message }

// Refuse makes a refusal.
func Refuse(code Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// CodeOf is the code of the refusal in err, or "" if there is none.
func CodeOf(err error) Code {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}
