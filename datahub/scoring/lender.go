package scoring

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/zk/commit"
)

// Slots of a lender's store.
const (
	modelSlot  = "score-model"  // of the query: the model file
	sealedSlot = "score-sealed" // of the session: the request's length in 4 bytes, the request, the secret
	resultSlot = "score-result" // of the query: see outcome
)

// Lender is the side that has the model. It is safe for concurrent use.
type Lender struct {
	Node
	offers offers
}

// NewLender makes one.
func NewLender(n Node) (*Lender, error) {
	n, err := n.withDefaults()
	return &Lender{Node: n}, err
}

// Errors that callers tell apart.
var (
	// ErrNoModel says that the model of a query is not kept here: KeepModel was not called, or the store is a restored backup, or the query is over.
	ErrNoModel = errors.New("the model of the query is not kept here")
	// ErrOtherModel says that another model than this is kept for a query: the first wins.
	ErrOtherModel = errors.New("another model is kept")
	// ErrNoResult says that no result of a query is kept here.
	ErrNoResult = errors.New("no result of the query is kept here")
	// ErrFailed says that the answer to a query was opened, or was to be, and is none. There will be no other.
	ErrFailed = errors.New("what the owner answered is no answer")
)

// KeepModel keeps the model that a query will be about, before it is asked. The first wins: another is ErrOtherModel.
func (l *Lender) KeepModel(ctx context.Context, of commit.Digest, model []byte) error {
	if _, err := score.ParseModel(model); err != nil {
		return err
	}
	kept, err := l.put(ctx, of, modelSlot, model)
	if err != nil {
		return err
	}
	defer clear(kept)
	if !bytes.Equal(kept, model) {
		return fmt.Errorf("query %s: %w", of, ErrOtherModel)
	}
	return nil
}

// CheckModel says whether the model is there that the query is about: without it there is no reason to begin a session.
func (l *Lender) CheckModel(ctx context.Context, e *ledger.QueryEntry) error {
	_, err := l.model(ctx, e)
	return err
}

func (l *Lender) model(ctx context.Context, e *ledger.QueryEntry) (*score.Model, error) {
	b, err := l.get(ctx, e.ID, modelSlot)
	if b == nil && err == nil || errors.Is(err, session.ErrDestroyed) {
		return nil, ErrNoModel
	}
	if err != nil {
		return nil, err
	}
	defer clear(b)
	m, err := score.ParseModel(b)
	if err != nil {
		return nil, err
	}
	shape, err := query.Shape(&e.Record.Query)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(shape, m.Shape()) {
		return nil, fmt.Errorf("the model that is kept is not of the shape that the query states: %w", ErrNoModel)
	}
	return m, nil
}

// Forget destroys the model of a query that is over without a result. A step that has one does so by itself.
func (l *Lender) Forget(ctx context.Context, of commit.Digest) error {
	return l.destroy(ctx, of, modelSlot)
}

// Serve gives the owner the request. It is session.ErrNotYet until a step of this process recorded it, or saw it recorded, and session.ErrForbidden to others.
func (l *Lender) Serve(ctx context.Context, caller string, id commit.Digest, item string) ([]byte, error) {
	return l.offers.serve(ctx, caller, id, item)
}

// Step does what is next for the lender in a session of its own query, as both are recorded. An error is something to try again, and so is a standing that is not done.
func (l *Lender) Step(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState) (Standing, error) {
	if err := checkSession(e, s); err != nil {
		return Standing{}, err
	}
	if s.Session.Receiver != l.Self {
		return Standing{}, fmt.Errorf("session %s: %s is not its receiver", s.ID, l.Self)
	}
	standing, err := l.step(ctx, e, s)
	if err != nil {
		return standing, fmt.Errorf("session %s: %w", s.ID, err)
	}
	return standing, nil
}

func (l *Lender) step(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState) (Standing, error) {
	result, err := l.outcome(ctx, e.ID)
	if err != nil {
		return Standing{}, err
	}
	answer := s.Entry(ownerOf(s), ledger.RoundAnswer)
	switch {
	case result != nil && result.Session == s.ID:
		return l.conclude(ctx, s, result)
	case result != nil:
		return l.leave(ctx, s, elsewhere)
	case s.Entry(l.Self, ledger.RoundResult) != nil:
		return l.leave(ctx, s, "a result is recorded, and not in the store: a restored backup, or one of two copies")
	case answer == nil && answeredIn(e, s):
		return waiting(ledger.RoundAnswer, "the ledger to show the answer that it has"), nil
	case answer == nil && e.Activated != nil:
		return l.leave(ctx, s, elsewhere)
	case answer == nil && l.unsettled(s):
		return waiting(ledger.RoundAnswer, "the ledger to be done with what was recorded at the last moment"), nil
	case answer == nil && s.Status != ledger.SessionOpen:
		return l.leave(ctx, s, unanswered)
	case answer == nil && l.offers.has(s.ID):
		return waiting(ledger.RoundAnswer, "the answer of %s", ownerOf(s)), nil
	}
	sealed, standing, err := l.sealed(ctx, e, s)
	if err != nil || standing.Done {
		return standing, err
	}
	defer clear(sealed.secret)
	if answer == nil {
		return l.ask(ctx, s, sealed)
	}
	return l.open(ctx, e, s, sealed, answer)
}

// sealed is a request with the secret that opens its answer.
type sealed struct{ request, secret []byte }

func (d sealed) digest() commit.Digest { return sha256.Sum256(d.request) }

func splitSealed(b []byte) (sealed, error) {
	if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
		return sealed{}, errors.New("what is kept of a request is damaged")
	}
	n := int(binary.BigEndian.Uint32(b))
	return sealed{b[4 : 4+n], b[4+n:]}, nil
}

// sealed reads what was made for the session, or makes it if nothing is recorded. What is recorded and not stored, or is stored otherwise, was not made from this store: the session is given up.
func (l *Lender) sealed(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState) (sealed, Standing, error) {
	recorded := s.Entry(l.Self, ledger.RoundRequest)
	b, err := l.get(ctx, s.ID, sealedSlot)
	if errors.Is(err, session.ErrDestroyed) {
		standing, err := l.giveUp(ctx, s, "its request is destroyed")
		return sealed{}, standing, err
	}
	if err != nil {
		return sealed{}, Standing{}, err
	}
	if b == nil && recorded == nil {
		b, err = l.seal(ctx, e, s)
		if errors.Is(err, ErrNoModel) {
			standing, err := l.giveUp(ctx, s, ErrNoModel.Error())
			return sealed{}, standing, err
		}
		if err != nil {
			return sealed{}, Standing{}, err
		}
	}
	if b == nil {
		standing, err := l.giveUp(ctx, s, "its request is recorded, and not in the store: a restored backup, or one of two copies")
		return sealed{}, standing, err
	}
	kept, err := splitSealed(b)
	if err == nil && recorded != nil && kept.digest() != recorded.Digest {
		clear(kept.secret)
		standing, err := l.giveUp(ctx, s, "its request is recorded otherwise than it is stored: one of two copies")
		return sealed{}, standing, err
	}
	return kept, Standing{}, err
}

// seal makes a request with a key of its own, and keeps both.
func (l *Lender) seal(ctx context.Context, e *ledger.QueryEntry, s *ledger.SessionState) ([]byte, error) {
	m, err := l.model(ctx, e)
	if err != nil {
		return nil, err
	}
	q, key, err := score.Seal(m, score.Context(s.ID))
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	request, err := q.MarshalBinary()
	if err != nil {
		return nil, err
	}
	secret, err := key.MarshalBinary()
	if err != nil {
		return nil, err
	}
	value := slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request, secret)
	clear(secret)
	defer clear(value)
	return l.put(ctx, s.ID, sealedSlot, value)
}

// ask records the request, and offers it to the owner from then on.
func (l *Lender) ask(ctx context.Context, s *ledger.SessionState, d sealed) (Standing, error) {
	if s.Entry(l.Self, ledger.RoundRequest) == nil {
		if err := l.post(ctx, s, ledger.RoundRequest, d.digest()); err != nil {
			return waiting(ledger.RoundRequest, "the ledger to record the request"), err
		}
	}
	l.offers.put(s.ID, ItemRequest, ownerOf(s), func(ctx context.Context) ([]byte, error) {
		b, err := l.Store.Get(ctx, storeID(s.ID), sealedSlot)
		if err != nil {
			return nil, err
		}
		kept, err := splitSealed(b)
		clear(kept.secret)
		return kept.request, err
	})
	return waiting(ledger.RoundAnswer, "the answer of %s", ownerOf(s)), nil
}

// giveUp ends a session of which this store does not hold what was said in it. The requester may begin another, with a fresh key.
func (l *Lender) giveUp(ctx context.Context, s *ledger.SessionState, reason string) (Standing, error) {
	l.Log.ErrorContext(ctx, "giving a score's session up", "session", s.ID, "reason", reason)
	if s.Status == ledger.SessionOpen {
		if err := l.abort(ctx, s, "the lender's node: "+reason); err != nil {
			return Standing{}, err
		}
	}
	return l.leave(ctx, s, reason)
}

// leave destroys what there is of the session here.
func (l *Lender) leave(ctx context.Context, s *ledger.SessionState, reason string) (Standing, error) {
	l.offers.withdraw(s.ID)
	if err := l.destroy(ctx, s.ID); err != nil {
		return Standing{}, err
	}
	return Standing{Phase: ledger.RoundAbort, Done: true, Reason: reason}, nil
}
