package scoring_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/commit"
)

// An owner may answer with moments that no batteries have. What it takes away is the deviation: the lender has a mean that is as good as any claim of the owner's, and records a result.
func TestMomentsOfNoBatteries(t *testing.T) {
	w := newWorld(t)
	w.model = aModel(true)
	w.asks()
	w.restart()
	id := w.begins()
	w.lenderStands(id)
	w.ownerOffersSomething(id)
	b := w.invented(id)
	w.posts(operator, id, ledger.RoundAnswer, sha256.Sum256(b))
	w.shows(scoring.ItemAnswer, b)
	if s := w.lenderStands(id); !s.Done || s.Reason != "" {
		t.Errorf("%+v", s)
	}
	a, err := w.lender.Result(context.Background(), w.query)
	w.ok(err)
	if len(a.Figures) != 2 || a.Figures[0].Value == "" || a.Figures[1].Value != "" {
		t.Errorf("%+v", a.Figures)
	}
	if w.session(id).Status != ledger.SessionAnswered {
		t.Errorf("the session is %s", w.session(id).Status)
	}
}

// invented answers the recorded request with moments of which the mean of the square is below the square of the mean.
func (w *world) invented(id commit.Digest) []byte {
	w.t.Helper()
	kept, err := w.stores[lender].Get(context.Background(), storeID(id), "score-sealed")
	w.ok(err)
	q, err := score.ParseRequest(kept[4 : 4+binary.BigEndian.Uint32(kept)])
	w.ok(err)
	o := &score.Owner{Lanes: []score.Lane{{Name: "state_of_health", High: 15_000, Narrowest: 500}, {Name: "age_days", High: 36_525, Narrowest: 365}}, Least: 1}
	m, err := o.Collect(q.Shape, func(yield func([]uint32, error) bool) {
		for range 100 {
			if !yield([]uint32{7_500, 1_825}, nil) { // in the middle of both features, so that every moment but the constant is 0
				return
			}
		}
	})
	w.ok(err)
	encoded, err := m.MarshalBinary()
	w.ok(err)
	const upToFive = 21 // monomials of two features; then comes the sixth power of the first, of which the square has a square of a coefficient
	minusOne := int64(-1 << 40)
	binary.LittleEndian.PutUint64(encoded[len(encoded)-8*(q.Shape.Monomials()-upToFive):], uint64(minusOne))
	m, err = score.ParseMoments(encoded, q.Shape)
	w.ok(err)
	a, err := o.Answer(q, score.Context(id), m)
	w.ok(err)
	b, err := a.MarshalBinary()
	w.ok(err)
	return b
}
