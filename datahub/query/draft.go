package query

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/score"
	"github.com/assay-net/assay/zk/statement"
)

// What a draft has if it does not say otherwise.
const (
	draftLife         = 24 * time.Hour
	draftInputSeconds = 600
)

// MaxDraft bounds a draft's JSON, in bytes.
const MaxDraft = 64 << 10

// ParseDraft reads a query in any JSON layout, from a person. Nothing need be there yet: Draft fills in what may be left out, and Check says what is missing.
func ParseDraft(b []byte) (*ledger.Query, error) {
	if len(b) > MaxDraft {
		return nil, fmt.Errorf("query: longer than %d bytes", MaxDraft)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("query: not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var q *ledger.Query
	if err := d.Decode(&q); err != nil {
		return nil, fmt.Errorf("query: %.200s", err) // it may quote what is in it
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("query: trailing data")
	}
	if q == nil {
		return nil, errors.New("query: null")
	}
	return q, nil
}

// Draft is a copy of a query with what its requester may leave out: version, kind, requester, parameters and a fresh nonce; an expiry in 24 hours; of a federated query a threshold of one
// owner fewer than there are, and 600 seconds for inputs; of a score what is public of its model, which a query that says it must agree with. Parts may be in any order. The rest, above all
// the minimum cohort, is for the requester to say: Draft ends with Check.
func Draft(q *ledger.Query, model *score.Model, requester string, now time.Time) (*ledger.Query, error) {
	out := *q
	out.Version = cmp.Or(out.Version, ledger.QueryVersion)
	out.Requester = cmp.Or(out.Requester, requester)
	out.Expiry = cmp.Or(out.Expiry, now.Add(draftLife).Unix())
	out.Parts = slices.SortedFunc(slices.Values(q.Parts), func(a, b ledger.QueryPart) int { return cmp.Compare(a.Fleet, b.Fleet) })
	if out.Nonce == "" {
		var nonce [statement.NonceBytes]byte
		_, _ = rand.Read(nonce[:]) // never fails: it ends the program instead
		out.Nonce = hex.EncodeToString(nonce[:])
	}
	if out.Kind == "" && model != nil {
		out.Kind = ledger.QueryScore
	}
	out.Kind = cmp.Or(out.Kind, ledger.QueryFederated)
	if out.Requester != requester {
		return nil, fmt.Errorf("query: requester is %.80q, and %s asks", out.Requester, requester)
	}
	if err := complete(&out, model); err != nil {
		return nil, err
	}
	if err := Check(&out); err != nil {
		return nil, err
	}
	return &out, nil
}

// complete fills in what is of a kind.
func complete(q *ledger.Query, model *score.Model) error {
	if q.Kind == ledger.QueryScore {
		q.Parameters = cmp.Or(q.Parameters, score.Parameters)
		return addModel(q, model)
	}
	if model != nil {
		return fmt.Errorf("query: kind is %.40q, and only a score has a model", q.Kind)
	}
	q.Parameters = cmp.Or(q.Parameters, collective.Standard().ID())
	q.Threshold = cmp.Or(q.Threshold, uint32(max(ledger.MinThreshold, len(q.Parts)-1)))
	q.InputSeconds = cmp.Or(q.InputSeconds, draftInputSeconds)
	return nil
}

func addModel(q *ledger.Query, model *score.Model) error {
	if model == nil {
		return errors.New("query: a score needs a model")
	}
	if err := model.Check(); err != nil {
		return fmt.Errorf("query: model: %w", err)
	}
	features, err := Features(model, q.Schema)
	if err != nil {
		return fmt.Errorf("query: model: %w", err)
	}
	said := len(q.Features) > 0 || q.Degree != 0 || q.Spread
	if said && (!slices.Equal(q.Features, features) || int(q.Degree) != model.Degree || q.Spread != model.Spread) {
		return errors.New("query: features, degree or spread are not the model's: leave them out")
	}
	q.Features, q.Degree, q.Spread = features, uint32(model.Degree), model.Spread
	return nil
}
