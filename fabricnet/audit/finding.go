package audit

import (
	"fmt"
	"strings"
)

// Kind classes a finding.
type Kind string

// The kinds of findings.
const (
	// Damage: a block is not as the orderers sealed it, or cannot be read. The audit ends there.
	Damage Kind = "damage"
	// Flag: peers record another validation code than the transaction has.
	Flag Kind = "flag"
	// Rule: the organisations that the consortium's rule asks for did not all endorse a call.
	Rule Kind = "rule"
	// Identity: a certificate was out of its period, or a proposal was made by another than who submitted it.
	Identity Kind = "identity"
	// Replay: the contract gives another result than what was endorsed and recorded.
	Replay Kind = "replay"
	// Foreign: something else than a call of the contract writes to its state, or a call writes elsewhere.
	Foreign Kind = "foreign"
	// Attestations: an anchor was not re-checked, or its attestations do not give it.
	Attestations Kind = "attestations"
	// Endorsement: a signature among the endorsements does not verify. It does not count.
	Endorsement Kind = "endorsement"
	// Configuration: the channel's configuration changed.
	Configuration Kind = "configuration"
	// Unevaluated: a transaction's code hangs on something that is not evaluated. It is a peer's word, or nobody's.
	Unevaluated Kind = "unevaluated"
	// Encoding: a transaction is in another encoding than its one. Its content is not in doubt.
	Encoding Kind = "encoding"
	// SRS: the SRS that the channel pins is not to be had, so no anchor is re-checked.
	SRS Kind = "srs"
	// Beacon: a stage of a ceremony is closed with another value than the hash of the block that holds its end.
	Beacon Kind = "beacon"
	// Late: a call was committed long after it was proposed.
	Late Kind = "late"
	// HeldBack: an enrolment or retirement was committed after a transaction of a later epoch.
	HeldBack Kind = "held_back"
)

// Finding is something that whoever relies on the channel should know.
type Finding struct {
	Block uint64 `json:"block"`
	// TxID is missing where the finding is about the block.
	TxID    string `json:"tx_id,omitempty"`
	Kind    Kind   `json:"kind"`
	Failure bool   `json:"failure"`
	Message string `json:"message"`
}

func (f Finding) String() string {
	where := fmt.Sprintf("block %d", f.Block)
	if f.TxID != "" {
		where += ", transaction " + f.TxID
	}
	return fmt.Sprintf("%s: %s: %s", where, f.Kind, f.Message)
}

const maxMessage = 1 << 10

func (r *Report) add(f Finding) {
	f.Message, f.TxID = clean(f.Message, maxMessage), clean(f.TxID, 64)
	if f.Failure {
		r.Sound = false
		r.Counts.Failures++
	} else {
		r.Counts.Notices++
	}
	// The first failure is kept however many notices came before it.
	if len(r.Findings) < maxListed || f.Failure && r.Counts.Failures == 1 {
		r.Findings = append(r.Findings, f)
	}
}

// clean cuts text that comes from a block and leaves nothing in it that JSON would spell in two ways.
func clean(text string, max int) string {
	return strings.ToValidUTF8(text[:min(len(text), max)], "?")
}
