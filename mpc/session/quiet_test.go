package session_test

import (
	"testing"

	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// TestQuietLedger has nobody record anything but the session: its receiver's key is in the block that the others wait for.
func TestQuietLedger(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays a whole session")
	}
	n := sessiontest.New(t, 3, 2)
	n.Session = must(n.Board.Open(n.Opening))(t)
	n.Start()
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
	if first := n.Board.Entries(n.Session)[0]; first.Party != sessiontest.Receiver || first.Round != transcript.Key {
		t.Errorf("the first entry is %s of %s", first.Round, first.Party)
	}
}
