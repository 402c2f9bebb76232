package ledger

import "github.com/assay-net/assay/zk/commit"

// Located is a transaction with the height of the block that holds it.
type Located struct {
	TxID   string
	Height uint64
}

// Inclusion is what blocks show of a transaction to somebody who has these blocks and the consortium's genesis, and neither the ledger nor anybody's word.
type Inclusion struct {
	Recorded
	TxID string
	// Block is the hash of the block that holds it, Sealers are who signed the block.
	Block   commit.Digest
	Sealers []string
	// Endorsers are the organisations whose peers signed the outcome. They meet the genesis' rule.
	Endorsers []string
	// Writes are what the endorsers signed that the state becomes, by key.
	Writes map[string][]byte
	// Assumed says, for people, what these blocks do not show and whose word it is.
	Assumed []string
}
