package vault

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/hashicorp/vault/api"
)

const (
	// A login that failed is not repeated at once, whoever asks.
	loginRest = 250 * time.Millisecond
	// Between attempts of the background to log in.
	minLoginPause = 250 * time.Millisecond
	maxLoginPause = 15 * time.Second
)

// jitter takes up to half off a duration, so that many nodes do not come at once.
func jitter(d time.Duration) time.Duration { return d - rand.N(d/2+1) }

// session is a token and what it is used with.
type session struct {
	client *api.Client
	secret *api.Secret
	ended  chan struct{} // closed when Vault has refused the token
	end    sync.Once
}

// sessions keeps the node logged in: one session at a time, renewed while Vault renews it, and replaced before it expires or when Vault refuses it.
type sessions struct {
	clients *clients
	log     *slog.Logger
	metrics *metrics

	turn    chan struct{} // holds one token: one login at a time
	current atomic.Pointer[session]
	failed  error // of the last login, if it failed; with turn
	tried   time.Time
}

func newSessions(c *clients, log *slog.Logger, m *metrics) *sessions {
	s := &sessions{clients: c, log: log, metrics: m, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// get returns the session, logging in if there is none. It fails with keys.ErrUnavailable.
func (s *sessions) get(ctx context.Context) (*session, error) {
	if c := s.current.Load(); c != nil {
		return c, nil
	}
	return s.login(ctx, nil)
}

// login replaces a session. If another has done so meanwhile, that is fine.
func (s *sessions) login(ctx context.Context, old *session) (*session, error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a login to Vault: %w: %w", ctx.Err(), keys.ErrUnavailable)
	}
	defer func() { s.turn <- struct{}{} }()
	if c := s.current.Load(); c != nil && c != old {
		return c, nil
	}
	if s.failed != nil && time.Since(s.tried) < loginRest {
		return nil, s.failed
	}
	c, err := s.loginOnce(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, err // which tells the others nothing
	}
	s.failed, s.tried = err, time.Now()
	s.metrics.login(err)
	if err != nil {
		return nil, err
	}
	s.current.Store(c)
	s.metrics.lifetime(c.secret)
	s.log.Info("logged in to Vault", "method", s.clients.config.Login.Method, "lifetime", lifetime(c.secret), "renewable", c.secret.Auth.Renewable)
	return c, nil
}

// refused is a login that Vault did not accept. While the node runs it counts as unavailable: the operator may put a good secret in place.
type refused struct{ error }

func (r refused) Unwrap() []error { return []error{r.error, keys.ErrUnavailable} }

func (s *sessions) loginOnce(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, s.clients.config.Timeout)
	defer cancel()
	secret, err := s.clients.login(ctx)
	if err != nil {
		return nil, err
	}
	client, err := s.clients.with(secret.Auth.ClientToken)
	if err != nil {
		return nil, err
	}
	return &session{client: client, secret: secret, ended: make(chan struct{})}, nil
}

// drop ends a session that Vault refuses.
func (s *sessions) drop(c *session) {
	if s.current.CompareAndSwap(c, nil) {
		s.log.Warn("Vault does not accept the token any more")
	}
	c.end.Do(func() { close(c.ended) })
}

// keep holds a session until its context ends.
func (s *sessions) keep(ctx context.Context) {
	pause := minLoginPause
	for ctx.Err() == nil {
		c, err := s.get(ctx)
		if err != nil {
			s.log.Warn("cannot log in to Vault", "error", err, "again_in", pause)
			wait(ctx, nil, jitter(pause))
			pause = min(2*pause, maxLoginPause)
			continue
		}
		began := time.Now()
		s.watch(ctx, c)
		if time.Since(began) > maxLoginPause {
			pause = minLoginPause
		}
		pause = s.replace(ctx, c, pause)
	}
}

// replace logs in again while the session that ends soon still serves. It returns how long to wait after the next failure.
func (s *sessions) replace(ctx context.Context, old *session, pause time.Duration) time.Duration {
	for ctx.Err() == nil {
		// A token that lives for a moment only must not have the node log in all the time.
		if !wait(ctx, old.ended, jitter(pause)) {
			return pause
		}
		pause = min(2*pause, maxLoginPause)
		_, err := s.login(ctx, old)
		if err == nil {
			return pause
		}
		s.log.Warn("cannot log in to Vault again", "error", err, "again_in", pause)
	}
	return pause
}

// watch renews a session's token and returns when it cannot be renewed any longer.
func (s *sessions) watch(ctx context.Context, c *session) {
	if c.secret.Auth.LeaseDuration == 0 { // it does not expire
		wait(ctx, c.ended, 0)
		return
	}
	w, err := c.client.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: c.secret})
	if err != nil {
		s.log.Error("cannot watch Vault's token", "error", err)
		return
	}
	go w.Start()
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.ended:
			return
		case err := <-w.DoneCh():
			s.log.Info("Vault's token will not be renewed any longer", "error", err)
			return
		case r := <-w.RenewCh():
			s.metrics.renewed(r.Secret)
			s.log.Debug("Vault's token renewed", "lifetime", lifetime(r.Secret))
		}
	}
}

func lifetime(s *api.Secret) time.Duration {
	return time.Duration(s.Auth.LeaseDuration) * time.Second
}

// wait reports whether the time passed, before the context or the channel ended. No time is for ever.
func wait(ctx context.Context, ended <-chan struct{}, d time.Duration) bool {
	var passed <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		passed = t.C
	}
	select {
	case <-passed:
		return true
	case <-ended:
	case <-ctx.Done():
	}
	return false
}

// callSessions is how many tokens may end under one request.
const callSessions = 3

// call makes a request in a session. Where Vault denies it, it may be that the token has ended: then it logs in and asks once more.
func (s *sessions) call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, s.clients.config.Timeout)
	defer cancel()
	var err error
	for range callSessions {
		var c *session
		if c, err = s.get(ctx); err != nil {
			return err
		}
		if err = send(ctx, c.client, method, path, in, out); !hasStatus(err, http.StatusForbidden) {
			return err
		}
		valid, lookup := c.valid(ctx)
		switch {
		case lookup != nil:
			return lookup
		case valid:
			return fmt.Errorf("%w: %w", err, keys.ErrDenied)
		}
		s.drop(c)
	}
	return fmt.Errorf("%w: tokens end as soon as they are made: %w", err, keys.ErrUnavailable)
}

const lookupSelf = "auth/token/lookup-self"

// valid asks Vault whether it knows the session's token.
func (c *session) valid(ctx context.Context) (bool, error) {
	err := send(ctx, c.client, read, lookupSelf, nil, nil)
	if hasStatus(err, http.StatusForbidden) {
		return false, nil
	}
	return err == nil, err
}

// revoke gives a token back that was made for this session.
func (c *session) revoke(ctx context.Context) error {
	return send(ctx, c.client, write, "auth/token/revoke-self", struct{}{}, nil)
}

var errClosed = fmt.Errorf("the key store is closed: %w", keys.ErrUnavailable)
