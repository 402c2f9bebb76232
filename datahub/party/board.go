package party

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// board is one session on the ledger, as its party sees it. Rounds and digests are the same in both; the record that the session's id takes is the text of its id on the ledger.
type board struct {
	book    ledger.Book
	record  commit.Digest
	txID    string
	opening *transcript.Opening
	id      transcript.ID
	// posts counts what was recorded for this party.
	posts atomic.Int64

	mu     sync.Mutex
	seen   []ledger.SessionEntry
	posted map[transcript.Round]bool
}

// newBoard refuses a session that is not as its query has it.
func newBoard(book ledger.Book, e *ledger.QueryEntry, s *ledger.Session) (*board, error) {
	o, err := query.Opening(e, s)
	if err != nil {
		return nil, err
	}
	id := s.ID()
	return &board{book: book, record: id, txID: s.TxID, opening: o, id: o.ID(id.String()), posted: map[transcript.Round]bool{}}, nil
}

func (b *board) check(id transcript.ID) error {
	if id != b.id {
		return fmt.Errorf("session %s is not the one of record %s", id, b.record)
	}
	return nil
}

// Opening implements session.Board.
func (b *board) Opening(_ context.Context, id transcript.ID) (*transcript.Opening, string, error) {
	return b.opening, b.record.String(), b.check(id)
}

// Beacon implements session.Board.
func (b *board) Beacon(ctx context.Context, id transcript.ID) ([32]byte, error) {
	if err := b.check(id); err != nil {
		return [32]byte{}, err
	}
	height, err := b.book.Locate(ctx, b.txID)
	if err != nil {
		return [32]byte{}, err
	}
	hash, err := b.book.BlockHash(ctx, height+1)
	if ledger.CodeOf(err) == ledger.NotFound {
		return [32]byte{}, session.ErrNotYet
	}
	return hash, err
}

// Post implements session.Board.
func (b *board) Post(ctx context.Context, e transcript.Entry) error {
	if err := b.check(e.Session); err != nil {
		return err
	}
	_, err := b.book.Post(ctx, ledger.Post{Session: b.record, Round: ledger.Round(e.Round), Digest: commit.Digest(e.Digest), Detail: e.Detail})
	if ledger.CodeOf(err) == ledger.AlreadyRecorded {
		return fmt.Errorf("%w: %w", transcript.ErrRecorded, err)
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.posted[e.Round] {
		return transcript.ErrRepeated // what was read since is behind
	}
	b.posted[e.Round] = true
	b.posts.Add(1)
	return nil
}

// Entries implements session.Board.
func (b *board) Entries(ctx context.Context, id transcript.ID) ([]transcript.Entry, error) {
	if err := b.check(id); err != nil {
		return nil, err
	}
	state, err := b.book.SessionState(ctx, b.record)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = state.Following(b.seen)
	return entriesOf(id, b.seen), nil
}

func entriesOf(id transcript.ID, recorded []ledger.SessionEntry) []transcript.Entry {
	out := make([]transcript.Entry, len(recorded))
	for i, e := range recorded {
		out[i] = transcript.Entry{Session: id, Party: e.Party, Round: transcript.Round(e.Round), Digest: transcript.Digest(e.Digest), Detail: e.Detail, At: e.Time}
	}
	return out
}

// mail asks the other members' nodes about one session.
type mail struct {
	peers  Peers
	record commit.Digest
}

// Fetch implements session.Mail.
func (m mail) Fetch(ctx context.Context, from string, _ transcript.ID, item session.Item, size int) ([]byte, error) {
	return m.peers.Fetch(ctx, from, m.record, item.String(), size)
}
