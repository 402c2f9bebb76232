package query

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// Opening is what the parties of a federated query's session agree on before the first of them makes a key. The record that its ID takes is the text of the session's id on the
// ledger. A session that is not as its query has it is refused, so that nobody need trust the ledger's contract in this.
//
// The ledger's expiry is the first second at which nothing is recorded, an opening's the last at which something is.
func Opening(e *ledger.QueryEntry, s *ledger.Session) (*transcript.Opening, error) {
	d, err := Document(e)
	if err != nil {
		return nil, err
	}
	p, err := plan(&e.Record.Query, d)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", e.ID, err)
	}
	if err := CheckSession(e, s); err != nil {
		return nil, fmt.Errorf("session %s of query %s: %w", s.ID(), e.ID, err)
	}
	o := &transcript.Opening{
		Roster: transcript.Roster{Owners: s.Owners(), Regulator: s.Regulator, Receiver: s.Receiver, Threshold: int(s.Threshold)},
		Params: s.Parameters, Query: d.Digest(), Used: p.Used(), Ciphertexts: p.Ciphertexts(),
		Minimum: int(s.Minimum), InputsUntil: s.InputsUntil, Expires: s.Expires - 1,
	}
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("session %s of query %s: %w", s.ID(), e.ID, err)
	}
	return o, nil
}

// CheckSession compares a session of any kind with the query that it says it is of.
func CheckSession(e *ledger.QueryEntry, s *ledger.Session) error {
	q := &e.Record.Query
	seats, err := seatsOf(e)
	if err != nil {
		return err
	}
	want := ledger.Session{
		Query: e.ID, Kind: q.Kind, Seats: seats, Receiver: q.Requester, Parameters: q.Parameters, Expires: q.Expiry, Time: s.Time, TxID: s.TxID,
	}
	if q.Kind == ledger.QueryFederated {
		want.Regulator, want.Threshold, want.Minimum, want.InputsUntil = q.Regulator, q.Threshold, q.MinimumInputs(), s.Time+q.InputSeconds
	}
	switch {
	case s.Query != want.Query:
		return fmt.Errorf("it is of query %s", s.Query)
	case s.Kind != want.Kind || s.Parameters != want.Parameters:
		return errors.New("its kind or its parameters are not the query's")
	case !slices.Equal(s.Seats, want.Seats) || s.Regulator != want.Regulator || s.Receiver != want.Receiver:
		return errors.New("its members are not the query's")
	case s.Threshold != want.Threshold || s.Minimum != want.Minimum:
		return errors.New("its threshold or its minimum of inputs is not the query's")
	case s.InputsUntil != want.InputsUntil || s.Expires != want.Expires:
		return errors.New("its times are not the query's")
	}
	return nil
}

// seatsOf are the query's owners in ascending order, each with its fleet.
func seatsOf(e *ledger.QueryEntry) ([]ledger.Seat, error) {
	parts := e.Record.Query.Parts
	if len(e.Record.Owners) != len(parts) {
		return nil, fmt.Errorf("%d owners of %d parts", len(e.Record.Owners), len(parts))
	}
	var seats []ledger.Seat
	for i, p := range parts {
		seats = append(seats, ledger.Seat{Owner: e.Record.Owners[i], Fleet: p.Fleet})
	}
	slices.SortFunc(seats, func(a, b ledger.Seat) int { return cmp.Compare(a.Owner, b.Owner) })
	return seats, nil
}
