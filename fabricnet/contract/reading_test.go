package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/mpc/session/transcript"
	"github.com/assay-net/assay/zk/commit"
)

// What a session's parties read with their own rules is what the contract records, in any order of their clocks, and what was read stays in its place.
func TestFollowing(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(nil))
	w.now = w.now.Add(10 * time.Second)
	s.posts(ledger.RoundKey, north)
	before := s.state()
	seen := before.Following(nil)
	w.now = w.now.Add(-5 * time.Second) // clocks differ
	s.posts(ledger.RoundKey, south)
	s.posts(ledger.RoundKey, east)
	w.now = w.now.Add(10 * time.Second)
	s.posts(ledger.RoundKey, lender, regulator)
	state := s.state()
	if cmp.Equal(state.Entries[:1], seen) {
		t.Fatal("the later reading begins as the earlier: there is nothing to see here")
	}
	all := state.Following(seen)
	if len(all) != len(state.Entries) || !cmp.Equal(all[:1], seen) {
		t.Errorf("after %v the session reads %v", seen, all)
	}
	if behind := before.Following(all); !cmp.Equal(behind, all) {
		t.Errorf("a reading that is behind gives %v", behind)
	}
	for _, round := range []ledger.Round{ledger.RoundReady, ledger.RoundInput, ledger.RoundClose, ledger.RoundActivate, ledger.RoundShare, ledger.RoundResult} {
		parties := map[ledger.Round][]string{ledger.RoundReady: s.Members(), ledger.RoundInput: s.Owners(), ledger.RoundShare: {east, north, regulator}}[round]
		if parties == nil {
			parties = []string{lender}
		}
		s.posts(round, parties...)
		state = s.state()
		all = state.Following(all)
		s.believed(all)
	}
	s.believed(state.Entries)
}

// believed reads entries as the parties do.
func (s *session) believed(entries []ledger.SessionEntry) {
	s.t.Helper()
	o := &transcript.Opening{
		Roster: transcript.Roster{Owners: s.Owners(), Regulator: s.Regulator, Receiver: s.Receiver, Threshold: int(s.Threshold)},
		Params: s.Parameters, Query: transcript.Digest(s.Query), Used: 3, Ciphertexts: 1, Minimum: int(s.Minimum), InputsUntil: s.InputsUntil, Expires: s.Expires,
	}
	id := o.ID(s.TxID)
	var read []transcript.Entry
	for _, e := range entries {
		read = append(read, transcript.Entry{
			Session: id, Party: e.Party, Round: transcript.Round(e.Round), Digest: transcript.Digest(e.Digest), Detail: e.Detail, At: e.Time,
		})
	}
	if _, err := transcript.Read(id, o, read); err != nil {
		s.t.Errorf("a party does not believe the ledger: %v", err)
	}
}

func TestSessionExpires(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(nil)).until(ledger.RoundResult)
	other := w.inSession(w.federated(nil)).until(ledger.RoundActivate)
	w.now = time.Unix(s.Expires, 0)
	for _, round := range []ledger.Round{ledger.RoundActivate, ledger.RoundAbort} {
		w.refused(ledger.Expired, "expired at", lender, ledger.FnPost, other.entry(round, lender))
	}
	w.refused(ledger.Expired, "expired at", lender, ledger.FnPost, s.entry(ledger.RoundResult, lender))
	w.wantStatus(s.Query, ledger.QueryAnswered)
	if state := other.state(); state.Status != ledger.SessionExpired {
		t.Errorf("the session is %s", state.Status)
	}
}

// Owners give long reasons. A page of queries ends before it is too large for a peer to send.
func TestPageOfLongReasons(t *testing.T) {
	w := queriesWorld(t)
	const queries = 400
	record := w.queryEntry(w.asksQuery(w.federated(nil))).Record
	no := ledger.QueryAnswer{Fleet: fleetOf(east)}
	for range ledger.MaxReasons {
		no.Decision.Reasons = append(no.Decision.Reasons, strings.Repeat("x", ledger.MaxReason))
	}
	tx := w.state.Begin()
	for i := range queries - 1 {
		id := commit.Digest{byte(i >> 8), byte(i), 1}
		puts := map[string]any{ledger.QueryKey(id): record}
		for _, o := range []string{east, north, south} {
			puts[ledger.QueryAnswerKey(id, fleetOf(o))] = no
		}
		for key, value := range puts {
			if err := tx.Put(key, ledger.Encode(value)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tx.Commit()
	got, pages := 0, 0
	for q := (ledger.QueriesQuery{Limit: ledger.MaxPage}); ; pages++ {
		result, err := contract.Query(w.environment(), w.tx(lender), w.state.Begin(), ledger.QueryQueries, ledger.Encode(q))
		if err != nil {
			t.Fatal(err)
		}
		page, err := ledger.Decode[ledger.QueriesPage]("page", result, 9<<20)
		if err != nil {
			t.Fatal(err)
		}
		got += len(page.Entries)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if got != queries || pages == 0 {
		t.Errorf("%d queries on %d pages but one, want %d on several", got, pages, queries)
	}
}
