package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/issuer"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/statement"
)

// consortium is three organisations' nodes on one ledger, each with its own interface over TLS: a world's, which is the owner's, a lender's and a regulator's, which opens the
// epochs.
type consortium struct {
	*world
	lender, regulator *office
	epoch             uint64 // one that is anchored
}

// office is the node of an organisation that owns nothing.
type office struct {
	config  *Config
	node    *Node
	metrics *prometheus.Registry
	stop    func() error
}

// batteries is how many devices the owner's fleet has.
const batteries = 12

// newConsortium has an epoch of the owner's fleet anchored. The owner's node answers.
func newConsortium(t *testing.T, change func(*Config)) *consortium {
	t.Helper()
	keys := proving(t)
	w := newWorldWith(t, 10, keys, func(c *Config) {
		c.Proving.Answer = true
		c.API.Listen, c.API.GRPC, c.API.RequestsPerSecond, c.API.Burst = "127.0.0.1:0", "127.0.0.1:0", 1000, 1000
		if change != nil {
			change(c)
		}
	})
	c := &consortium{world: w}
	c.meet()
	c.goesOn("at first", c.sending(batteries))
	c.epoch = c.closedWith(batteries).Epoch
	return c
}

// meet starts the other nodes. From now on the regulator's opens epochs.
func (c *consortium) meet() {
	c.t.Helper()
	c.lender = c.found(contracttest.Lender)
	c.regulator = c.found(contracttest.Regulator)
	c.paused.Store(true)
}

// found starts the node of an organisation that owns nothing.
func (c *consortium) found(organisation string) *office {
	c.t.Helper()
	config, err := ParseConfig(fmt.Appendf(nil, `
data: %s/%s
operations: {listen: ""}
ledger: {profile: unused.json}
api: {listen: "127.0.0.1:0", grpc: "127.0.0.1:0", requests_per_second: 1000, burst: 1000}
`, c.dir, organisation))
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.MkdirAll(config.Data, 0o700); err != nil {
		c.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	if testing.Verbose() && *benchTable == "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})).With("node", organisation)
	}
	o := &office{config: config, metrics: prometheus.NewRegistry()}
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	o.node, err = Open(ctx, config, Environment{
		Book: must(c.ledger.Book(organisation))(c.t), Organisation: organisation, Signer: must(c.ledger.Signer(organisation))(c.t), Blocks: c.ledger.Blocks(),
		Logger: log, Metrics: o.metrics,
	})
	if err != nil {
		cancel()
		c.t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- o.node.Run(ctx) }()
	o.stop = func() error { cancel(); return <-stopped }
	c.t.Cleanup(func() {
		if err := o.stop(); err != nil {
			c.t.Errorf("the node of %s ended with %v", organisation, err)
		}
	})
	return o
}

// token is made by a node's own issuer, as `assay token` does.
func (c *consortium) token(config *Config, organisation string, roles ...access.Role) string {
	c.t.Helper()
	i := must(issuer.Open(c.t.Context(), config.IssuerFolder(), issuer.Options{URL: config.API.IssuerURL()}))(c.t)
	return must(i.Mint(issuer.Claims{Subject: "somebody", Audience: access.Audience(organisation), Roles: roles, Lifetime: time.Hour}))(c.t)
}

func (c *consortium) roots(config *Config) *x509.CertPool {
	c.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(must(os.ReadFile(config.APIRoots()))(c.t)) {
		c.t.Fatal("no roots")
	}
	return pool
}

// as calls an organisation's own node in a role.
func (c *consortium) as(organisation string, roles ...access.Role) *client.Client {
	c.t.Helper()
	n := c.nodeOf(organisation)
	return c.dial(client.Options{
		Address: n.api.gateway.GRPC().String(), Roots: c.roots(n.config), Token: client.Token(c.token(n.config, organisation, roles...)),
	})
}

func (c *consortium) dial(o client.Options) *client.Client {
	c.t.Helper()
	out := must(client.Dial(o))(c.t)
	c.t.Cleanup(func() { out.Close() }) //nolint:errcheck // the test is over
	return out
}

func (c *consortium) nodeOf(organisation string) *Node {
	switch organisation {
	case contracttest.Lender:
		return c.lender.node
	case contracttest.Regulator:
		return c.regulator.node
	}
	return c.node
}

// peer calls another organisation's node as a node does: where the ledger says that it is, over mutual TLS.
func (c *consortium) peer(from, to string) *client.Client {
	c.t.Helper()
	others := c.nodeOf(from).neighbours
	out := must(others.dial(must(others.of(c.t.Context(), to))(c.t)))(c.t)
	c.t.Cleanup(func() { out.Close() }) //nolint:errcheck // the test is over
	return out
}

// curl calls REST as curl would: curl --cacert ca.pem -H "Authorization: Bearer …" -X METHOD -d BODY https://node/v1/….
func (c *consortium) curl(organisation, token, method, path string, body any) (int, map[string]any) {
	c.t.Helper()
	n := c.nodeOf(organisation)
	var sent io.Reader
	if body != nil {
		sent = bytes.NewReader(must(json.Marshal(body))(c.t))
	}
	request := must(http.NewRequestWithContext(c.t.Context(), method, "https://"+n.api.gateway.REST().String()+path, sent))(c.t)
	if token != "" {
		request.Header.Set("Authorization", access.Bearer(token))
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.roots(n.config), MinVersion: tls.VersionTLS13}}
	defer transport.CloseIdleConnections()
	response := must((&http.Client{Transport: transport}).Do(request))(c.t)
	defer response.Body.Close() //nolint:errcheck // it was read
	var answer map[string]any
	b := must(io.ReadAll(response.Body))(c.t)
	if err := json.Unmarshal(b, &answer); err != nil {
		c.t.Fatalf("%s %s: %d %q", method, path, response.StatusCode, b)
	}
	return response.StatusCode, answer
}

// permit publishes a policy of the owner's, and a grant to the lender under it, through the owner's node.
func (c *consortium) permit(policy, grant string, answers uint32) {
	c.t.Helper()
	ctx, owner := c.t.Context(), c.as(contracttest.Operator, access.Administrator)
	if _, err := owner.Policies.PublishPolicy(ctx, &assayv1.PublishPolicyRequest{Text: policy}); err != nil {
		c.t.Fatal(err)
	}
	terms := contracttest.Terms(fleetID)
	now := time.Now()
	must(owner.Grants.CreateGrant(ctx, &assayv1.CreateGrantRequest{Terms: &assayv1.GrantTerms{
		Id: grant, Grantee: contracttest.Lender, Fleets: terms.Fleets, Purposes: terms.Purposes, Actions: []string{"prove"}, Claims: terms.Claims, Disclose: terms.Disclose,
		Lanes: terms.Lanes, MinimumCohort: 10, MinimumCoverage: "50.00", Answers: answers, Budget: "100", CostClaim: "1", CostDisclosure: "1",
		NotBefore: timestamppb.New(now.Add(-time.Minute)), NotAfter: timestamppb.New(now.Add(48 * time.Hour)),
	}}))(c.t)
}

// question is a statement about the anchored epoch under a grant, without what the node fills in.
func (c *consortium) question(grant string) *statement.Statement {
	s := contracttest.Statement(fleetID, c.epoch, 0, time.Time{})
	s.Grant, s.Requester, s.Nonce = grant, "", ""
	return s
}

// ask asks through the lender's node.
func (c *consortium) ask(s *statement.Statement) *assayv1.Request {
	c.t.Helper()
	lender := c.as(contracttest.Lender, access.Operator)
	return must(lender.Requests.CreateRequest(c.t.Context(), &assayv1.CreateRequestRequest{Statement: draft(c.t, s)}))(c.t).GetRequest()
}

// draft leaves out what is empty, as people do.
func draft(t *testing.T, s *statement.Statement) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(must(json.Marshal(s))(t), &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"requester", "nonce", "expiry"} {
		delete(fields, name)
	}
	return string(must(json.Marshal(fields))(t))
}

// errEnough ends a watch.
var errEnough = errors.New("enough was seen")

// becomes watches a request at the lender's node until it has a status, and returns it.
func (c *consortium) becomes(id string, status assayv1.RequestStatus) *assayv1.Request {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer cancel()
	var last *assayv1.Request
	err := c.as(contracttest.Lender, access.Viewer).Watch(ctx, id, func(r *assayv1.Request, _ *assayv1.Progress) error {
		if r != nil {
			last = r
		}
		if last.GetStatus() == status {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		c.t.Fatalf("request %s is %s (%v), %v", id, last.GetStatus(), last.GetDecision().GetReasons(), err)
	}
	return last
}

// nodes are those on the ledger.
func (c *consortium) nodes() map[string]ledger.NodeRecord {
	out := map[string]ledger.NodeRecord{}
	for _, n := range must(c.lender.node.env.Book.Nodes(c.t.Context()))(c.t) {
		out[n.Organisation] = n
	}
	return out
}

// gathered is a metric without labels, labelled the one with a label of this value.
func gathered(t *testing.T, r *prometheus.Registry, name string) float64 {
	t.Helper()
	return labelled(t, r, name, "")
}

func labelled(t *testing.T, r *prometheus.Registry, name, value string) (sum float64) {
	t.Helper()
	for _, family := range must(r.Gather())(t) {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && (value == "" || len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == value) {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}
