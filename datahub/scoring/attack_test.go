package scoring_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/scoring"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/commit"
)

// forged has the world's lender be one that records this as its request, and shows it.
func (w *world) forged(id commit.Digest, request []byte) {
	w.t.Helper()
	w.posts(lender, id, ledger.RoundRequest, sha256.Sum256(request))
	w.shows(scoring.ItemRequest, request)
}

// shows has an item be something else on its way. One must have been offered for it.
func (w *world) shows(item string, b []byte) {
	w.tamper = func(of string, had []byte) []byte {
		if of == item {
			return b
		}
		return had
	}
}

func (w *world) request(m *score.Model, id commit.Digest) []byte {
	w.t.Helper()
	q, _, err := score.Seal(m, score.Context(id))
	w.ok(err)
	b, err := q.MarshalBinary()
	w.ok(err)
	return b
}

// A lender that does not show what it recorded, or recorded what is no request of this query in this session, gets no answer, then or in another session, and no record is read for it.
func TestHostileRequests(t *testing.T) {
	for name, c := range map[string]struct {
		// make is what is recorded, shown what is shown if that differs.
		make, shown func(w *world, id commit.Digest) []byte
		want        string
	}{
		"shows another":      {nil, func(w *world, id commit.Digest) []byte { return w.request(w.model, id) }, "another request than it recorded"},
		"of another session": {func(w *world, _ commit.Digest) []byte { return w.request(w.model, commit.Digest{1}) }, nil, "for another session"},
		"of another shape": {func(w *world, id commit.Digest) []byte {
			m := aModel(false)
			m.Features[0].Low = 5_500
			return w.request(m, id)
		}, nil, "of another shape"},
		"not one": {func(w *world, id commit.Digest) []byte { return make([]byte, len(w.request(w.model, id))) }, nil, "is no request"},
		"out of bounds": {func(w *world, id commit.Digest) []byte {
			b := w.request(w.model, id)
			copy(b[len(b)-8:], bytes.Repeat([]byte{255}, 8))
			return b
		}, nil, "is no request"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			other := w.begins()
			id := w.begins()
			if c.make != nil {
				w.offersSomething(id)
				w.forged(id, c.make(w, id))
			} else {
				w.lenderStands(id)
			}
			if c.shown != nil {
				w.shows(scoring.ItemRequest, c.shown(w, id))
			}
			if s := w.ownerStands(id); !s.Done || !strings.Contains(s.Reason, c.want) {
				t.Errorf("%+v, want %q", s, c.want)
			}
			if s := w.session(id); s.Status != ledger.SessionAborted || w.scans != 0 {
				t.Errorf("the session is %s, %d scans", s.Status, w.scans)
			}
			w.tamper = nil
			w.restart()
			w.lenderStands(other)
			if s := w.ownerStands(other); !s.Done || w.session(other).Entry(operator, ledger.RoundAnswer) != nil {
				t.Errorf("in another session: %+v", s)
			}
		})
	}
}

// offersSomething has the lender's process offer a request that it did not record, for shows to put another in its place.
func (w *world) offersSomething(id commit.Digest) {
	w.t.Helper()
	w.fault = func(what string) fault {
		if what == "lender submits post" {
			return lostRequest
		}
		return noFault
	}
	_, _ = w.stepLender(id)
	w.fault = nil
	s := *w.session(id)
	kept, err := w.stores[lender].Get(context.Background(), storeID(id), "score-sealed")
	w.ok(err)
	n := int(kept[1])<<16 | int(kept[2])<<8 | int(kept[3])
	s.Entries = []ledger.SessionEntry{{Party: lender, Round: ledger.RoundRequest, Digest: sha256.Sum256(kept[4 : 4+n])}}
	_, err = w.lender.Step(context.Background(), w.entry(), &s)
	w.ok(err)
}

// A lender that shows nothing, or something of another length, is waited for.
func TestRequestOfAnotherLength(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	for _, b := range [][]byte{nil, make([]byte, 1<<20)} {
		w.shows(scoring.ItemRequest, b)
		if s := w.ownerStands(id); s.Done || s.Phase != ledger.RoundAnswer || s.Waiting == "" {
			t.Errorf("%+v", s)
		}
	}
	w.tamper = nil
	w.plays(id)
	w.wantsOneAnswer(id)
}

// Two sessions of a query at once: one is answered, whatever the owner sees of the other.
func TestAskedInTwoSessions(t *testing.T) {
	w := newWorld(t)
	first, second := w.begins(), w.begins()
	w.lenderStands(first)
	w.lenderStands(second)
	behind := w.entry()
	w.ownerStands(first)
	if s, err := w.owner.Step(context.Background(), behind, w.session(second)); err == nil && !s.Done || w.session(second).Entry(operator, ledger.RoundAnswer) != nil {
		t.Errorf("answered twice: %+v, %v", s, err)
	}
	if _, err := w.owner.Serve(context.Background(), lender, second, scoring.ItemAnswer); err == nil {
		t.Error("serves an answer that is not recorded")
	}
	if s := w.ownerStands(second); !s.Done || w.scans != 1 {
		t.Errorf("%+v, %d scans", s, w.scans)
	}
	w.plays(first)
	if s := w.lenderStands(second); !s.Done {
		t.Errorf("%+v", s)
	}
	w.wantsOneAnswer(first)
}

// What an owner records and shows, if it is no answer to the request, is a result as any other for whoever reads the ledger. The lender knows.
func TestHostileAnswers(t *testing.T) {
	for name, make := range map[string]func(w *world) []byte{
		"to another request": func(w *world) []byte { return w.answerTo(commit.Digest{7}) },
		"not one":            func(*world) []byte { return bytes.Repeat([]byte{1}, score.AnswerSize(aModel(false).Shape())) },
		"of no moments": func(w *world) []byte {
			b := w.answerTo(w.first())
			copy(b[36:68], w.recordedRequest())
			clear(b[68:]) // without a mask it decrypts to the number as it is: half of the modulus, by its residues
			for i, prime := range []uint64{0x3fffffffff34001, 0x3fffffffff0c001, 0x3ffffffffef8001} {
				binary.LittleEndian.PutUint64(b[68+8*i:], (prime-1)/2)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			id := w.begins()
			w.lenderStands(id)
			w.ownerOffersSomething(id)
			b := make(w)
			w.posts(operator, id, ledger.RoundAnswer, sha256.Sum256(b))
			w.shows(scoring.ItemAnswer, b)
			if s := w.lenderStands(id); !s.Done || s.Reason == "" {
				t.Errorf("%+v", s)
			}
			if _, err := w.lender.Result(context.Background(), w.query); !errors.Is(err, scoring.ErrFailed) {
				t.Errorf("%v", err)
			}
			if e := w.session(id).Entry(lender, ledger.RoundResult); e == nil || e.Digest == (commit.Digest{}) || len(e.Detail) != 0 {
				t.Errorf("the ledger shows %+v", e)
			}
			w.tamper = nil
			w.restart()
			if s := w.lenderStands(id); !s.Done {
				t.Errorf("%+v", s)
			}
		})
	}
}

func (w *world) first() commit.Digest { return w.entry().Sessions[0].ID }

func (w *world) recordedRequest() []byte {
	d := w.session(w.first()).Entry(lender, ledger.RoundRequest).Digest
	return d[:]
}

// answerTo is an honest answer to a request of the world's model with a key that nobody has.
func (w *world) answerTo(context commit.Digest) []byte {
	w.t.Helper()
	q, _, err := score.Seal(w.model, score.Context(context))
	w.ok(err)
	o := &score.Owner{Lanes: []score.Lane{{Name: "state_of_health", High: 15_000, Narrowest: 500}, {Name: "age_days", High: 36_525, Narrowest: 365}}, Least: 1}
	m, err := o.Collect(q.Shape, func(yield func([]uint32, error) bool) {
		for i := range w.records {
			if !yield([]uint32{w.records[i][1], w.records[i][3]}, nil) {
				return
			}
		}
	})
	w.ok(err)
	a, err := o.Answer(q, score.Context(context), m)
	w.ok(err)
	b, err := a.MarshalBinary()
	w.ok(err)
	return b
}

// ownerOffersSomething has the owner's process offer an answer that it did not record.
func (w *world) ownerOffersSomething(id commit.Digest) {
	w.t.Helper()
	w.fault = func(what string) fault {
		if what == "operator submits post" {
			return lostRequest
		}
		return noFault
	}
	_, _ = w.stepOwner(id)
	w.fault = nil
	s := *w.session(id)
	kept, err := w.stores[operator].Get(context.Background(), storeID(id), "score-answer")
	w.ok(err)
	s.Entries = append(s.Entries, ledger.SessionEntry{Party: operator, Round: ledger.RoundAnswer, Digest: sha256.Sum256(kept)})
	_, err = w.owner.Step(context.Background(), w.entry(), &s)
	w.ok(err)
}

// An owner that does not show what it recorded is waited for, and nothing that it shows is opened.
func TestAnswerOtherThanRecorded(t *testing.T) {
	w := newWorld(t)
	id := w.begins()
	w.lenderStands(id)
	w.ownerStands(id)
	for _, b := range [][]byte{nil, w.answerTo(id), make([]byte, 1<<20)} {
		w.shows(scoring.ItemAnswer, b)
		if s := w.lenderStands(id); s.Done || !strings.Contains(s.Waiting, operator) {
			t.Errorf("%+v", s)
		}
		if _, err := w.lender.Result(context.Background(), w.query); !errors.Is(err, scoring.ErrNoResult) {
			t.Error(err)
		}
	}
	w.now = w.now.Add(40 * 24 * time.Hour)
	if s := w.lenderStands(id); !s.Done || s.Reason == "" {
		t.Errorf("%+v", s)
	}
}
