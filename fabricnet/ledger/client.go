package ledger

import (
	"context"
	"iter"
	"time"

	"github.com/assay-net/assay/zk/commit"
)

// Call is a request to the contract to change the ledger.
type Call struct {
	Function string
	// Args is the encoding of the function's argument type, at most MaxArgsOf(Function) bytes.
	Args []byte
	// Transient is seen by the endorsing peers and recorded nowhere on the ledger.
	Transient map[string][]byte
}

// Receipt says that a call was recorded, durably.
type Receipt struct {
	// TxID is 64 lower-case hexadecimal digits.
	TxID   string `json:"tx_id"`
	Height uint64 `json:"height"`
	// Result is what the function returned: the encoding of the record it wrote.
	Result []byte `json:"result"`
	// Endorsers are the organisations whose peers ran the call and signed its outcome.
	Endorsers []string `json:"endorsers"`
}

// Recorded is a call that changed the ledger, as its block has it. Transient input is recorded nowhere.
type Recorded struct {
	// Organisation called.
	Organisation string
	Call         Call
	Height       uint64
	// Time is the proposal's, in whole seconds.
	Time time.Time
}

// Head is the last block.
type Head struct {
	Height uint64        `json:"height"`
	Hash   commit.Digest `json:"hash"`
}

// Client is one organisation's access to a ledger. Implementations are safe for concurrent use. A no of the contract or of the ledger's
// rules is a *Refusal; any other error means that the outcome is not known or the ledger cannot be reached.
type Client interface {
	// ID is the ledger id.
	ID() commit.Digest
	// Submit runs a call and returns when it is recorded durably.
	Submit(ctx context.Context, call Call) (Receipt, error)
	// Evaluate runs a query on the current state and records nothing.
	Evaluate(ctx context.Context, function string, args []byte) ([]byte, error)
	// Events gives the events of the blocks from the one height to the other, both included, in order. With to = 0 it goes on for ever,
	// waiting for new blocks. It ends with an error when ctx does.
	Events(ctx context.Context, from, to uint64) iter.Seq2[Event, error]
	// Head is the last block.
	Head(ctx context.Context) (Head, error)
	// Locate is the height of the block that holds a transaction; unknown ones are a NotFound refusal.
	Locate(ctx context.Context, txID string) (uint64, error)
	// Recorded is the call that a transaction recorded; unknown ones are a NotFound refusal.
	Recorded(ctx context.Context, txID string) (Recorded, error)
	// Block is a block as the ledger keeps it, in the ledger's own encoding; one that is not there is a NotFound refusal.
	Block(ctx context.Context, height uint64) ([]byte, error)
	// BlockHash is the hash by which the block after it names the block of a height, the same for whoever asks. A block that is not there yet is a NotFound refusal.
	BlockHash(ctx context.Context, height uint64) (commit.Digest, error)
}
