package sessiontest

import (
	"math/big"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// Sum is the plaintext twin: what the totals of these owners add up to.
func (n *Network) Sum(owners ...string) []*big.Int {
	sum := make([]*big.Int, n.Opening.Used)
	for j := range sum {
		sum[j] = new(big.Int)
		for _, owner := range owners {
			sum[j].Add(sum[j], n.Values[owner][j])
		}
	}
	return sum
}

// WantResult fails the test unless the receiver was given the sum of these owners' totals, once, it is recorded, and all running parties see that.
func (n *Network) WantResult(owners ...string) {
	n.T.Helper()
	if len(n.Results) != 1 {
		n.T.Fatalf("%d results delivered, want 1:\n%s", len(n.Results), n.Describe())
	}
	n.WantDelivered(owners...)
}

// WantDelivered is WantResult for a receiver that may have been given the result several times, as it was killed before it said that it has it.
func (n *Network) WantDelivered(owners ...string) {
	n.T.Helper()
	if len(n.Results) == 0 {
		n.T.Fatalf("no result delivered:\n%s", n.Describe())
	}
	for _, r := range n.Results {
		n.wantResult(r, owners)
	}
	n.WantPhase(transcript.Answered)
}

func (n *Network) wantResult(r *session.Result, owners []string) {
	n.T.Helper()
	equal := cmp.Comparer(func(x, y *big.Int) bool { return x.Cmp(y) == 0 })
	if d := cmp.Diff(n.Sum(owners...), r.Totals, equal); d != "" {
		n.T.Errorf("totals (-want +got):\n%s", d)
	}
	if !slices.Equal(owners, r.Owners) {
		n.T.Errorf("owners %v, want %v", r.Owners, owners)
	}
	entries := n.Board.Entries(n.Session)
	if last := entries[len(entries)-1]; last.Round != transcript.Result || last.Digest != r.Digest() {
		n.T.Errorf("recorded %s of %s, digest %s, want the result's %s", last.Round, last.Party, last.Digest, r.Digest())
	}
}

// WantPhase fails the test unless all running parties see this phase.
func (n *Network) WantPhase(phase transcript.Phase) {
	n.T.Helper()
	for name, p := range n.parties {
		if got := p.State().Phase; got != phase {
			n.T.Errorf("%s sees %s, want %s:\n%s", name, got, phase, n.Describe())
		}
	}
}

// WantNoResult fails the test if anything was delivered or recorded as a result.
func (n *Network) WantNoResult() {
	n.T.Helper()
	if len(n.Results) != 0 || n.Recorded(transcript.Result) != 0 {
		n.T.Errorf("a result was delivered (%d) or recorded (%d)", len(n.Results), n.Recorded(transcript.Result))
	}
}
