package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/mpc/session"
	"github.com/assay-net/assay/mpc/session/sessiontest"
	"github.com/assay-net/assay/mpc/session/transcript"
)

func TestSession(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Start()
	n.Play(n.Over)
	n.WantResult(n.Opening.Roster.Owners...)
	if got, want := n.Recorded(transcript.Share), 3; got != want {
		t.Errorf("%d shares, want %d: two owners' and the regulator's", got, want)
	}
}

// TestResultIsThePlaintextTwin has random totals, as great as they may be, in one and in two ciphertexts.
func TestResultIsThePlaintextTwin(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays several sessions")
	}
	for _, size := range []struct{ owners, threshold, used, ciphertexts int }{{3, 3, 40, 2}, {5, 3, 2, 1}, {16, 9, 256, 2}} {
		t.Run(fmt.Sprintf("%d of %d owners, %d totals, %d ciphertexts", size.threshold, size.owners, size.used, size.ciphertexts), func(t *testing.T) {
			t.Parallel()
			n := sessiontest.New(t, size.owners, size.threshold, func(o *transcript.Opening) { o.Used, o.Ciphertexts = size.used, size.ciphertexts })
			limit := n.Params.Limit(size.ciphertexts)
			random := rand.New(rand.NewPCG(uint64(size.owners), uint64(size.used)))
			for _, values := range n.Values {
				for j := 1; j < len(values); j++ {
					values[j] = extreme(random, limit)
				}
			}
			n.Start()
			n.Play(n.Over)
			n.WantResult(n.Opening.Roster.Owners...)
		})
	}
}

// extreme is often the limit, of either sign.
func extreme(random *rand.Rand, limit *big.Int) *big.Int {
	v := new(big.Int).Set(limit)
	if random.IntN(4) > 0 {
		v.Rsh(new(big.Int).Mul(limit, new(big.Int).SetUint64(random.Uint64())), 64)
	}
	if random.IntN(2) == 0 {
		v.Neg(v)
	}
	return v
}

// TestEveryActiveSet opens with each set of two owners; the others vanish as soon as the sum is named.
func TestEveryActiveSet(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays several sessions")
	}
	for a := range 4 {
		for b := range a {
			t.Run(fmt.Sprintf("owners %d and %d", b+1, a+1), func(t *testing.T) {
				t.Parallel()
				n := sessiontest.New(t, 4, 2)
				owners := n.Opening.Roster.Owners
				active := []string{owners[b], owners[a]}
				n.Mail.Interpose(func(r sessiontest.Request, answer sessiontest.Answer) ([]byte, error) {
					if r.Item.Kind == session.AliveItem && !slices.Contains(active, r.From) {
						return nil, sessiontest.ErrLost
					}
					return answer()
				})
				n.Start()
				n.Play(n.In(transcript.Activate))
				for _, owner := range owners {
					if !slices.Contains(active, owner) {
						n.Kill(owner)
					}
				}
				n.Play(n.Over)
				n.WantResult(owners...)
				for _, e := range n.Board.Entries(n.Session) {
					if e.Round == transcript.Share && e.Party != sessiontest.Regulator && !slices.Contains(active, e.Party) {
						t.Errorf("%s gave a share, active are %v", e.Party, active)
					}
				}
			})
		}
	}
}

// TestRun has every party run by itself, at once.
func TestRun(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Change = func(cfg *session.Config) { cfg.Poll = time.Millisecond }
	n.Start()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var wg sync.WaitGroup
	for _, name := range n.Names() {
		wg.Go(func() {
			if state, err := n.Party(name).Run(ctx); err != nil {
				t.Errorf("%s: %v: %v", name, state, err)
			}
		})
	}
	wg.Wait()
	n.WantResult(n.Opening.Roster.Owners...)
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	n := sessiontest.New(t, 3, 2)
	n.Start("owner-01")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if state, err := n.Party("owner-01").Run(ctx); !errors.Is(err, context.Canceled) || state.Over() {
		t.Errorf("state %v, error %v; want one that is not over, and %v", state, err, context.Canceled)
	}
}

// TestNothingSecretIsSaid looks for totals, seeds and keys in all that is logged, recorded or shown as a state.
func TestNothingSecretIsSaid(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("plays whole sessions")
	}
	n := sessiontest.New(t, 3, 2)
	var said bytes.Buffer
	n.Change = func(cfg *session.Config) {
		cfg.Log = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	n.Values["owner-02"][1] = big.NewInt(7654321987654)
	n.Start()
	n.Play(n.In(transcript.Input))
	d, err := n.Party("owner-01").Disclose(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&said, "%v %+v %#v %s", d, d, d, d)
	n.Play(n.Over)
	fmt.Fprint(&said, n.Describe())
	for _, secret := range []string{"7654321987654", n.Sum(n.Opening.Roster.Owners...)[1].String(), fmt.Sprintf("%x", d.Seed), fmt.Sprint(d.Seed), fmt.Sprint(n.Values["owner-01"])} {
		if strings.Contains(said.String(), secret) {
			t.Errorf("%s was said", secret)
		}
	}
	n.WantResult(n.Opening.Roster.Owners...)
}
