package contract_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func TestBegin(t *testing.T) {
	w := queriesWorld(t)
	id := w.asksQuery(w.federated(func(q *ledger.Query) { q.Threshold = 3 }))
	w.refused(ledger.Conflict, "fleet-east is not approved", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
	for _, o := range []string{east, north, south} {
		w.wantStatus(id, ledger.QueryOpen)
		w.must(o, ledger.FnAnswer, yes(id, o))
	}
	w.wantStatus(id, ledger.QueryApproved)
	w.refused(ledger.Forbidden, "by lender, not by broker", broker, ledger.FnBegin, ledger.QueryRef{Query: id})
	w.refused(ledger.Forbidden, "role of financier", east, ledger.FnBegin, ledger.QueryRef{Query: id})
	w.refused(ledger.NotFound, "is not known", lender, ledger.FnBegin, ledger.QueryRef{})
	s := w.beginsQuery(id)
	want := &ledger.Session{
		Query: id, Kind: ledger.QueryFederated, Regulator: regulator, Receiver: lender, Threshold: 3, Minimum: 3, InputsUntil: w.now.Unix() + 600,
		Seats: []ledger.Seat{{Owner: east, Fleet: fleetOf(east)}, {Owner: north, Fleet: fleetOf(north)}, {Owner: south, Fleet: fleetOf(south)}}, Parameters: "assay-bgv-13-1",
		Expires: w.now.Unix() + 3600, Time: w.now.Unix(), TxID: s.TxID,
	}
	if diff := cmp.Diff(want, s.Session); diff != "" || s.id != ledger.SessionID(id, s.TxID) {
		t.Error(diff)
	}
	w.wantStatus(id, ledger.QueryRunning)
	w.now = w.now.Add(55 * time.Minute)
	w.refused(ledger.Expired, "inputs may come until", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
	w.now = w.now.Add(5 * time.Minute)
	w.refused(ledger.Expired, "expired at", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
	w.wantStatus(id, ledger.QueryExpired)
}

// A query begins again as long as no sum was named, eight times.
func TestBeginAgain(t *testing.T) {
	w := queriesWorld(t)
	id := w.approvedQuery(w.federated(nil))
	sessions := map[commit.Digest]bool{}
	var last *session
	for range ledger.MaxSessions {
		last = w.beginsQuery(id)
		sessions[last.id] = true
	}
	if e := w.queryEntry(id); len(sessions) != ledger.MaxSessions || len(e.Sessions) != ledger.MaxSessions || e.Sessions[7].ID != last.id {
		t.Errorf("%d sessions, listed are %+v", len(sessions), e.Sessions)
	}
	w.refused(ledger.Conflict, "which is all", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
	for s := range sessions {
		w.wantStatus(id, ledger.QueryRunning)
		w.must(lender, ledger.FnPost, ledger.Post{Session: s, Round: ledger.RoundAbort, Detail: []byte("again")})
	}
	w.wantStatus(id, ledger.QueryFailed)
}

// What was approved and is not allowed any more does not begin, and is not opened.
func TestRevocationStopsASession(t *testing.T) {
	w := queriesWorld(t)
	id := w.approvedQuery(w.federated(nil))
	running := w.beginsQuery(id).until(ledger.RoundActivate)
	w.must(north, ledger.FnRevoke, ledger.Revoke{Grant: "whatever-it-is", Reason: "the loan is repaid"})
	w.refused(ledger.Forbidden, "the loan is repaid", lender, ledger.FnBegin, ledger.QueryRef{Query: id})
	w.refused(ledger.Forbidden, "the loan is repaid", lender, ledger.FnPost, running.entry(ledger.RoundActivate, lender))
}

func TestSession(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(nil))
	s.until(ledger.RoundShare)
	for _, party := range []string{east, north, regulator} {
		w.wantStatus(s.Query, ledger.QueryRunning)
		s.posts(ledger.RoundShare, party)
	}
	w.wantStatus(s.Query, ledger.QueryAnswered)
	s.posts(ledger.RoundResult, lender)
	w.now = w.now.Add(2 * time.Hour)
	w.wantStatus(s.Query, ledger.QueryAnswered)
	state := s.state()
	var got []string
	for _, e := range state.Entries {
		got = append(got, string(e.Round)+" "+e.Party)
	}
	want := strings.Fields(`key_east key_lender key_north key_regulator key_south ready_east ready_lender ready_north ready_regulator ready_south input_east input_north input_south
		close_lender activate_lender share_east share_north share_regulator result_lender`)
	if diff := cmp.Diff(strings.Join(want, ";"), strings.ReplaceAll(strings.Join(got, ";"), " ", "_")); diff != "" || state.Status != ledger.SessionAnswered {
		t.Errorf("%s: %s", state.Status, diff)
	}
	e := w.queryEntry(s.Query)
	if e.Activated == nil || e.Activated.Session != s.id || !cmp.Equal(e.Activated.Fleets, []string{fleetOf(east), fleetOf(north), fleetOf(south)}) || e.Sessions[0].End.Round != ledger.RoundResult {
		t.Errorf("the entry is %+v", e)
	}
	w.refused(ledger.Conflict, "ended with the result", east, ledger.FnPost, s.entry(ledger.RoundAbort, east))
}

// Each rule of a session broken alone: in a session that stands before a round, an entry that is not to be taken.
func TestPostRefusals(t *testing.T) {
	zero := func(p *ledger.Post) { p.Digest = commit.Digest{} }
	detail := func(b string) func(*ledger.Post) { return func(p *ledger.Post) { p.Detail = []byte(b) } }
	same := func(*ledger.Post) {}
	for name, c := range map[string]struct {
		before, round ledger.Round
		by            string
		code          ledger.Code
		want          string
		change        func(*ledger.Post)
	}{
		"no such session":        {ledger.RoundKey, ledger.RoundKey, east, ledger.NotFound, "is not known", func(p *ledger.Post) { p.Session = commit.Digest{1} }},
		"a stranger":             {ledger.RoundKey, ledger.RoundKey, west, ledger.Forbidden, "is no member", same},
		"another regulator":      {ledger.RoundKey, ledger.RoundKey, supervisor, ledger.Forbidden, "is no member", same},
		"no such round":          {ledger.RoundKey, "keys", east, ledger.Invalid, "has no round", same},
		"a score's round":        {ledger.RoundKey, ledger.RoundRequest, lender, ledger.Invalid, "has no round", same},
		"a key without digest":   {ledger.RoundKey, ledger.RoundKey, east, ledger.Invalid, "digest", zero},
		"a key with detail":      {ledger.RoundKey, ledger.RoundKey, east, ledger.Invalid, "want none", detail("x")},
		"ready before all keys":  {ledger.RoundKey, ledger.RoundReady, east, ledger.Conflict, "have no entry for round key", same},
		"input before all ready": {ledger.RoundReady, ledger.RoundInput, east, ledger.Conflict, "have no entry for round ready", same},
		"input of the regulator": {ledger.RoundInput, ledger.RoundInput, regulator, ledger.Forbidden, "is not for regulator", same},
		"input of the receiver":  {ledger.RoundInput, ledger.RoundInput, lender, ledger.Forbidden, "is not for lender", same},
		"input without anchors":  {ledger.RoundInput, ledger.RoundInput, east, ledger.Invalid, "detail", detail("")},
		"input of other anchors": {ledger.RoundInput, ledger.RoundInput, east, ledger.Invalid, "the input is from", func(p *ledger.Post) { p.Detail = ledger.Encode(ledger.AnchorReference{Epoch: 11, Chunks: 1}) }},
		"input of another epoch": {ledger.RoundInput, ledger.RoundInput, east, ledger.Invalid, "the input is from", func(p *ledger.Post) { p.Detail = bytes.Replace(p.Detail, []byte(`:11,`), []byte(`:10,`), 1) }},
		"input of fewer chunks": {ledger.RoundInput, ledger.RoundInput, east, ledger.Invalid, "the input is from", func(p *ledger.Post) {
			p.Detail = bytes.Replace(p.Detail, []byte(`"chunks":1`), []byte(`"chunks":0`), 1)
		}},
		"input of garbage":        {ledger.RoundInput, ledger.RoundInput, east, ledger.Invalid, "detail", detail(strings.Repeat("[", 10_000))},
		"declined with detail":    {ledger.RoundInput, ledger.RoundInput, east, ledger.Invalid, "want none", zero},
		"closed with no input":    {ledger.RoundInput, ledger.RoundClose, lender, ledger.Conflict, "has 0 inputs", same},
		"closed by an owner":      {ledger.RoundClose, ledger.RoundClose, east, ledger.Forbidden, "is not for east", same},
		"closed with a digest":    {ledger.RoundClose, ledger.RoundClose, lender, ledger.Invalid, "digest", func(p *ledger.Post) { p.Digest = commit.Digest{1} }},
		"closed by a stranger":    {ledger.RoundClose, ledger.RoundClose, broker, ledger.Forbidden, "is no member", same},
		"activated before closed": {ledger.RoundClose, ledger.RoundActivate, lender, ledger.Conflict, "have no entry for round close", same},
		"activated by an owner":   {ledger.RoundActivate, ledger.RoundActivate, east, ledger.Forbidden, "is not for east", same},
		"activated with no sum":   {ledger.RoundActivate, ledger.RoundActivate, lender, ledger.Invalid, "digest", zero},
		"one owner active":        {ledger.RoundActivate, ledger.RoundActivate, lender, ledger.Invalid, "names 1 owners", detail("\x01")},
		"three owners active":     {ledger.RoundActivate, ledger.RoundActivate, lender, ledger.Invalid, "names 3 owners", detail("\x01\x02\x03")},
		"active twice":            {ledger.RoundActivate, ledger.RoundActivate, lender, ledger.Invalid, "ascending", detail("\x02\x02")},
		"active out of order":     {ledger.RoundActivate, ledger.RoundActivate, lender, ledger.Invalid, "ascending", detail("\x02\x01")},
		"active seat 0":           {ledger.RoundActivate, ledger.RoundActivate, lender, ledger.Invalid, "ascending", detail("\x00\x01")},
		"active seat 4":           {ledger.RoundActivate, ledger.RoundActivate, lender, ledger.Invalid, "ascending", detail("\x01\x04")},
		"share before the sum":    {ledger.RoundActivate, ledger.RoundShare, east, ledger.Conflict, "no sum is named", same},
		"share of the inactive":   {ledger.RoundShare, ledger.RoundShare, south, ledger.Forbidden, "is not for south", same},
		"share of the receiver":   {ledger.RoundShare, ledger.RoundShare, lender, ledger.Forbidden, "is not for lender", same},
		"result before shares":    {ledger.RoundShare, ledger.RoundResult, lender, ledger.Conflict, "have no entry for round share", same},
		"result before the sum":   {ledger.RoundActivate, ledger.RoundResult, lender, ledger.Conflict, "no sum is named", same},
		"result of an owner":      {ledger.RoundResult, ledger.RoundResult, east, ledger.Forbidden, "is not for east", same},
		"result without digest":   {ledger.RoundResult, ledger.RoundResult, lender, ledger.Invalid, "digest", zero},
		"abort without a reason":  {ledger.RoundKey, ledger.RoundAbort, east, ledger.Invalid, "says why", detail("")},
		"abort at length":         {ledger.RoundKey, ledger.RoundAbort, east, ledger.Invalid, "says why", detail(strings.Repeat("x", 257))},
		"abort unprintable":       {ledger.RoundKey, ledger.RoundAbort, east, ledger.Invalid, "says why", detail("a\nb")},
		"abort of a stranger":     {ledger.RoundKey, ledger.RoundAbort, west, ledger.Forbidden, "is no member", same},
	} {
		t.Run(name, func(t *testing.T) {
			w := queriesWorld(t)
			s := w.inSession(w.federated(nil)).until(c.before)
			p := ledger.Post{Session: s.id, Round: c.round, Digest: commit.Digest{1}}
			if c.round != ledger.RoundInput || s.FleetOf(c.by) != "" {
				p = s.entry(c.round, c.by)
			}
			c.change(&p)
			w.refused(c.code, c.want, c.by, ledger.FnPost, p)
		})
	}
}

// The first entry of a party for a round counts for ever. The same again is no error, at any time, and writes nothing on which anybody's entry stands.
func TestPostTwice(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(nil))
	p := s.entry(ledger.RoundKey, east)
	first := w.must(east, ledger.FnPost, p)
	other := p
	other.Digest = commit.Digest{9}
	w.refused(ledger.AlreadyRecorded, "another entry for round key", east, ledger.FnPost, other)
	w.must(regulator, ledger.FnPost, s.entry(ledger.RoundAbort, regulator))
	w.now = w.now.Add(10 * time.Hour)
	w.calls++
	state := w.state.Begin()
	again, err := contract.Execute(w.environment(), w.tx(east), state, ledger.Call{Function: ledger.FnPost, Args: ledger.Encode(p)})
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the same again is %s, was %s, error %v", again, first, err)
	}
	if keys := slices.Sorted(maps.Keys(state.Writes)); !slices.Equal(keys, []string{ledger.RepeatKey(s.id, ledger.RoundKey, east)}) {
		t.Errorf("the same again writes %v", keys)
	}
	w.must(east, ledger.FnPost, p)
	w.refused(ledger.AlreadyRecorded, "another entry for round key", east, ledger.FnPost, other)
	w.refused(ledger.Conflict, "ended with the abort of regulator", north, ledger.FnPost, s.entry(ledger.RoundKey, north))
}

// Two posts on one state: each stands on what the other writes, where both cannot be.
func TestPostsAtOnce(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(nil)).until(ledger.RoundInput)
	s.posts(ledger.RoundInput, east, north)
	end, close := ledger.SessionEndKey(s.id), ledger.EntryKey(s.id, ledger.RoundClose, lender)
	reads := w.reads(south, ledger.FnPost, s.entry(ledger.RoundInput, south))
	for _, key := range []string{end, close, ledger.EntryKey(s.id, ledger.RoundInput, south)} {
		if !reads[key] {
			t.Errorf("an input does not stand on %s", key)
		}
	}
	s.posts(ledger.RoundInput, south)
	if reads := w.reads(lender, ledger.FnPost, s.entry(ledger.RoundClose, lender)); !reads[ledger.EntryKey(s.id, ledger.RoundInput, south)] || !reads[end] {
		t.Error("the closing does not stand on the inputs")
	}
	s.posts(ledger.RoundClose, lender)
	reads = w.reads(lender, ledger.FnPost, s.entry(ledger.RoundActivate, lender))
	for _, key := range []string{end, ledger.ActivationKey(s.Query), ledger.PooledPrefix(fleetOf(east), 11), ledger.RevokedKey(east, "whatever-it-is")} {
		if !reads[key] {
			t.Errorf("the naming of a sum does not stand on %s", key)
		}
	}
}

// Owners may be away or decline, as long as there are three inputs; the receiver waits for those who said nothing, until the time for inputs is over.
func TestMissingInputs(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(func(q *ledger.Query) { q.Parts = partsOf(east, north, south, west) })).until(ledger.RoundInput)
	s.posts(ledger.RoundInput, east, north)
	w.refused(ledger.Conflict, "has 2 inputs, at least 3", lender, ledger.FnPost, s.entry(ledger.RoundClose, lender))
	s.posts(ledger.RoundInput, south)
	w.refused(ledger.Expired, "too early: [west]", lender, ledger.FnPost, s.entry(ledger.RoundClose, lender))
	w.now = w.now.Add(600 * time.Second)
	w.refused(ledger.Expired, "too early: [west]", lender, ledger.FnPost, s.entry(ledger.RoundClose, lender))
	w.now = w.now.Add(time.Second)
	s.posts(ledger.RoundClose, lender)
	w.refused(ledger.Conflict, "are closed", west, ledger.FnPost, s.entry(ledger.RoundInput, west))
	p := s.entry(ledger.RoundActivate, lender)
	p.Detail = []byte{1, 4}
	w.refused(ledger.Invalid, "west is to open the sum and has no input", lender, ledger.FnPost, p)
	p.Detail = []byte{1, 3}
	w.must(lender, ledger.FnPost, p)
	s.posts(ledger.RoundShare, east, south, regulator)
	w.wantStatus(s.Query, ledger.QueryAnswered)
}

func TestDeclined(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(func(q *ledger.Query) { q.Parts = partsOf(east, north, south, west) })).until(ledger.RoundInput)
	s.posts(ledger.RoundInput, east, north)
	w.must(south, ledger.FnPost, ledger.Post{Session: s.id, Round: ledger.RoundInput})
	s.posts(ledger.RoundInput, west)
	s.posts(ledger.RoundClose, lender)
	w.refused(ledger.Invalid, "south is to open the sum", lender, ledger.FnPost, ledger.Post{Session: s.id, Round: ledger.RoundActivate, Digest: commit.Digest{1}, Detail: []byte{1, 3}})
	s.posts(ledger.RoundActivate, lender)
	if e := w.queryEntry(s.Query); cmp.Diff([]string{fleetOf(east), fleetOf(north), fleetOf(west)}, e.Activated.Fleets) != "" {
		t.Errorf("activated is %+v", e.Activated)
	}
}

// An abort ends a session. Before the sum is named the query may begin again, afterwards it has failed.
func TestAbort(t *testing.T) {
	w := queriesWorld(t)
	s := w.inSession(w.federated(nil)).until(ledger.RoundActivate)
	s.posts(ledger.RoundAbort, south)
	w.refused(ledger.Conflict, "ended with the abort of south", lender, ledger.FnPost, s.entry(ledger.RoundActivate, lender))
	w.wantStatus(s.Query, ledger.QueryApproved)
	again := w.beginsQuery(s.Query).until(ledger.RoundShare)
	again.posts(ledger.RoundShare, east)
	again.posts(ledger.RoundAbort, regulator)
	w.wantStatus(s.Query, ledger.QueryFailed)
	w.refused(ledger.Conflict, "began before", lender, ledger.FnBegin, ledger.QueryRef{Query: s.Query})
	if state := again.state(); state.Status != ledger.SessionAborted || state.Entries[len(state.Entries)-1].Round != ledger.RoundAbort {
		t.Errorf("the session is %+v", state)
	}
}

// One session of a query names a sum, however many are under way.
func TestActivatedOnce(t *testing.T) {
	w := queriesWorld(t)
	id := w.approvedQuery(w.federated(nil))
	first, second := w.beginsQuery(id).until(ledger.RoundActivate), w.beginsQuery(id).until(ledger.RoundActivate)
	second.posts(ledger.RoundActivate, lender)
	w.refused(ledger.Conflict, "is answered in session", lender, ledger.FnPost, first.entry(ledger.RoundActivate, lender))
}
