package vault

import (
	"errors"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics tell how the login does. What is asked of the store is counted by keystore.
type metrics struct {
	logins   *prometheus.CounterVec
	renewals prometheus.Counter
	expiry   prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "assay_keys_vault_logins_total", Help: "Logins to Vault, by outcome: ok, refused, unavailable.",
		}, []string{"outcome"}),
		renewals: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "assay_keys_vault_renewals_total", Help: "Renewals of the token for Vault.",
		}),
		expiry: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "assay_keys_vault_token_expiry_timestamp_seconds", Help: "When the token for Vault expires if it is not renewed; 0 if never.",
		}),
	}
	if r == nil {
		return m, nil
	}
	return m, errors.Join(r.Register(m.logins), r.Register(m.renewals), r.Register(m.expiry))
}

func (m *metrics) login(err error) {
	outcome := "ok"
	switch {
	case errors.As(err, new(refused)):
		outcome = "refused"
	case err != nil:
		outcome = "unavailable"
	}
	m.logins.WithLabelValues(outcome).Inc()
}

func (m *metrics) renewed(s *api.Secret) {
	m.renewals.Inc()
	m.lifetime(s)
}

func (m *metrics) lifetime(s *api.Secret) {
	if s.Auth.LeaseDuration == 0 {
		m.expiry.Set(0)
		return
	}
	m.expiry.Set(float64(time.Now().Add(lifetime(s)).Unix()))
}
