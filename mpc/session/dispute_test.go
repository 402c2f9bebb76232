package session_test

import (
	"errors"
	"math/big"
	"testing"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestDispute: what an owner discloses is what it encrypted, or found out.
func TestDispute(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	n.Start()
	n.Play(n.Over)
	d, err := n.Party("owner-02").Disclose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n.Kill(n.Names()...)
	n.Start()
	judge := n.Party(sessiontest.Regulator)
	if err := judge.Examine(t.Context(), d); err != nil {
		t.Errorf("a true disclosure: %v", err)
	}
	for name, lie := range map[string]func(*session.Disclosure){
		"other totals":      func(d *session.Disclosure) { d.Values[1] = big.NewInt(7) },
		"fewer totals":      func(d *session.Disclosure) { d.Values = d.Values[:1] },
		"other seed":        func(d *session.Disclosure) { d.Seed[0]++ },
		"other nonce":       func(d *session.Disclosure) { d.Nonce[0]++ },
		"another's":         func(d *session.Disclosure) { d.Owner = "owner-01" },
		"nobody's":          func(d *session.Disclosure) { d.Owner = "owner-99" },
		"another session's": func(d *session.Disclosure) { d.Session[0]++ },
	} {
		lied := *d
		lied.Values = append([]*big.Int(nil), d.Values...)
		lie(&lied)
		if err := judge.Examine(t.Context(), &lied); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
}

// TestAudit has a party that is not active add the inputs again, after the result.
func TestAudit(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 4, 2)
	n.Start()
	n.Play(n.In(transcript.Close))
	if err := n.Party("owner-04").Audit(t.Context()); !errors.Is(err, session.ErrNotYet) {
		t.Errorf("before the activation: error %v, want %v", err, session.ErrNotYet)
	}
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
	n.Kill("owner-01", "owner-04")
	n.Start("owner-04")
	if err := n.Party("owner-04").Audit(t.Context()); err != nil {
		t.Error(err)
	}
	wrong := sessiontest.New(t, 4, 2)
	wrong.Start()
	wrong.Play(wrong.In(transcript.Close))
	if err := activate(wrong, [32]byte{1}, "owner-01", "owner-02"); err != nil {
		t.Fatal(err)
	}
	wrong.Kill(sessiontest.Receiver) // it sees that it is not the one who said this
	if err := wrong.Party("owner-04").Audit(t.Context()); err == nil || errors.Is(err, session.ErrNotYet) {
		t.Errorf("of a sum that is not that of the inputs: error %v", err)
	}
}
