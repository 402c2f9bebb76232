package session_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// watch asks everyone for everything, as everyone, and compares what is shown with what the ledger has recorded.
type watch struct {
	*sessiontest.Network
	t *transcript.Transcript
}

func (w *watch) look() (shown int) {
	w.T.Helper()
	var err error
	if w.t, err = transcript.Read(w.Session, &w.Opening, w.Board.Entries(w.Session)); err != nil {
		w.T.Fatal(err)
	}
	strangers := []string{"stranger", "", "owner-0", "owner-010"}
	for _, from := range w.Names() {
		for _, caller := range append(w.Names(), strangers...) {
			for _, item := range w.items() {
				b, err := w.Party(from).Serve(caller, item)
				if err != nil {
					continue
				}
				shown++
				if !w.permitted(from, caller, item) {
					w.T.Errorf("phase %s: %s shows %q to %q", w.t.Phase(), from, item, caller)
				}
				w.checkPart(from, caller, item, b)
			}
		}
	}
	return shown
}

func (w *watch) items() []session.Item {
	items := []session.Item{{Kind: "everything"}, {}, {Kind: session.InputItem}, {Kind: session.AliveItem}}
	for _, kind := range []session.Kind{session.PublicItem, session.PartItem, session.ShareItem, session.InputItem} {
		for _, of := range append(w.Names(), "") {
			items = append(items, session.Item{Kind: kind, Of: of})
		}
	}
	return items
}

// permitted is the table of what is for whom, and when.
func (w *watch) permitted(from, caller string, item session.Item) bool {
	r := &w.Opening.Roster
	recorded := func(party string, round transcript.Round) bool { return w.t.Recorded(party, round) != nil }
	allKeys := !slices.ContainsFunc(w.Names(), func(p string) bool { return !recorded(p, transcript.Key) })
	if r.Role(caller) == "" {
		return false
	}
	switch item.Kind {
	case session.PublicItem:
		return allKeys && item.Of == ""
	case session.PartItem:
		return allKeys && caller != from && r.Role(caller) == transcript.Owner && r.Role(from) == transcript.Owner
	case session.InputItem:
		holds := from == item.Of || from == r.Receiver
		return recorded(r.Receiver, transcript.Close) && holds && slices.Contains(w.t.Inputs(), item.Of)
	case session.ShareItem:
		return recorded(from, transcript.Share) && caller == r.Receiver && item.Of == ""
	case session.AliveItem:
		return recorded(r.Receiver, transcript.Close) && caller == r.Receiver && item.Of == ""
	}
	return false
}

// checkPart sees that an owner gets its own part.
func (w *watch) checkPart(from, caller string, item session.Item, shown []byte) {
	if item.Kind != session.PartItem {
		return
	}
	part, err := w.Params.UnmarshalSecretPart(session.Shown(1+len(w.Opening.Roster.Owners), shown))
	if err != nil || int(part.To()) != w.Opening.Roster.Point(caller) || int(part.From()) != w.Opening.Roster.Point(from) {
		w.T.Errorf("%s shows %s a part that is not its own (error %v)", from, caller, err)
	}
}

// TestTrapNothingIsShownEarly looks after each step of each party: key shares only when all are committed to, inputs only when they are closed, shares of the switch only to the receiver and when they are
// recorded, parts only to the owner they are for.
func TestTrapNothingIsShownEarly(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("asks some hundred thousand times")
	}
	w := &watch{Network: sessiontest.New(t, 3, 2)}
	w.Start()
	shown := 0
	w.Play(func() bool {
		for _, name := range w.Names() {
			if _, err := w.Step(name); err != nil {
				t.Fatal(err)
			}
			shown += w.look()
		}
		return w.Over()
	})
	if shown == 0 {
		t.Error("nothing was ever shown: this tests nothing")
	}
	w.WantResult(w.Opening.Roster.Owners...)
}

// TestNothingIsShownOfAnAbortedSession but inputs that were closed: and here none were.
func TestNothingIsShownOfAnAbortedSession(t *testing.T) {
	t.Parallel()
	w := &watch{Network: sessiontest.New(t, 3, 2)}
	w.Start()
	w.Play(w.In(transcript.Ready))
	if err := w.Party("owner-02").Abort(t.Context(), "its\noperator asked for it: "+strings.Repeat("x", 400)); err != nil {
		t.Fatal(err)
	}
	w.Play(w.Over)
	w.WantPhase(transcript.Aborted)
	if reason := w.Party("owner-01").State().Reason; !strings.HasPrefix(reason, "owner-02: its?operator asked for it") || len(reason) > 300 {
		t.Errorf("reason %q", reason)
	}
	if shown := w.look(); shown != 0 {
		t.Errorf("%d items are shown", shown)
	}
	w.WantNoResult()
}

// TestTrapAnswersOfAnySize has others answer with more, less, or other bytes than they should: every request names the one length that its answer may have, a wrong answer is asked for again, and the
// session ends as if there had been none.
func TestTrapAnswersOfAnySize(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	asked := map[sessiontest.Request]int{}
	var largest int
	lock := make(chan struct{}, 1)
	n.Mail.Interpose(func(r sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
		b, err := answer()
		if err != nil {
			return nil, err
		}
		if len(b) != r.Size {
			t.Errorf("%s of %s has %d bytes, %d were asked for", r.Item, r.From, len(b), r.Size)
		}
		lock <- struct{}{}
		defer func() { <-lock }()
		largest = max(largest, r.Size)
		asked[r]++
		switch asked[r] {
		case 1:
			return make([]byte, r.Size+1), nil
		case 2:
			return b[:len(b)-1], nil
		case 3:
			return nil, nil
		case 4:
			b[len(b)-1] ^= 1
		case 5:
			b[0] ^= 1
		}
		return b, nil
	})
	n.Start()
	for range 100 {
		if err := n.Turn(); err != nil {
			t.Fatal(err)
		}
		if n.Over() {
			break
		}
	}
	n.WantResult(n.Opening.Roster.Owners...)
	if largest > 1<<20 {
		t.Errorf("%d bytes were asked for at once", largest)
	}
}

// TestUnansweredRequests are given up after a time, each by itself.
func TestUnansweredRequests(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Change = func(cfg *session.Config) {
		if cfg.Self == "owner-01" {
			cfg.Mail = silent{}
			cfg.Timeout = 1 // nanosecond
		}
	}
	n.Start()
	idle(t, n)
	state := n.Party("owner-01").State()
	if state.Phase != transcript.Preparation || len(state.Waiting) != 4 {
		t.Errorf("%v, want to wait for four public parts in %s", state, transcript.Preparation)
	}
}

type silent struct{}

func (silent) Fetch(ctx context.Context, _ string, _ transcript.ID, _ session.Item, _ int) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
