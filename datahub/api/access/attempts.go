package access

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxHosts bounds how many hosts are remembered for what they showed. Beyond it one of them is forgotten, whichever: no host is refused for what others do.
const maxHosts = 10_000

// attempts bounds how much of what one host shows may turn out to be no good: to find that out takes as long as a signature, and whoever guesses would have it done for ever.
type attempts struct {
	perMinute int
	now       func() time.Time

	mu   sync.Mutex
	left map[string]*rate.Limiter // by host
}

func newAttempts(perMinute int, now func() time.Time) *attempts {
	return &attempts{perMinute: perMinute, now: now, left: map[string]*rate.Limiter{}}
}

// try looks at what the peer of a context shows, unless its host has nothing left. Without attempts there is no bound, nor for one that has no host: that is this very
// process, behind REST, where the front has asked before.
func (a *attempts) try(ctx context.Context, look func() error) error {
	host := ""
	if a != nil {
		host = hostOf(ctx)
	}
	if host != "" && a.spent(host) {
		return tooMany(time.Minute/time.Duration(a.perMinute), "more than %d tokens or certificates that are no good in a minute from one host", a.perMinute)
	}
	err := look()
	if host != "" && err != nil && !undecided(err) {
		a.failed(host)
	}
	return err
}

// undecided reports whether an error says nothing about what was shown.
func undecided(err error) bool {
	return errors.Is(err, errUnreachable) || errors.Is(err, errNodesUnknown)
}

func (a *attempts) spent(host string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.left[host]
	return l != nil && l.TokensAt(a.now()) < 1
}

// failed takes one of what a host has left, below nothing if many were looked at together.
func (a *attempts) failed(host string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.left[host]
	if l == nil {
		if len(a.left) >= maxHosts {
			for other := range a.left {
				delete(a.left, other)
				break
			}
		}
		l = rate.NewLimiter(rate.Limit(a.perMinute)/60, a.perMinute)
		a.left[host] = l
	}
	l.ReserveN(a.now(), 1)
}
