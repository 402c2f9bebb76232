package sealed

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/canonical"
)

const (
	// Version is the only value of Block.Version.
	Version = 1
	// MaxBytes bounds an encoded block, MaxTransactions the transactions in one.
	MaxBytes        = 64 << 20
	MaxTransactions = 256
	// NonceBytes is how long a proposal's nonce is.
	NonceBytes = 24

	// maxElements bounds every list in an encoding: a submitted proof reads an anchor for each of up to 2^16 chunks.
	maxElements = 1 << 18
)

// Sealed is what a store holds: a block and the signature of the organisation that cut it. All types here are CBOR arrays of their fields in order (RFC 8949, core
// deterministic encoding).
type Sealed struct {
	_         struct{} `cbor:",toarray"`
	Block     []byte
	Sealer    string
	Signature []byte
}

// Block is a block without its seal.
type Block struct {
	_        struct{} `cbor:",toarray"`
	Version  uint64
	Height   uint64
	Previous [32]byte // of block 1: the ledger id
	Time     int64    // Unix seconds, never less than the block before
	// Transactions are encoded transactions, at least one.
	Transactions [][]byte
}

// Transaction is a call with its outcome, and who signed them.
type Transaction struct {
	_         struct{} `cbor:",toarray"`
	Proposal  []byte
	Signature []byte // of the caller
	Outcome   []byte
	// Endorsements are in ascending order of organisation.
	Endorsements []Endorsement
}

// Endorsement is an organisation's signature over a proposal and its outcome.
type Endorsement struct {
	_         struct{} `cbor:",toarray"`
	Org       string
	Signature []byte
}

// Proposal is a call as its caller signs it.
type Proposal struct {
	_         struct{} `cbor:",toarray"`
	Ledger    [32]byte
	Function  string
	Args      []byte
	Transient [32]byte
	Caller    string
	Time      int64
	Nonce     []byte
}

// Outcome is what running a call did. Lists are in ascending order, without repetition.
type Outcome struct {
	_      struct{} `cbor:",toarray"`
	Reads  []Read
	Ranges []RangeRead
	Writes []Write
	Result []byte
	Event  Event
}

// Read is a key with the position it was read in; a key without value has position zero.
type Read struct {
	_       struct{} `cbor:",toarray"`
	Key     string
	Version Position
}

// Position is where a value was written. Heights start at 1.
type Position struct {
	_      struct{} `cbor:",toarray"`
	Height uint64
	Index  uint32
}

// Bytes are height and index, in the order of blocks.
func (p Position) Bytes() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(nil, p.Height), p.Index)
}

// RangeRead is a prefix with a digest over the keys and positions found under it, so that a key that came or went in between is seen.
type RangeRead struct {
	_      struct{} `cbor:",toarray"`
	Prefix string
	Found  [32]byte
}

// Write is a key's new value.
type Write struct {
	_     struct{} `cbor:",toarray"`
	Key   string
	Value []byte
}

// Event is the one event of a transaction.
type Event struct {
	_       struct{} `cbor:",toarray"`
	Name    string
	Payload []byte
}

var encoding = canonical.New(maxElements, 6)

// Encode writes the one encoding of a value.
func Encode(v any) []byte { return encoding.Marshal(v) }

// Decode reads one value and refuses every encoding but the one that Encode writes, so that no byte can be changed unseen.
func Decode[T any](what string, b []byte) (*T, error) {
	v := new(T)
	if err := encoding.Unmarshal(what, b, MaxBytes, v); err != nil {
		return nil, err
	}
	return v, nil
}

// DecodeBlock reads a sealed block and the block in it. It verifies no signature.
func DecodeBlock(b []byte) (*Sealed, *Block, error) {
	outer, err := Decode[Sealed]("sealed block", b)
	if err != nil {
		return nil, nil, err
	}
	blk, err := Decode[Block]("block", outer.Block)
	if err != nil {
		return nil, nil, err
	}
	if blk.Version != Version {
		return nil, nil, fmt.Errorf("block: version is %d, must be %d", blk.Version, Version)
	}
	if len(blk.Transactions) == 0 || len(blk.Transactions) > MaxTransactions {
		return nil, nil, fmt.Errorf("block: %d transactions, must be 1 to %d", len(blk.Transactions), MaxTransactions)
	}
	return outer, blk, nil
}

// Opened is a transaction with what it holds.
type Opened struct {
	Transaction
	ID string
	// Proposed is the proposal, Done the outcome, decoded.
	Proposed *Proposal
	Done     *Outcome
}

// DecodeTransaction reads a transaction and what it holds. It verifies no signature.
func DecodeTransaction(ledgerID commit.Digest, b []byte) (*Opened, error) {
	t, err := Decode[Transaction]("transaction", b)
	if err != nil {
		return nil, err
	}
	d := &Opened{Transaction: *t, ID: TransactionID(ledgerID, t.Proposal)}
	if d.Proposed, err = Decode[Proposal]("proposal", t.Proposal); err != nil {
		return nil, err
	}
	if d.Done, err = Decode[Outcome]("outcome", t.Outcome); err != nil {
		return nil, err
	}
	return d, nil
}

// Recorded is the call, as it is recorded in the block of a height.
func (d *Opened) Recorded(height uint64) ledger.Recorded {
	return ledger.Recorded{
		Organisation: d.Proposed.Caller, Call: ledger.Call{Function: d.Proposed.Function, Args: d.Proposed.Args},
		Height: height, Time: time.Unix(d.Proposed.Time, 0).UTC(),
	}
}

// What is hashed or signed, each under a tag of its own and the ledger id.

// BlockHash is the hash of an encoded block.
func BlockHash(ledgerID commit.Digest, blk []byte) commit.Digest {
	return sha256.Sum256(ledger.Tagged("assay/v1/block", ledgerID[:], blk))
}

// TransactionID is the id of the transaction with an encoded proposal.
func TransactionID(ledgerID commit.Digest, p []byte) string {
	return commit.Digest(sha256.Sum256(ledger.Tagged("assay/v1/transaction", ledgerID[:], p))).String()
}

// ProposalBytes is what a caller signs.
func ProposalBytes(ledgerID commit.Digest, p []byte) []byte {
	return ledger.Tagged("assay/v1/proposal", ledgerID[:], p)
}

// EndorsementBytes is what an organisation signs that endorses an outcome of a proposal.
func EndorsementBytes(ledgerID commit.Digest, org string, p, out []byte) []byte {
	proposed, done := sha256.Sum256(p), sha256.Sum256(out)
	return ledger.Tagged("assay/v1/endorsement", ledgerID[:], []byte(org), proposed[:], done[:])
}

// SealBytes is what the organisation signs that cuts a block.
func SealBytes(ledgerID commit.Digest, hash commit.Digest) []byte {
	return ledger.Tagged("assay/v1/seal", ledgerID[:], hash[:])
}
