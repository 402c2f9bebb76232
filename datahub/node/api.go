package node

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/gateway"
	"github.com/assay-net/assay/datahub/api/issuer"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// api is the node's interface, and what the ledger knows of it.
type api struct {
	gateway   *gateway.Gateway
	guard     *access.Guard
	authority *authority.Authority
	published string // where others find it
	known     atomic.Bool
	calls     *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
}

const (
	issuerPath = "/issuer"
	// ownKeysFresh is how long the built-in issuer's keys are used without a look at its file: what is revoked there ends here.
	ownKeysFresh = 2 * time.Second
)

// IssuerFolder is where the keys of the node's own issuer of tokens are.
func (c *Config) IssuerFolder() string { return filepath.Join(c.Data, "issuer") }

// APIRoots is the file of the CA that signs what the node shows to its callers.
func (c *Config) APIRoots() string { return filepath.Join(c.Data, "api", "ca.pem") }

// openAPI listens, and serves nothing yet.
func (n *Node) openAPI(ctx context.Context) error {
	c := &n.config.API
	if c.GRPC == "" {
		return nil
	}
	a := new(api)
	if err := a.register(n.env.Metrics); err != nil {
		return err
	}
	if err := a.openAuthority(n.config, n.own.ID); err != nil {
		return err
	}
	certificate, err := a.authority.Client()
	if err != nil {
		return err
	}
	n.neighbours = &neighbours{book: n.env.Book, certificate: certificate}
	if err := n.openQueries(ctx); err != nil {
		return fmt.Errorf("queries: %w", err)
	}
	o := gateway.Options{Listen: c.Listen, GRPC: c.GRPC, Log: n.log, IssuerPath: issuerPath}
	issuers, err := n.issuers(ctx, &o)
	if err != nil {
		return err
	}
	served := n.newServer()
	if a.guard, err = access.New(n.guardOptions(a, issuers, served)); err != nil {
		return err
	}
	o.Guard, o.Register = a.guard, served.Register
	published, err := c.published(c.GRPC)
	if err != nil {
		return err
	}
	if o.Certificate, err = a.authority.Server(c.certified(published)...); err != nil {
		return err
	}
	if a.gateway, err = gateway.New(o); err != nil {
		return err
	}
	n.api = a
	a.published, err = c.published(a.gateway.GRPC().String()) // a port of 0 is known now
	return err
}

// openAuthority opens the CA of what the node shows, or makes it, and writes its certificate for callers.
func (a *api) openAuthority(c *Config, organisation string) (err error) {
	if a.authority, err = authority.Open(filepath.Join(c.Data, "api", "private"), organisation, nil); err != nil {
		return err
	}
	return durable.WriteFile(c.APIRoots(), encodeCertificate(a.authority.Certificate()))
}

// issuers are those whose tokens are taken: the configuration's, and the node's own.
func (n *Node) issuers(ctx context.Context, o *gateway.Options) ([]access.Issuer, error) {
	var out []access.Issuer
	for i, configured := range n.config.API.Issuers {
		pool, err := n.config.issuerRoots(i)
		if err != nil {
			return nil, err
		}
		out = append(out, access.Issuer{URL: configured.URL, Keys: access.Remote(configured.URL, pool)})
	}
	if !n.config.API.BuiltInIssuer {
		return out, nil
	}
	own, err := issuer.Open(ctx, n.config.IssuerFolder(), issuer.Options{URL: n.config.API.IssuerURL()})
	if err != nil {
		return nil, err
	}
	o.Issuer = own.Handler()
	return append(out, access.Issuer{URL: own.URL(), Keys: own.Keys, Fresh: ownKeysFresh}), nil
}

// issuerRoots are the CAs of an issuer's server, nil for the system's.
func (c *Config) issuerRoots(i int) (*x509.CertPool, error) {
	at := c.Resolve(c.API.Issuers[i].Roots)
	if at == "" {
		return nil, nil
	}
	b, err := durable.ReadFile(at, MaxConfig)
	if err != nil {
		return nil, fmt.Errorf("api.issuers[%d].roots: %w", i, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("api.issuers[%d].roots: %s holds no certificate", i, at)
	}
	return pool, nil
}

func (n *Node) guardOptions(a *api, issuers []access.Issuer, served *server.Server) access.Options {
	c := &n.config.API
	return access.Options{
		Organisation: *n.own, Audience: c.Audience, Issuers: issuers, Nodes: n.env.Book.Nodes, Party: served.Party,
		Limits: access.Limits{Rate: c.RequestsPerSecond, Burst: c.Burst, Failures: c.Failures}, Observe: func(o access.Observation) { n.observe(a, o) }, Log: n.log,
	}
}

func (n *Node) newServer() *server.Server {
	o := server.Options{
		Book: n.env.Book, Organisation: n.own.ID, Genesis: n.genesis, Caller: server.Guarded, Parts: n.parts, Logger: n.log,
	}
	if exporter := n.exporter(); exporter != nil {
		o.Evidence = exporter
	}
	if n.desk != nil {
		o.Progress = desk.Watched[server.Progress]{Desk: n.desk, As: func(p desk.Progress) server.Progress { return server.Progress(p) }}
	}
	if n.own.Has(ledger.RoleFinancier) || n.own.Has(ledger.RoleRegulator) {
		o.Progress = &relay{book: n.env.Book, own: n.own.ID, neighbours: n.neighbours, desk: o.Progress, log: n.log}
	}
	if n.queries != nil {
		o.Queries = n.queries
	}
	return server.New(o)
}

// parts are the lines of /readyz for those who ask the interface.
func (n *Node) parts(ctx context.Context) []server.Part {
	var out []server.Part
	ready := n.Ready(ctx)
	for _, name := range ready.names() {
		out = append(out, server.Part{Name: name, Ready: ready.Parts[name] == "", Detail: ready.Parts[name]})
	}
	return out
}

func (a *api) register(r prometheus.Registerer) error {
	a.calls = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assay_api_calls_total", Help: "Calls of the interface that ended, by method, by who called and by status."}, []string{"method", "caller", "code"})
	a.seconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "assay_api_call_seconds", Help: "Time from a call's headers to its end.",
		Buckets: prometheus.ExponentialBuckets(0.001, 4, 9)}, []string{"method"})
	for _, c := range []prometheus.Collector{a.calls, a.seconds} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// observe counts a call, under labels of the table's methods and of no one's choosing. Who of the organisation changed what is nowhere but in the log: the ledger takes the
// organisation's word.
func (n *Node) observe(a *api, o access.Observation) {
	// Who makes too many calls is counted, and does not write the log.
	if assayv1.Changes(o.Method) && o.Principal.Kind == access.Person && o.Code != codes.ResourceExhausted {
		n.log.Info("a call to change the ledger", "method", o.Method, "caller", o.Principal.String(), "issuer", o.Principal.Issuer, "token", o.Principal.TokenID, "code", o.Code.String())
	}
	kind := "nobody"
	switch o.Principal.Kind {
	case access.Person:
		kind = "person"
	case access.Peer:
		kind = "peer"
	case access.Anonymous:
		kind = "anonymous"
	}
	a.calls.WithLabelValues(o.Method, kind, o.Code.String()).Inc()
	a.seconds.WithLabelValues(o.Method).Observe(o.Duration.Seconds())
}

// serveAPI serves until the node is told to stop, and lets what is under way end.
func (n *Node) serveAPI(ctx context.Context) error {
	log := n.log.With("grpc", n.api.gateway.GRPC().String(), "url", n.api.published)
	if rest := n.api.gateway.REST(); rest != nil {
		log = log.With("rest", rest.String())
	}
	log.Info("the interface is served")
	return n.api.gateway.Serve(ctx)
}

// encodeCertificate is PEM.
func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
