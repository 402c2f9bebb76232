package gateway

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Stage is where a call failed.
type Stage string

const (
	// StageEndorse: the peers did not endorse it. Nothing was recorded.
	StageEndorse Stage = "endorse"
	// StageSubmit: it was not sent to the ordering service. Nothing was recorded.
	StageSubmit Stage = "submit"
	// StageCommit: it is in a block, and invalid, so that it changed nothing; or the error is an *OutcomeUnknown too.
	StageCommit Stage = "commit"
	// StageEvaluate: a query failed.
	StageEvaluate Stage = "evaluate"
	// StageEvents: following the blocks failed.
	StageEvents Stage = "events"
)

// Error says at which stage a call failed, and what the peers said. It unwraps to a *ledger.Refusal if it was a no, to the cause otherwise.
type Error struct {
	Stage Stage
	// TxID is empty for a query or for events.
	TxID     string
	Messages []PeerMessage
	Err      error

	// kind and unreachable are what the next attempt goes by.
	kind        kind
	unreachable []string
}

// PeerMessage is what a peer or an orderer said.
type PeerMessage struct {
	// Organisation is its organisation's id, empty if the genesis does not know the MSP.
	Organisation string
	MSPID        string
	Address      string
	Message      string
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Stage))
	if _, named := e.Err.(*OutcomeUnknown); e.TxID != "" && !named {
		fmt.Fprintf(&b, " transaction %s", e.TxID)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	separator := "; "
	for _, m := range e.Messages {
		b.WriteString(separator + m.String())
		separator = ", "
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

func (m PeerMessage) String() string {
	who, text := m.Organisation, m.Message
	if who == "" {
		who = m.MSPID
	}
	if r, ok := parseRefusal(text); ok {
		text = r.Error()
	}
	return fmt.Sprintf("%s (%s) said: %s", who, m.Address, shorten(text))
}

const (
	maxStart = 160
	maxEnd   = 340
)

// shorten keeps both ends of a text. Fabric says where a failure came up first, and the reason last.
func shorten(text string) string {
	if len(text) <= maxStart+maxEnd {
		return text
	}
	return strings.ToValidUTF8(text[:maxStart], "") + " … " + strings.ToValidUTF8(text[len(text)-maxEnd:], "")
}

// kind says what may be done about a failure.
type kind int

const (
	final       kind = iota
	refused          // by the contract: sure once the peers had every block
	differing        // the endorsers came to different outcomes, perhaps because one was behind
	unreachable      // somebody did not answer
	overtaken        // what it read has changed before it was committed
	withheld         // the peer does not give a block that it has
)

func (k kind) String() string {
	return [...]string{"final", "refused", "differing", "unreachable", "overtaken", "withheld"}[k]
}

// OutcomeUnknown says that a transaction was sent and that it could not be learned what became of it. It may be recorded, now or later, or never be.
// Client.Outcome tells once the peer and the ordering service can be reached; making the call again without asking may record it twice.
type OutcomeUnknown struct {
	TxID string
	// Err is why it could not be learned.
	Err error
}

func (e *OutcomeUnknown) Error() string {
	return fmt.Sprintf("transaction %s was sent and may or may not be recorded: ask for its outcome before making the call again: %v", e.TxID, e.Err)
}

func (e *OutcomeUnknown) Unwrap() error { return e.Err }

// message makes a PeerMessage out of what a peer's gateway attached.
func (c *Client) message(mspID, address, text string) PeerMessage {
	m := PeerMessage{MSPID: mspID, Address: address, Message: text}
	if o, ok := c.genesis.ByMSP(mspID); ok {
		m.Organisation = o.ID
	}
	return m
}

// maxRefusal bounds an encoded refusal.
const maxRefusal = 64 << 10

// parseRefusal reads what the contract's service said, as a peer's gateway reports it. What only quotes a refusal further on is none.
func parseRefusal(message string) (*ledger.Refusal, bool) {
	encoded, found := strings.CutPrefix(message, textRefusal)
	if !found {
		return nil, false
	}
	r, err := ledger.Decode[ledger.Refusal]("refusal", []byte(encoded), maxRefusal)
	if err != nil || !slices.Contains(codesOfRefusal, r.Code) {
		return nil, false
	}
	return r, true
}

var codesOfRefusal = []ledger.Code{
	ledger.NotFound, ledger.Forbidden, ledger.Invalid, ledger.Conflict, ledger.AlreadyRecorded, ledger.Expired, ledger.NotEndorsed,
}
