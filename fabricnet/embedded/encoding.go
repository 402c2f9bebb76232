package embedded

import (
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/zk/commit"
)

// maxBatchBytes bounds what is gathered into a block beyond its first transaction.
const maxBatchBytes = 16 << 20

// Blocks verifies single blocks of an embedded ledger. It is in a package of its own, which whoever has no ledger can use.
type Blocks = sealed.Blocks

// Blocks and what is in them, as package sealed defines them.
type (
	sealedBlock = sealed.Sealed
	block       = sealed.Block
	transaction = sealed.Transaction
	decoded     = sealed.Opened
	endorsement = sealed.Endorsement
	proposal    = sealed.Proposal
	outcome     = sealed.Outcome
	read        = sealed.Read
	version     = sealed.Position
	rangeRead   = sealed.RangeRead
	write       = sealed.Write
	event       = sealed.Event
)

func encode(v any) []byte { return sealed.Encode(v) }

func decode[T any](what string, b []byte) (*T, error) { return sealed.Decode[T](what, b) }

func decodeBlock(b []byte) (*sealedBlock, *block, error) { return sealed.DecodeBlock(b) }

func decodeTransaction(ledgerID commit.Digest, b []byte) (*decoded, error) {
	return sealed.DecodeTransaction(ledgerID, b)
}
