package vault_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/assay-net/assay/datahub/keys/vault/vaulttest"
	"github.com/hashicorp/vault/api"
	"github.com/prometheus/client_golang/prometheus"
)

const patience = time.Minute

// recovers polls until something works.
func recovers(t *testing.T, what string, works func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := works()
		if err == nil {
			return
		}
		if !errors.Is(err, keys.ErrUnavailable) {
			t.Fatalf("%s: %v", what, err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not recover: %v", what, err)
		}
		time.Sleep(10 * time.Millisecond) // between polls
	}
}

func wantClass(t *testing.T, what string, err, class error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	for _, c := range []error{keys.ErrUnavailable, keys.ErrNotFound, keys.ErrDenied, keys.ErrCorrupt} {
		if errors.Is(err, c) != errors.Is(c, class) {
			t.Errorf("%s: %q: errors.Is(%q) is %t", what, err, c, errors.Is(err, c))
		}
	}
}

// safeBuffer is a log that many write and a test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// observed is a store with what it logs and measures.
type observed struct {
	*vault.Store
	log      *safeBuffer
	registry *prometheus.Registry
}

func observe(t *testing.T, c vault.Config) *observed {
	t.Helper()
	log, registry := new(safeBuffer), prometheus.NewRegistry()
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return &observed{openStore(t, c, vault.Options{Logger: logger, Metrics: registry}), log, registry}
}

// metric is a metric's value, of all its labels or of one.
func (o *observed) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	families, err := o.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// every does each kind of thing once and returns what came of it.
func every(ctx context.Context, s keys.Store, wrapped []byte) map[string]error {
	errs := map[string]error{"Check": s.Check(ctx), "PutShare": s.PutShare(ctx, "every", []byte("share")), "Destroy": s.Destroy(ctx, "every-none")}
	_, errs["Wrap"] = s.Wrap(ctx, "every", make([]byte, 32), nil)
	_, errs["Unwrap"] = s.Unwrap(ctx, "every", wrapped, nil)
	_, errs["Derive"] = s.Derive(ctx, "every", [][]byte{nil})
	_, errs["Signer"] = s.Signer(ctx, "every")
	_, errs["Share"] = s.Share(ctx, "every")
	return errs
}

func wrap(t *testing.T, s keys.Store) []byte {
	t.Helper()
	wrapped, err := s.Wrap(t.Context(), "every", make([]byte, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped
}

func wantEvery(t *testing.T, s keys.Store, wrapped []byte, class error) {
	t.Helper()
	for what, err := range every(t.Context(), s, wrapped) {
		if class != nil {
			wantClass(t, what, err, class)
		} else if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// revokeAll ends all tokens that logins by AppRole have made.
func revokeAll(t *testing.T, server *vaulttest.Server) {
	t.Helper()
	server.Write("sys/leases/revoke-prefix/auth/approle/login", map[string]any{"sync": true})
}

// impatient gives up soon.
func impatient(c vault.Config) vault.Config {
	c.Timeout, c.Retries = time.Second, 1
	return c
}

func byToken(server *vaulttest.Server, request *api.TokenCreateRequest) vault.Config {
	request.NoDefaultPolicy = true
	return vault.Config{Address: server.Address, CA: server.CA, Login: vault.Login{Method: vault.Token, Token: server.Token(request)}}
}
