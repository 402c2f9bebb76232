package query_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

func TestOpening(t *testing.T) {
	e := approved(aFederated())
	s := session(e)
	got, err := query.Opening(e, s)
	if err != nil {
		t.Fatal(err)
	}
	d, err := query.Document(e)
	if err != nil {
		t.Fatal(err)
	}
	want := &transcript.Opening{
		Roster: transcript.Roster{Owners: []string{"owner-18", "owner-19", "owner-20"}, Regulator: "regulator", Receiver: "bank", Threshold: 2},
		Params: "assay-bgv-13-1", Query: d.Digest(), Used: 7, Ciphertexts: 1, Minimum: 3, InputsUntil: begun + 600, Expires: begun + 86_400 - 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := query.Opening(copied(t, e), copied(t, s))
	if err != nil || again.ID(s.ID().String()) != got.ID(s.ID().String()) {
		t.Errorf("another reading of the ledger has another opening: %v", err)
	}
	other := *s
	other.TxID = "begun again"
	if again, err := query.Opening(e, &other); err != nil || again.ID(other.ID().String()) == got.ID(s.ID().String()) {
		t.Errorf("two sessions have one name: %v", err)
	}
}

func TestOpeningRefuses(t *testing.T) {
	for want, change := range map[string]func(*ledger.QueryEntry, *ledger.Session){
		"it is of query":                func(_ *ledger.QueryEntry, s *ledger.Session) { s.Query = commit.Digest{9} },
		"its kind or":                   func(_ *ledger.QueryEntry, s *ledger.Session) { s.Kind = ledger.QueryScore },
		"its parameters":                func(_ *ledger.QueryEntry, s *ledger.Session) { s.Parameters = "assay-bgv-13-2" },
		"its members are":               func(_ *ledger.QueryEntry, s *ledger.Session) { s.Seats[0].Owner = "owner-17" },
		"its members are not":           func(_ *ledger.QueryEntry, s *ledger.Session) { s.Seats[0].Fleet = "fleet-x" },
		"its members are not the":       func(_ *ledger.QueryEntry, s *ledger.Session) { s.Seats = s.Seats[:2] },
		"its members are not the q":     func(_ *ledger.QueryEntry, s *ledger.Session) { s.Regulator = "bank" },
		"members are not the query's":   func(_ *ledger.QueryEntry, s *ledger.Session) { s.Receiver = "fund" },
		"its threshold or its minimum":  func(_ *ledger.QueryEntry, s *ledger.Session) { s.Threshold = 3 },
		"threshold or its minimum":      func(_ *ledger.QueryEntry, s *ledger.Session) { s.Minimum = 2 },
		"its times are not":             func(_ *ledger.QueryEntry, s *ledger.Session) { s.InputsUntil++ },
		"its times are not the query's": func(_ *ledger.QueryEntry, s *ledger.Session) { s.Expires++ },
		"times are not the query's":     func(_ *ledger.QueryEntry, s *ledger.Session) { s.Time++ },
		"2 owners of 3 parts":           func(e *ledger.QueryEntry, _ *ledger.Session) { e.Record.Owners = e.Record.Owners[:2] },
		"fleet-b is not approved":       func(e *ledger.QueryEntry, _ *ledger.Session) { e.Answers[1].Decision.Approved = false },
		"totals: [sum] would open 2": func(e *ledger.QueryEntry, _ *ledger.Session) {
			e.Record.Query.Totals, e.Record.Query.Edges, e.Record.Query.Epsilon = []string{"sum"}, nil, "1"
		},
		"parameters are \"assay-bgv-13-2\"": func(e *ledger.QueryEntry, s *ledger.Session) {
			s.Parameters, e.Record.Query.Parameters = "assay-bgv-13-2", "assay-bgv-13-2"
		},
		"inputs until 1700086399": func(e *ledger.QueryEntry, s *ledger.Session) {
			e.Record.Query.InputSeconds, s.InputsUntil = 86_399, begun+86_399
		},
		"has two places": func(e *ledger.QueryEntry, s *ledger.Session) { e.Record.Query.Regulator, s.Regulator = "bank", "bank" },
	} {
		e := approved(aFederated())
		s := session(e)
		change(e, s)
		if o, err := query.Opening(e, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, %v, want %q", o, err, want)
		}
	}
}

func TestCheckSessionOfScore(t *testing.T) {
	e := approved(aScore())
	s := session(e)
	if err := query.CheckSession(e, s); err != nil {
		t.Error(err)
	}
	s.Regulator = "regulator"
	wants(t, query.CheckSession(e, s), "its members are not the query's")
	if _, err := query.Opening(e, session(e)); err == nil {
		t.Error("a score has an opening")
	}
}
