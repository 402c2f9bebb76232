package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

const (
	// Version is the only value of Evidence.Version.
	Version = "assay-evidence/v1"
	// MaxBytes bounds a file: two dozen full blocks and the largest bundle.
	MaxBytes = 192 << 20
	// MaxAnchors is the most anchors whose blocks are put into a file.
	MaxAnchors = 128

	// maxBlockBytes is how much of blocks is put into a file, maxBlocks how many there may be.
	maxBlockBytes = 96 << 20
	maxBlocks     = 1 << 10
	maxPolicies   = 2
	maxKeys       = 16
	// maxCommas bounds the elements of all lists and objects in a file, before any is made: base64 has none, and a chunk's facts have a dozen.
	maxCommas = 1 << 20
)

// Evidence is what the ledger has of a request. The parts that a request did not come to are empty.
type Evidence struct {
	Version string `json:"version"`
	// Ledger is the digest of Genesis.
	Ledger  commit.Digest  `json:"ledger"`
	Genesis ledger.Genesis `json:"genesis"`
	// Request is the request with all that followed.
	Request ledger.RequestEntry `json:"request"`
	// Grant is the one that the decision names, Revocation its end, if it came to one before the export.
	Grant      *ledger.GrantRecord `json:"grant,omitempty"`
	Revocation *ledger.Revocation  `json:"revocation,omitempty"`
	// Policies are the texts that the decision names, in its order.
	Policies []ledger.PolicyRecord `json:"policies"`
	// Bundle is the proof, Facts and Keys are what it was verified with.
	Bundle []byte                `json:"bundle,omitempty"`
	Facts  *verify.Facts         `json:"facts,omitempty"`
	Keys   []verify.PublishedKey `json:"keys"`
	// Height and BlockHash are the ledger's last block when it was exported.
	Height    uint64        `json:"height"`
	BlockHash commit.Digest `json:"block_hash"`
	// Transactions say where each transaction is that a record above names, in ascending order of ids.
	Transactions []Transaction `json:"transactions"`
	// Format is the encoding of the blocks, which are in ascending order of heights.
	Format string  `json:"block_format"`
	Blocks []Block `json:"blocks"`

	ExportedAt int64  `json:"exported_at"`
	ExportedBy string `json:"exported_by"`
	// Signature is Ed25519 over SigningBytes.
	Signature []byte `json:"signature"`
}

// Transaction is the place of a transaction.
type Transaction struct {
	TxID   string `json:"tx_id"`
	Height uint64 `json:"height"`
}

// Block is a block as the ledger keeps it.
type Block struct {
	Height uint64 `json:"height"`
	Data   []byte `json:"data"`
}

// Blocks verifies single blocks of a ledger. Package embedded/sealed and package audit have one each.
type Blocks interface {
	// Format names the encoding that it reads.
	Format() string
	// Foundations lists the heights of further blocks that are needed to verify these. They may need more in turn.
	Foundations(blocks map[uint64][]byte) ([]uint64, error)
	// Inclusions verifies blocks and finds transactions in them.
	Inclusions(blocks map[uint64][]byte, wanted []ledger.Located) ([]*ledger.Inclusion, error)
}

// Reader gives the one of the known readers that reads this file's blocks. Whoever makes a file chooses the format, so a reader whose method Pinned reports that it is for one
// ledger alone is the only one then: a pin that the format gets round would be worth nothing.
func (e *Evidence) Reader(known ...Blocks) (Blocks, error) {
	var found Blocks
	for _, blocks := range known {
		if blocks.Format() == e.Format {
			found = blocks
		} else if p, ok := blocks.(interface{ Pinned() bool }); ok && p.Pinned() {
			return nil, fmt.Errorf("evidence: block_format: holds blocks of format %.64q, those of the ledger that is named are of %s", e.Format, blocks.Format())
		}
	}
	if found == nil {
		return nil, fmt.Errorf("evidence: block_format: holds blocks of format %.64q, which is not known", e.Format)
	}
	return found, nil
}

// Marshal writes the one encoding that Parse reads: JSON indented for people, fields in order.
func (e *Evidence) Marshal() ([]byte, error) {
	b, err := forPeople.append(nil, e, 1)
	if err != nil {
		return nil, err
	}
	if b = append(b, '\n'); len(b) > MaxBytes {
		return nil, fmt.Errorf("evidence: has %d bytes, at most %d", len(b), MaxBytes)
	}
	return b, nil
}

// Parse reads a file of at most MaxBytes and checks that it is in canonical form, complete in itself, and signed by the organisation of the genesis in it that it names. It
// does not say that anything in it is true: Verify does.
func Parse(b []byte) (*Evidence, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("evidence: has %d bytes, at most %d", len(b), MaxBytes)
	}
	if n := bytes.Count(b, []byte{','}); n > maxCommas {
		return nil, fmt.Errorf("evidence: has %d commas, at most %d", n, maxCommas)
	}
	e := new(Evidence)
	if err := json.Unmarshal(b, e); err != nil { // what it passes over, a field that is not known for one, is missing in the canonical form
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if again, err := e.Marshal(); err != nil || !bytes.Equal(again, b) {
		return nil, errors.New("evidence: not in canonical form")
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	if err := e.checkSignature(); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return e, nil
}

// check looks at the form.
func (e *Evidence) check() error {
	if e.Version != Version {
		return fmt.Errorf("version is %.64q, must be %q", e.Version, Version)
	}
	if err := e.Genesis.Check(); err != nil {
		return err
	}
	if id := e.Genesis.ID(); e.Ledger != id {
		return fmt.Errorf("ledger is %s, the genesis' digest is %s", e.Ledger, id)
	}
	for _, list := range []struct {
		name      string
		have, max int
	}{
		{"policies", len(e.Policies), maxPolicies}, {"keys", len(e.Keys), maxKeys}, {"blocks", len(e.Blocks), maxBlocks}, {"transactions", len(e.Transactions), maxBlocks},
		{"bundle", len(e.Bundle), ledger.MaxBundle},
	} {
		if list.have > list.max {
			return fmt.Errorf("%s: has %d, at most %d", list.name, list.have, list.max)
		}
	}
	return e.checkOrder()
}

func (e *Evidence) checkOrder() error {
	for i := range e.Blocks {
		if i > 0 && e.Blocks[i-1].Height >= e.Blocks[i].Height {
			return fmt.Errorf("block %d is out of order or comes twice", e.Blocks[i].Height)
		}
	}
	for i := range e.Transactions {
		if i > 0 && e.Transactions[i-1].TxID >= e.Transactions[i].TxID {
			return fmt.Errorf("transaction %.64q is out of order or comes twice", e.Transactions[i].TxID)
		}
	}
	return nil
}
