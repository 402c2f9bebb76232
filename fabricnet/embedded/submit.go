package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/embedded/sealed"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// submitAttempts is how often a call is run again because the state changed under it.
const submitAttempts = 8

// pending is a transaction on its way into a block. Its results are written by whoever cuts the block.
type pending struct {
	encoded []byte
	decoded *decoded
	done    bool
	height  uint64
	err     error
}

// submit runs a call from proposal to block.
func (l *Ledger) submit(ctx context.Context, org string, endorsers []string, call ledger.Call) (ledger.Receipt, error) {
	if n := ledger.MaxArgsOf(call.Function); len(call.Args) > n {
		return ledger.Receipt{}, ledger.Refuse(ledger.Invalid, "%s: arguments have %d bytes, at most %d", call.Function, len(call.Args), n)
	}
	for _, value := range call.Transient {
		if len(value) > ledger.MaxTransient {
			return ledger.Receipt{}, ledger.Refuse(ledger.Invalid, "transient input has %d bytes, at most %d", len(value), ledger.MaxTransient)
		}
	}
	var err error
	for range submitAttempts {
		if err := ctx.Err(); err != nil {
			return ledger.Receipt{}, err
		}
		var p *pending
		if p, err = l.attempt(org, endorsers, call); err == nil {
			return receipt(p, endorsers), nil
		}
		if !errors.Is(err, errStale) {
			return ledger.Receipt{}, err
		}
	}
	return ledger.Receipt{}, err
}

func (l *Ledger) attempt(org string, endorsers []string, call ledger.Call) (*pending, error) {
	sp, err := l.propose(org, call)
	if err != nil {
		return nil, err
	}
	answers, err := l.endorse(sp, endorsers)
	if err != nil {
		return nil, err
	}
	t, err := agree(sp, answers)
	if err != nil {
		return nil, err
	}
	p := &pending{encoded: encode(t)}
	if p.decoded, err = decodeTransaction(l.id, p.encoded); err != nil {
		return nil, err
	}
	l.enqueue(p)
	return p, p.err
}

func receipt(p *pending, endorsers []string) ledger.Receipt {
	return ledger.Receipt{TxID: p.decoded.ID, Height: p.height, Result: p.decoded.Done.Result, Endorsers: endorsers}
}

func (l *Ledger) propose(org string, call ledger.Call) (*signedProposal, error) {
	p := proposal{
		Ledger: l.id, Function: call.Function, Args: call.Args, Transient: transientDigest(call.Transient),
		Caller: org, Time: l.now(), Nonce: make([]byte, sealed.NonceBytes),
	}
	if _, err := rand.Read(p.Nonce); err != nil {
		return nil, fmt.Errorf("drawing nonce: %w", err)
	}
	encoded := encode(p)
	return &signedProposal{encoded: encoded, signature: l.signed(org, sealed.ProposalBytes(l.id, encoded)), transient: call.Transient}, nil
}

// endorse asks the peers of the organisations, each on its own. The first refusal in their order is the answer if any refuses.
func (l *Ledger) endorse(sp *signedProposal, endorsers []string) ([]*endorsed, error) {
	answers, errs := make([]*endorsed, len(endorsers)), make([]error, len(endorsers))
	var wait sync.WaitGroup
	for i, org := range endorsers {
		wait.Go(func() { answers[i], errs[i] = l.peer(org).endorse(sp) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// enqueue returns when p is in a block or refused. Whoever finds no block being written writes one with all that is waiting.
func (l *Ledger) enqueue(p *pending) {
	l.queueMu.Lock()
	l.queue = append(l.queue, p)
	l.queueMu.Unlock()
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	for !p.done {
		batch := l.takeBatch()
		l.writeBlock(batch)
		for _, q := range batch {
			q.done = true
		}
	}
}

func (l *Ledger) takeBatch() []*pending {
	l.queueMu.Lock()
	defer l.queueMu.Unlock()
	n, size := 0, 0
	for n < len(l.queue) && n < sealed.MaxTransactions && (n == 0 || size+len(l.queue[n].encoded) <= maxBatchBytes) {
		size += len(l.queue[n].encoded)
		n++
	}
	batch := l.queue[:n:n]
	l.queue = l.queue[n:]
	return batch
}

var errEmptyBlock = errors.New("no transaction is left for the block")

// writeBlock writes what is acceptable of a batch as one block, durably.
func (l *Ledger) writeBlock(batch []*pending) {
	var cut head
	err := l.db.Update(func(tx *bbolt.Tx) error {
		var err error
		cut, err = l.cutBlock(tx, batch)
		return err
	})
	if errors.Is(err, errEmptyBlock) {
		return // every transaction has its own reason
	}
	if err != nil {
		for _, p := range batch {
			if p.err == nil {
				p.err = fmt.Errorf("writing block: %w", err)
			}
		}
		return
	}
	l.last.Store(cut.Time)
	l.changedMu.Lock()
	if !l.closed {
		close(l.changed)
		l.changed = make(chan struct{})
	}
	l.changedMu.Unlock()
}

func (l *Ledger) cutBlock(tx *bbolt.Tx, batch []*pending) (head, error) {
	before, err := readHead(tx, l.id)
	if err != nil {
		return head{}, err
	}
	b := &book{Rules: sealed.Rules{ID: l.id, Genesis: l.genesis}, state: stateView{tx.Bucket(bucketState)}, transactions: tx.Bucket(bucketTransactions)}
	blk := &block{Version: sealed.Version, Height: before.Height + 1, Previous: before.Hash, Time: l.now()}
	for _, p := range batch {
		at := version{Height: blk.Height, Index: uint32(len(blk.Transactions))}
		if p.err = b.apply(at, blk.Time, p.decoded); p.err != nil {
			continue
		}
		blk.Transactions = append(blk.Transactions, p.encoded)
		p.height = blk.Height
	}
	if len(blk.Transactions) == 0 {
		return head{}, errEmptyBlock
	}
	return l.seal(tx, blk)
}

func (l *Ledger) seal(tx *bbolt.Tx, blk *block) (head, error) {
	encoded := encode(blk)
	hash := sealed.BlockHash(l.id, encoded)
	sealer := sealed.SealerOf(l.genesis)
	outer := sealedBlock{Block: encoded, Sealer: sealer, Signature: l.signed(sealer, sealed.SealBytes(l.id, hash))}
	if err := tx.Bucket(bucketBlocks).Put(heightKey(blk.Height), encode(outer)); err != nil {
		return head{}, err
	}
	h := head{Height: blk.Height, Hash: hash, Time: blk.Time}
	return h, tx.Bucket(bucketMeta).Put(keyHead, encode(h))
}

func heightKey(height uint64) []byte { return version{Height: height}.Bytes()[:8] }
