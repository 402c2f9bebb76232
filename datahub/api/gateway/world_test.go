package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/gateway"
	"github.com/assay-net/assay/datahub/api/issuer"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// world is a gateway on two real listeners, in front of services that answer everything, so that whatever is refused is refused before them.
type world struct {
	testing.TB
	own       ledger.Organisation
	issuer    *issuer.Issuer
	issuerDir string
	authority *authority.Authority
	guard     *access.Guard
	gateway   *gateway.Gateway
	services  *services

	mu      sync.Mutex
	nodes   []ledger.NodeRecord
	parties map[string]bool // organisations that are party to every request
	log     *bytes.Buffer
}

const issuerURL = "https://issuer.example/owner"

func newWorld(t testing.TB, change ...func(*access.Options, *gateway.Options)) *world {
	t.Helper()
	w := &world{TB: t, own: ledger.Organisation{ID: "owner", Roles: []ledger.Role{ledger.RoleOwner}}, parties: map[string]bool{"lender": true}, log: &bytes.Buffer{}}
	w.issuerDir = t.TempDir()
	w.issuer = must(issuer.Open(t.Context(), w.issuerDir, issuer.Options{URL: issuerURL}))
	w.authority = must(authority.Open(t.TempDir(), w.own.ID, nil))
	w.services = &services{world: w}
	log := slog.New(slog.NewTextHandler(locked{w}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a := access.Options{
		Organisation: w.own, Issuers: []access.Issuer{{URL: issuerURL, Keys: w.issuer.Keys}}, Nodes: w.listNodes, Party: w.isParty, Log: log,
		Limits: access.Limits{Rate: 100_000, Burst: 100_000, Failures: 100_000},
	}
	g := gateway.Options{
		Listen: "127.0.0.1:0", GRPC: "127.0.0.1:0", Certificate: must(w.authority.Server("127.0.0.1", "localhost")), Register: w.services.register,
		Issuer: w.issuer.Handler(), IssuerPath: "/owner", Log: log, Bounds: gateway.Bounds{Stop: 100 * time.Millisecond},
	}
	for _, fn := range change {
		fn(&a, &g)
	}
	w.own = a.Organisation
	w.guard = must(access.New(a))
	g.Guard = w.guard
	w.gateway = must(gateway.New(g))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.gateway.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

// as makes the world that of another organisation.
func as(id string, roles ...ledger.Role) func(*access.Options, *gateway.Options) {
	return func(o *access.Options, _ *gateway.Options) {
		o.Organisation = ledger.Organisation{ID: id, Roles: roles}
	}
}

type locked struct{ *world }

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Write(p)
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func (w *world) listNodes(context.Context) ([]ledger.NodeRecord, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.nodes), nil
}

func (w *world) publish(organisation string, ca []byte) {
	w.mu.Lock()
	w.nodes = append(slices.DeleteFunc(w.nodes, func(n ledger.NodeRecord) bool { return n.Organisation == organisation }),
		ledger.NodeRecord{Organisation: organisation, URL: "https://" + organisation, Certificate: ca})
	w.mu.Unlock()
	w.guard.NodesChanged()
}

func (w *world) isParty(_ context.Context, _ commit.Digest, organisation string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.parties[organisation], nil
}

// token is ada's, of the world's issuer for the world's node.
func (w *world) token(roles ...access.Role) string {
	w.Helper()
	return w.tokenOf("ada", roles...)
}

func (w *world) tokenOf(subject string, roles ...access.Role) string {
	w.Helper()
	return must(w.issuer.Mint(issuer.Claims{Subject: subject, Audience: access.Audience(w.own.ID), Roles: roles, Lifetime: access.MaxLifetime}))
}

// dial connects to gRPC, with a client certificate if there is one.
func (w *world) dial(client func(*tls.CertificateRequestInfo) (*tls.Certificate, error)) *grpc.ClientConn {
	w.Helper()
	c := must(grpc.NewClient(w.gateway.GRPC().String(), grpc.WithTransportCredentials(credentials.NewTLS(
		&tls.Config{RootCAs: w.authority.Pool(), MinVersion: tls.VersionTLS13, GetClientCertificate: client}))))
	w.Cleanup(func() { _ = c.Close() })
	return c
}

func with(token string) context.Context {
	ctx := context.Background()
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, access.AuthorizationHeader, access.Bearer(token))
	}
	return ctx
}

// client is an HTTP client that trusts the node, and follows nothing.
func (w *world) client(change ...func(*http.Transport)) *http.Client {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.authority.Pool()}, DisableKeepAlives: true}
	for _, fn := range change {
		fn(transport)
	}
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (w *world) url(path string) string { return "https://" + w.gateway.REST().String() + path }

// answer is what REST answers.
type answer struct {
	code   int
	header http.Header
	body   string
}

func (w *world) rest(method, path, token, body string, change ...func(*http.Request)) answer {
	w.Helper()
	return w.restBy(w.client(), method, path, token, body, change...)
}

func (w *world) restBy(client *http.Client, method, path, token, body string, change ...func(*http.Request)) answer {
	w.Helper()
	var content io.Reader
	if body != "" {
		content = bytes.NewBufferString(body)
	}
	r := must(http.NewRequest(method, w.url(path), content))
	if token != "" {
		r.Header.Set("Authorization", access.Bearer(token))
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, fn := range change {
		fn(r)
	}
	response, err := client.Do(r)
	if err != nil {
		return answer{body: err.Error()}
	}
	defer response.Body.Close()
	b, err := io.ReadAll(response.Body)
	if err != nil {
		w.Log(err)
	}
	return answer{response.StatusCode, response.Header, string(b)}
}

// reason is that of the ErrorInfo in a REST answer.
func (a answer) reason() string {
	var s struct {
		Details []struct {
			Reason string `json:"reason"`
		} `json:"details"`
	}
	if json.Unmarshal([]byte(a.body), &s) != nil || len(s.Details) == 0 {
		return ""
	}
	return s.Details[0].Reason
}

func reason(err error) string {
	for _, d := range status.Convert(err).Details() {
		if i, ok := d.(*errdetails.ErrorInfo); ok {
			return i.GetReason()
		}
	}
	return ""
}

func wantCode(t testing.TB, what string, err error, want ...codes.Code) {
	t.Helper()
	if got := status.Code(err); !slices.Contains(want, got) {
		t.Errorf("%s: got %s (%v), want %s", what, got, err, want)
	}
}

// patience is how long a test waits for what must come, on a machine that does much else.
const patience = 2 * time.Minute

// until polls.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// slow is of tests that take more than a second.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes more than a second")
	}
}
