// Package vault keeps keys in a HashiCorp Vault, or a server with the same interface.
//
// Wrapping keys, derivation secrets and signing keys are keys of the Transit secrets engine, named PREFIX-wrap-NAME, PREFIX-derive-NAME and
// PREFIX-sign-NAME: they are made there and cannot be exported. Shares are secrets of the key-value engine, version 2, at PREFIX/shares/NAME, of
// which only the last version is kept. deploy/vault/node.hcl is the policy that a node needs and all that it needs; deploy/vault/README.md shows how to set
// Vault up.
//
// Derivation and signing use version 1 of their key, always: rotating such a key in Vault changes nothing. What is wrapped under a rotated
// wrapping key stays readable until Vault's operator raises the key's min_decryption_version.
//
// The store logs in by itself, renews its token, and logs in again before the token ends or when Vault refuses it, with the secret as it is then. While
// Vault is sealed, unreachable or does not accept the login, methods fail with keys.ErrUnavailable after a few attempts; when it is back they work
// again. What its policy does not allow is keys.ErrDenied.
//
// It does not promise that a destroyed key is gone from snapshots of Vault's storage, nor that whoever administers Vault cannot change the policy.
package vault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/prometheus/client_golang/prometheus"
)

// Options are what a store may use beside its configuration.
type Options struct {
	Logger  *slog.Logger          // nil: nothing is logged
	Metrics prometheus.Registerer // nil: nothing is measured
}

// Store is a keys.Store in a Vault.
type Store struct {
	config   Config
	sessions *sessions
	closed   atomic.Bool
	stop     context.CancelFunc
	work     sync.WaitGroup
}

var _ keys.Store = (*Store)(nil)

// Open logs in. A Vault that cannot be reached or is sealed is no error: the store goes on trying, and Check says when it works. A login that Vault
// refuses is keys.ErrDenied.
func Open(ctx context.Context, c Config, o Options) (*Store, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	clients, err := newClients(c)
	if err != nil {
		return nil, fmt.Errorf("keys: vault: %w", err)
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("keys: vault: %w", err)
	}
	s := &Store{config: c, sessions: newSessions(clients, o.Logger, m)}
	var r refused
	if _, err := s.sessions.get(ctx); errors.As(err, &r) {
		return nil, fmt.Errorf("%v: %w", r.error, keys.ErrDenied) // whatever class it has while the store is in use
	} else if err != nil {
		o.Logger.Warn("Vault cannot be used yet", "error", err)
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.work.Go(func() { s.sessions.keep(background) })
	return s, nil
}

// closing bounds how long giving the token back may take.
const closing = 3 * time.Second

// Close gives the token back, unless it was the operator's. It is no error if Vault does not take it: the token expires.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.stop()
	s.work.Wait()
	last := s.sessions.current.Swap(nil)
	if last != nil && s.config.Login.Method != Token {
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		if err := last.revoke(ctx); err != nil {
			s.sessions.log.Info("Vault did not take the token back", "error", err)
		}
	}
	s.sessions.clients.http.CloseIdleConnections()
	return nil
}

// Check asks Vault whether the token is valid, which it answers only when it is unsealed and active.
func (s *Store) Check(ctx context.Context) error {
	if err := s.call(ctx, read, lookupSelf, nil, nil); err != nil {
		return fmt.Errorf("checking the key store: %w", err)
	}
	return nil
}

func (s *Store) call(ctx context.Context, method, path string, in, out any) error {
	if s.closed.Load() {
		return errClosed
	}
	return s.sessions.call(ctx, method, path, in, out)
}

// Kinds of Transit keys.
const (
	wrapping   = "wrap"
	derivation = "derive"
	signing    = "sign"
)

// transit is a Transit key, by its kind and name.
type transit struct {
	store *Store
	name  string // in Vault
}

func (s *Store) transit(kind, name string) (transit, error) {
	if err := keys.CheckName(name); err != nil {
		return transit{}, err
	}
	name = s.config.Prefix + "-" + kind + "-" + name
	if strings.HasSuffix(name, "-") {
		name += "_" // Vault takes no name that ends in a hyphen, and ours have no underscore
	}
	return transit{s, name}, nil
}

// do has Vault do something with the key: encrypt, decrypt, hmac or sign.
func (t transit) do(ctx context.Context, what string, in, out any) error {
	return t.store.call(ctx, write, t.store.config.Transit+"/"+what+"/"+t.name, in, out)
}

func (t transit) path() string { return t.store.config.Transit + "/keys/" + t.name }

// description is what Vault tells of a key.
type description struct {
	Type string `json:"type"`
	// Keys are its versions: public keys, or for a secret key the times when they were made.
	Keys map[string]any `json:"keys"`
}

// describe fails with keys.ErrNotFound where there is no such key.
func (t transit) describe(ctx context.Context) (*description, error) {
	d := new(description)
	err := t.store.call(ctx, read, t.path(), nil, d)
	if missing(err) {
		return nil, fmt.Errorf("%w: %w", err, keys.ErrNotFound)
	}
	return d, err
}

// absent reports whether what Vault refused was refused because there is no such key: that has the same status as anything else that is wrong.
func (t transit) absent(ctx context.Context, refusal error) (bool, error) {
	if !hasStatus(refusal, http.StatusBadRequest) {
		return false, refusal
	}
	_, err := t.describe(ctx)
	if errors.Is(err, keys.ErrNotFound) {
		return true, nil
	}
	return false, err
}

// make makes the key unless there is one. Vault sees to it that many who do so at once make one.
func (t transit) make(ctx context.Context, parameters any) error {
	return t.store.call(ctx, write, t.path(), parameters, nil)
}

// doOrMake makes the key if there is none, and tries again.
func (t transit) doOrMake(ctx context.Context, what string, in, out, parameters any) error {
	err := t.do(ctx, what, in, out)
	if err == nil {
		return nil
	}
	absent, cause := t.absent(ctx, err)
	if cause != nil {
		return cause
	}
	if absent {
		if err := t.make(ctx, parameters); err != nil {
			return err
		}
	}
	return t.do(ctx, what, in, out) // where it was not absent, somebody else may just have made it
}
