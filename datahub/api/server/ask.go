package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

// lifetime is a request's when its statement does not say.
const lifetime = 24 * time.Hour

// CreateRequest fills in what a statement leaves out and asks.
func (s *requestService) CreateRequest(ctx context.Context, in *assayv1.CreateRequestRequest) (*assayv1.CreateRequestResponse, error) {
	key, err := keyOf(ctx)
	if err != nil {
		return nil, err
	}
	asked, err := readStatement(in.GetStatement())
	if err != nil {
		return nil, invalid("statement", err)
	}
	given := asked.Expiry
	if given.IsZero() {
		asked.Expiry = s.expiry(ctx, asked)
	}
	if err := s.complete(asked, key); err != nil {
		return nil, invalid("statement", err)
	}
	id, receipt, refused := s.Book.Request(ctx, asked)
	if refused == nil {
		m, err := s.after(ctx, receipt, id)
		return &assayv1.CreateRequestResponse{Request: m}, err
	}
	if code := ledger.CodeOf(refused); code != ledger.Conflict && code != ledger.Expired {
		return nil, refused
	}
	entry, err := s.byNonce(ctx, asked, id)
	if err != nil {
		return nil, err
	}
	switch {
	case entry == nil:
		return nil, refused
	case !sameQuestion(asked, given, entry):
		return nil, exists("request " + entry.ID.String() + " has this nonce or idempotency key and asks something else")
	}
	m, err := requestMessage(entry)
	return &assayv1.CreateRequestResponse{Request: m}, err
}

// readStatement reads a statement in any layout, of which requester, nonce and expiry may be missing. Whether the rest is as it must be is looked at once it is
// complete.
func readStatement(text string) (*statement.Statement, error) {
	if len(text) > statement.MaxBytes {
		return nil, fmt.Errorf("statement: longer than %d bytes", statement.MaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	s := new(statement.Statement)
	if err := d.Decode(s); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("statement: trailing data")
	}
	return s, nil
}

// expiry of a request whose statement does not say: it does not outlive its grant, or it would be refused. That there is no such grant is for the ledger to say.
func (s *Server) expiry(ctx context.Context, q *statement.Statement) time.Time {
	end := s.Clock().UTC().Truncate(time.Second).Add(lifetime)
	f, err := s.Book.Fleet(ctx, q.Fleet)
	if err != nil {
		return end
	}
	g, err := s.Book.GrantEntry(ctx, f.Owner, q.Grant)
	if err != nil {
		return end
	}
	if last := time.Unix(g.Grant.Terms.NotAfter, 0).UTC(); last.Before(end) && last.After(s.Clock()) {
		return last
	}
	return end
}

// complete fills in what is missing, and checks the whole.
func (s *Server) complete(q *statement.Statement, key string) error {
	if q.Version == "" {
		q.Version = statement.Version
	}
	if q.Requester == "" {
		q.Requester = s.Organisation
	}
	if q.Nonce == "" {
		q.Nonce = s.nonce(key)
	}
	if q.Expiry.IsZero() {
		q.Expiry = s.Clock().UTC().Truncate(time.Second).Add(lifetime)
	}
	q.Expiry = q.Expiry.UTC()
	if err := q.Check(); err != nil {
		return err
	}
	_, err := statement.Parse(q.Canonical())
	return err
}

// nonce is random, or the one of an idempotency key: the same on each of the organisation's nodes and after a restart.
func (s *Server) nonce(key string) string {
	var n [statement.NonceBytes]byte
	if key == "" {
		rand.Read(n[:]) //nolint:errcheck // never fails
		return hex.EncodeToString(n[:])
	}
	sum := sha256.Sum256(ledger.Tagged("assay/v1/api-nonce", []byte(s.Organisation), []byte(key)))
	return hex.EncodeToString(sum[:len(n)])
}

// byNonce finds the request of the organisation's that used a nonce. The ledger lists requests by id, which depends on the expiry: the one that was filled in is not
// known any more, so all of the organisation's requests are looked at. That happens on repetitions only.
func (s *Server) byNonce(ctx context.Context, asked *statement.Statement, id commit.Digest) (*ledger.RequestEntry, error) {
	entry, err := s.Book.RequestEntry(ctx, id)
	if err == nil {
		return &entry, nil
	}
	if ledger.CodeOf(err) != ledger.NotFound {
		return nil, err
	}
	q := ledger.RequestsQuery{Limit: ledger.MaxPage, Requester: s.Organisation}
	for {
		page, err := s.Book.RequestsPage(ctx, q)
		if err != nil {
			return nil, err
		}
		for i := range page.Entries {
			known, err := statement.Parse(page.Entries[i].Request.Statement)
			if err != nil {
				return nil, fmt.Errorf("%w: request %s: %w", errFault, page.Entries[i].ID, err)
			}
			if known.Nonce == asked.Nonce {
				return &page.Entries[i], nil
			}
		}
		if page.Next == "" {
			return nil, nil
		}
		q.After = page.Next
	}
}

// sameQuestion compares what was asked with what stands on the ledger. An expiry that was not given is not compared.
func sameQuestion(asked *statement.Statement, given time.Time, entry *ledger.RequestEntry) bool {
	known, err := statement.Parse(entry.Request.Statement)
	if err != nil {
		return false
	}
	again := *asked
	if given.IsZero() {
		again.Expiry = known.Expiry
	}
	return bytes.Equal(again.Canonical(), entry.Request.Statement)
}
