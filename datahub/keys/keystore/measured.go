package keystore

import (
	"context"
	"crypto"
	"errors"
	"io"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/prometheus/client_golang/prometheus"
)

// measured counts and times what is asked of a store: by operation and outcome, and nothing else.
type measured struct {
	store      keys.Store
	operations *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
}

func measure(store keys.Store, r prometheus.Registerer) (*measured, error) {
	m := &measured{
		store: store,
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_keys_operations_total",
			Help: "Operations of the key store, by outcome: ok, unavailable, not_found, denied, corrupt, failed.",
		}, []string{"operation", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "assay_keys_operation_seconds",
			Help:    "How long operations of the key store took.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10),
		}, []string{"operation"}),
	}
	return m, errors.Join(r.Register(m.operations), r.Register(m.seconds))
}

var outcomes = []struct {
	class error
	name  string
}{
	{keys.ErrUnavailable, "unavailable"},
	{keys.ErrNotFound, "not_found"},
	{keys.ErrDenied, "denied"},
	{keys.ErrCorrupt, "corrupt"},
}

func outcome(err error) string {
	if err == nil {
		return "ok"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.class) {
			return o.name
		}
	}
	return "failed"
}

func (m *measured) done(operation string, began time.Time, err error) {
	m.operations.WithLabelValues(operation, outcome(err)).Inc()
	m.seconds.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

func (m *measured) Wrap(ctx context.Context, name string, dataKey, context []byte) (wrapped []byte, err error) {
	defer func(began time.Time) { m.done("wrap", began, err) }(time.Now())
	return m.store.Wrap(ctx, name, dataKey, context)
}

func (m *measured) Unwrap(ctx context.Context, name string, wrapped, context []byte) (dataKey []byte, err error) {
	defer func(began time.Time) { m.done("unwrap", began, err) }(time.Now())
	return m.store.Unwrap(ctx, name, wrapped, context)
}

func (m *measured) Destroy(ctx context.Context, name string) (err error) {
	defer func(began time.Time) { m.done("destroy", began, err) }(time.Now())
	return m.store.Destroy(ctx, name)
}

func (m *measured) Derive(ctx context.Context, name string, contexts [][]byte) (out [][32]byte, err error) {
	defer func(began time.Time) { m.done("derive", began, err) }(time.Now())
	return m.store.Derive(ctx, name, contexts)
}

func (m *measured) PutShare(ctx context.Context, name string, share []byte) (err error) {
	defer func(began time.Time) { m.done("put_share", began, err) }(time.Now())
	return m.store.PutShare(ctx, name, share)
}

func (m *measured) Share(ctx context.Context, name string) (share []byte, err error) {
	defer func(began time.Time) { m.done("share", began, err) }(time.Now())
	return m.store.Share(ctx, name)
}

func (m *measured) Check(ctx context.Context) (err error) {
	defer func(began time.Time) { m.done("check", began, err) }(time.Now())
	return m.store.Check(ctx)
}

func (m *measured) Close() error { return m.store.Close() }

func (m *measured) Signer(ctx context.Context, name string) (_ crypto.Signer, err error) {
	defer func(began time.Time) { m.done("signer", began, err) }(time.Now())
	s, err := m.store.Signer(ctx, name)
	if err != nil {
		return nil, err
	}
	return &measuredSigner{s, m}, nil
}

type measuredSigner struct {
	crypto.Signer
	m *measured
}

func (s *measuredSigner) Sign(random io.Reader, message []byte, options crypto.SignerOpts) (signature []byte, err error) {
	defer func(began time.Time) { s.m.done("sign", began, err) }(time.Now())
	return s.Signer.Sign(random, message, options)
}
