package embedded

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/canonical"
)

const (
	blockVersion = 1
	// maxBlockBytes bounds an encoded block, maxBatchBytes what is gathered into one beyond its first transaction.
	maxBlockBytes = 64 << 20
	maxBatchBytes = 16 << 20
	// maxTransactions bounds the transactions in a block.
	maxTransactions = 256
	// maxElements bounds every list in an encoding: a submitted proof reads an anchor for each of up to 2^16 chunks.
	maxElements = 1 << 18
	nonceBytes  = 24
)

// sealedBlock is what the store holds: a block and the signature of the organisation that cut it. All types here are CBOR arrays of their fields in order (RFC 8949, core
// deterministic encoding).
type sealedBlock struct {
	_         struct{} `cbor:",toarray"`
	Block     []byte
	Sealer    string
	Signature []byte
}

type block struct {
	_        struct{} `cbor:",toarray"`
	Version  uint64
	Height   uint64
	Previous [32]byte // of block 1: the ledger id
	Time     int64    // Unix seconds, never less than the block before
	// Transactions are encoded transactions, at least one.
	Transactions [][]byte
}

type transaction struct {
	_         struct{} `cbor:",toarray"`
	Proposal  []byte
	Signature []byte // of the caller
	Outcome   []byte
	// Endorsements are in ascending order of organisation.
	Endorsements []endorsement
}

type endorsement struct {
	_         struct{} `cbor:",toarray"`
	Org       string
	Signature []byte
}

type proposal struct {
	_         struct{} `cbor:",toarray"`
	Ledger    [32]byte
	Function  string
	Args      []byte
	Transient [32]byte
	Caller    string
	Time      int64
	Nonce     []byte
}

// outcome is what running a call did. Lists are in ascending order, without repetition.
type outcome struct {
	_      struct{} `cbor:",toarray"`
	Reads  []read
	Ranges []rangeRead
	Writes []write
	Result []byte
	Event  event
}

// read is a key with the version it was read in; a key without value has version zero.
type read struct {
	_       struct{} `cbor:",toarray"`
	Key     string
	Version version
}

// version is where a value was written. Heights start at 1.
type version struct {
	_      struct{} `cbor:",toarray"`
	Height uint64
	Index  uint32
}

// rangeRead is a prefix with a digest over the keys and versions found under it, so that a key that came or went in between is seen.
type rangeRead struct {
	_      struct{} `cbor:",toarray"`
	Prefix string
	Found  [32]byte
}

type write struct {
	_     struct{} `cbor:",toarray"`
	Key   string
	Value []byte
}

type event struct {
	_       struct{} `cbor:",toarray"`
	Name    string
	Payload []byte
}

var (
	encoding = canonical.New(maxElements, 6)
	encode   = encoding.Marshal
)

// decode reads one value and refuses every encoding but the one that encode writes, so that no byte can be changed unseen.
func decode[T any](what string, b []byte) (*T, error) {
	v := new(T)
	if err := encoding.Unmarshal(what, b, maxBlockBytes, v); err != nil {
		return nil, err
	}
	return v, nil
}

// decodeBlock reads a sealed block and the block in it.
func decodeBlock(b []byte) (*sealedBlock, *block, error) {
	sealed, err := decode[sealedBlock]("sealed block", b)
	if err != nil {
		return nil, nil, err
	}
	blk, err := decode[block]("block", sealed.Block)
	if err != nil {
		return nil, nil, err
	}
	if blk.Version != blockVersion {
		return nil, nil, fmt.Errorf("block: version is %d, must be %d", blk.Version, blockVersion)
	}
	if len(blk.Transactions) == 0 || len(blk.Transactions) > maxTransactions {
		return nil, nil, fmt.Errorf("block: %d transactions, must be 1 to %d", len(blk.Transactions), maxTransactions)
	}
	return sealed, blk, nil
}

// decoded is a transaction with what it holds.
type decoded struct {
	transaction
	id       string
	proposal *proposal
	outcome  *outcome
}

func decodeTransaction(ledgerID commit.Digest, b []byte) (*decoded, error) {
	t, err := decode[transaction]("transaction", b)
	if err != nil {
		return nil, err
	}
	d := &decoded{transaction: *t, id: transactionID(ledgerID, t.Proposal)}
	if d.proposal, err = decode[proposal]("proposal", t.Proposal); err != nil {
		return nil, err
	}
	if d.outcome, err = decode[outcome]("outcome", t.Outcome); err != nil {
		return nil, err
	}
	return d, nil
}

// recorded is the call, as it is recorded in the block of a height.
func (d *decoded) recorded(height uint64) ledger.Recorded {
	return ledger.Recorded{
		Organisation: d.proposal.Caller, Call: ledger.Call{Function: d.proposal.Function, Args: d.proposal.Args},
		Height: height, Time: time.Unix(d.proposal.Time, 0).UTC(),
	}
}

// What is hashed or signed, each under a tag of its own and the ledger id.

func blockHash(ledgerID commit.Digest, blk []byte) commit.Digest {
	return sha256.Sum256(ledger.Tagged("assay/v1/block", ledgerID[:], blk))
}

func transactionID(ledgerID commit.Digest, p []byte) string {
	return commit.Digest(sha256.Sum256(ledger.Tagged("assay/v1/transaction", ledgerID[:], p))).String()
}

func proposalBytes(ledgerID commit.Digest, p []byte) []byte {
	return ledger.Tagged("assay/v1/proposal", ledgerID[:], p)
}

func endorsementBytes(ledgerID commit.Digest, org string, p, out []byte) []byte {
	proposed, done := sha256.Sum256(p), sha256.Sum256(out)
	return ledger.Tagged("assay/v1/endorsement", ledgerID[:], []byte(org), proposed[:], done[:])
}

func sealBytes(ledgerID commit.Digest, hash commit.Digest) []byte {
	return ledger.Tagged("assay/v1/seal", ledgerID[:], hash[:])
}
