package embedded

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// errStale says that something the transaction read has changed. Running the call again may succeed.
var errStale = ledger.Refuse(ledger.Conflict, "something that the call read has changed meanwhile; try again")

// book is what blocks are applied to: the ledger's own buckets, or fresh ones when it is verified.
type book struct {
	sealed.Rules
	state        stateView
	transactions *bbolt.Bucket // id → version
	attributes   map[string]map[string]string
}

// apply checks a transaction against the state before it, as of its block's time, and writes its effects. It is what holds at commit and what Verify
// holds again. When it returns an error it has written nothing.
func (b *book) apply(at version, blockTime int64, t *decoded) error {
	if err := b.Check(blockTime, t); err != nil {
		return err
	}
	if b.transactions.Get([]byte(t.ID)) != nil {
		return ledger.Refuse(ledger.Conflict, "transaction %s is recorded", t.ID)
	}
	if err := b.checkReads(t.Done); err != nil {
		return err
	}
	for _, w := range t.Done.Writes {
		if err := b.state.put(w.Key, at, w.Value); err != nil {
			return fmt.Errorf("writing state %s: %w", w.Key, err)
		}
	}
	return b.transactions.Put([]byte(t.ID), at.Bytes())
}

func (b *book) tx(t *decoded) *contract.Tx {
	return &contract.Tx{
		ID: t.ID, Time: time.Unix(t.Proposed.Time, 0).UTC(),
		Caller: contract.Caller{Org: t.Proposed.Caller, Attributes: b.attributes[t.Proposed.Caller]},
		Ledger: b.ID, Genesis: b.Genesis,
	}
}

// checkReads compares every version that was read with the state's now.
func (b *book) checkReads(out *outcome) error {
	for _, r := range out.Reads {
		v, _, err := b.state.get(r.Key)
		if err != nil {
			return err
		}
		if v != r.Version {
			return errStale
		}
	}
	for _, r := range out.Ranges {
		found, err := b.state.scan(r.Prefix, func(string, []byte) error { return nil })
		if err != nil {
			return err
		}
		if found != r.Found {
			return errStale
		}
	}
	return nil
}
