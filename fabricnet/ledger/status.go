package ledger

import (
	"slices"

	"github.com/assay-net/assay/zk/commit"
)

// Status is where a request stands.
type Status string

// The statuses of a request, in the order in which the first that applies is given.
const (
	StatusVerified  Status = "verified"
	StatusWithdrawn Status = "withdrawn"
	StatusRefused   Status = "refused"
	StatusFailed    Status = "failed"
	StatusExpired   Status = "expired"
	StatusProving   Status = "proving"
	StatusApproved  Status = "approved"
	StatusOpen      Status = "open"
)

var statuses = []Status{StatusVerified, StatusWithdrawn, StatusRefused, StatusFailed, StatusExpired, StatusProving, StatusApproved, StatusOpen}

// Known reports whether it is one of the statuses.
func (s Status) Known() bool { return slices.Contains(statuses, s) }

// Approved reports whether the request is approved and may still be answered.
func (s Status) Approved() bool { return s == StatusApproved || s == StatusProving }

// RequestEntry is a request with all that followed.
type RequestEntry struct {
	ID         commit.Digest `json:"id"`
	Status     Status        `json:"status"`
	Request    Request       `json:"request"`
	Decision   *Decision     `json:"decision,omitempty"`
	Withdrawal *Withdrawal   `json:"withdrawal,omitempty"`
	Proving    *Proving      `json:"proving,omitempty"`
	Failure    *Failure      `json:"failure,omitempty"`
	Verdict    *ProofVerdict `json:"verdict,omitempty"`
}
