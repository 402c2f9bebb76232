package ledger

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// CeremonyPlan is a plan that a regulator put on the ledger.
type CeremonyPlan struct {
	Plan []byte `json:"plan"`
	Time int64  `json:"time"`
	TxID string `json:"tx_id"`
}

// CeremonyPart is a part of a ceremony with the headers of its contributions, in their order.
type CeremonyPart struct {
	Part    string   `json:"part"`
	Headers [][]byte `json:"headers"`
}

// CeremonyEnd is the end of a stage. The hash of the block that holds its transaction is the stage's closing value.
type CeremonyEnd struct {
	Stage int    `json:"stage"`
	Time  int64  `json:"time"`
	TxID  string `json:"tx_id"`
}

// CeremonyClosing is the closing of a stage, as it was recorded.
type CeremonyClosing struct {
	Closing []byte `json:"closing"`
	Time    int64  `json:"time"`
	TxID    string `json:"tx_id"`
}

// Ceremony is what the ledger has of a ceremony: in which order contributions came, and that all of them to a stage came before its closing value was known. It does not have what
// was contributed, and the contract has checked none of it: whoever consents to a key replays the files, and compares.
type Ceremony struct {
	// ID is the plan's digest.
	ID commit.Digest `json:"id"`
	CeremonyPlan
	// Parts are those of both stages, in the plan's order.
	Parts []CeremonyPart `json:"parts"`
	// Ends and Closings are those of the first stage and of the second, as far as it has come.
	Ends     []CeremonyEnd     `json:"ends"`
	Closings []CeremonyClosing `json:"closings"`
	// Transcript is the digest that the keys' setup names, once both stages are closed.
	Transcript commit.Digest `json:"transcript,omitzero"`
}

// Headers are those of a part, or none.
func (c *Ceremony) Headers(part string) [][]byte {
	for i := range c.Parts {
		if c.Parts[i].Part == part {
			return c.Parts[i].Headers
		}
	}
	return nil
}

// End is that of a stage, or nil while it is open.
func (c *Ceremony) End(stage int) *CeremonyEnd {
	if stage < 1 || stage > len(c.Ends) {
		return nil
	}
	return &c.Ends[stage-1]
}

// Closing is that of a stage, or nil while it is not closed.
func (c *Ceremony) Closing(stage int) *CeremonyClosing {
	if stage < 1 || stage > len(c.Closings) {
		return nil
	}
	return &c.Closings[stage-1]
}

// blockOf is how BlockSource begins.
const blockOf = "block "

// BlockSource says where a closing value comes from, in the one form that the contract takes: it is the hash of a block of this ledger.
func BlockSource(ledger commit.Digest, number uint64) string {
	return blockOf + strconv.FormatUint(number, 10) + " of ledger " + ledger.String()
}

// ParseBlockSource reads what BlockSource wrote for a ledger, and gives the block's number.
func ParseBlockSource(ledger commit.Digest, source string) (uint64, error) {
	digits, _, _ := strings.Cut(strings.TrimPrefix(source, blockOf), " ")
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || source != BlockSource(ledger, number) {
		return 0, fmt.Errorf("is %.128q, must be as %q", source, BlockSource(ledger, 1))
	}
	return number, nil
}

// SetupTranscript is the digest of the transcript of the ceremony that a key's setup names. It is false for a setup that is no ceremony.
func SetupTranscript(setup string) (transcript commit.Digest, ok bool) {
	_, digest, _ := strings.Cut(setup, ":")
	if transcript.UnmarshalText([]byte(digest)) != nil || transcript.IsZero() || setup != verify.CeremonySetup(transcript) {
		return commit.Digest{}, false
	}
	return transcript, true
}
