package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/measure"
)

const (
	benchGrants  = 1000
	benchCallers = 8
	benchCalls   = 8 * time.Second
)

// TestBenchAPI measures the interface of a node, the policy decisions behind it, and how long a lender waits for an answer. Callers are in the node's own process and take their
// share of its processors. Nothing is asserted about time.
func TestBenchAPI(t *testing.T) {
	if *benchTable == "" {
		t.Skip("run by make bench-api")
	}
	var machine bytes.Buffer
	table := measure.NewTable(io.MultiWriter(os.Stdout, &machine))
	head, _, _ := strings.Cut(machine.String(), "\n")
	t.Run("decisions", func(t *testing.T) { benchDecisions(t, table) })
	t.Run("calls", func(t *testing.T) { benchInterface(t, table) })
	for _, devices := range []int{1_000, 20_000} {
		t.Run(fmt.Sprint(devices, " batteries"), func(t *testing.T) { benchAnswer(t, table, devices) })
	}
	if t.Failed() {
		t.Fatal("half of the figures are none")
	}
	out := struct {
		Machine string           `json:"machine"`
		Figures []measure.Figure `json:"figures"`
	}{strings.TrimPrefix(head, "machine: "), table.Figures}
	if err := os.WriteFile(*benchTable, append(must(json.MarshalIndent(out, "", "  "))(t), '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

var decisionLine = regexp.MustCompile(`(?m)^BenchmarkDecision/(\w+)\S*\s+\d+\s+([\d.]+) ns/op`)

// benchDecisions takes over what package policy measures: all that is decided at an approval, among 1,000 grants.
func benchDecisions(t *testing.T, table *measure.Table) {
	out, err := exec.Command("go", "test", "-run", "^$", "-bench", "^BenchmarkDecision$", "github.com/assay-net/assay/policy").CombinedOutput()
	found := decisionLine.FindAllSubmatch(out, -1)
	if err != nil || len(found) == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	for _, m := range found {
		took := must(strconv.ParseFloat(string(m[2]), 64))(t) / 1e3
		table.Add("decision_in_process_"+string(m[1]), took, "µs", "200 µs", took/200)
	}
}

// benchInterface measures calls of a node whose ledger has 1,000 grants, and a request under each tenth of them that waits for a decision.
func benchInterface(t *testing.T, table *measure.Table) {
	w := newWorld(t, 3600, func(c *Config) {
		c.API.Listen, c.API.GRPC, c.API.RequestsPerSecond, c.API.Burst = "127.0.0.1:0", "127.0.0.1:0", 1e6, 1e6
	})
	c := &consortium{world: w}
	requests := c.waiting()
	token := c.token(c.config, contracttest.Operator, access.Viewer)
	book := ledger.Book{Client: c.book.Client}
	assess := c.load(1, func(int) func(context.Context, int) error {
		return func(ctx context.Context, i int) error {
			_, err := book.Assess(ctx, requests[i%len(requests)].ID)
			return err
		}
	})
	table.Add("decision_by_contract_p50", assess.p50*1e3, "µs", "200 µs", assess.p50*1e3/200)
	grant := func(i int) string { return fmt.Sprintf("grant-%d", i%benchGrants) }
	decide := func(i int) string { return requests[i%len(requests)].ID.String() }
	reads := c.load(benchCallers, c.overGRPC(func(ctx context.Context, node *client.Client, i int) error {
		_, err := node.Grants.GetGrant(ctx, &assayv1.GetGrantRequest{Owner: contracttest.Operator, Grant: grant(i)})
		return err
	}))
	decisions := c.load(benchCallers, c.overGRPC(func(ctx context.Context, node *client.Client, i int) error {
		_, err := node.Policies.ExplainRequest(ctx, &assayv1.ExplainRequestRequest{Subject: &assayv1.ExplainRequestRequest_Request{Request: decide(i)}})
		return err
	}))
	readsREST := c.load(benchCallers, c.overHTTP(token, func(at string, i int) (*http.Request, error) {
		return http.NewRequest(http.MethodGet, at+"/v1/grants/"+contracttest.Operator+"/"+grant(i), nil)
	}))
	decisionsREST := c.load(benchCallers, c.overHTTP(token, func(at string, i int) (*http.Request, error) {
		return http.NewRequest(http.MethodPost, at+"/v1/policies:explain", strings.NewReader(`{"request":"`+decide(i)+`"}`))
	}))
	reads.add(table, "grpc_read", "", reads)
	decisions.add(table, "grpc_decision", "", decisions)
	readsREST.add(table, "rest_read", "grpc_read", reads)
	decisionsREST.add(table, "rest_decision", "grpc_decision", decisions)
}

// waiting makes the grants, and requests that nobody decides.
func (c *consortium) waiting() []ledger.RequestEntry {
	c.t.Helper()
	ctx, owner, lender := c.t.Context(), ledger.Book{Client: c.book.Client}, must(c.ledger.Book(contracttest.Lender))(c.t)
	text := must(os.ReadFile("../../policy/testdata/policies/lender-valuation.cedar"))(c.t)
	digest, _, err := owner.PublishPolicy(ctx, text)
	if err != nil {
		c.t.Fatal(err)
	}
	epoch := must(owner.Epoch(ctx))(c.t).Epoch
	for i := range benchGrants {
		terms := contracttest.Terms(fleetID)
		terms.ID, terms.Policy = fmt.Sprintf("grant-%d", i), digest.String()
		must(owner.Grant(ctx, terms))(c.t)
		if i%10 != 0 {
			continue
		}
		s := contracttest.Statement(fleetID, epoch-1, 0, time.Now().Add(10*time.Hour).Truncate(time.Second))
		s.Grant, s.Nonce = terms.ID, fmt.Sprintf("%032x", i)
		if _, _, err := lender.Request(ctx, s); err != nil {
			c.t.Fatal(err)
		}
	}
	return must(owner.RequestsOf(ctx, ledger.RequestsQuery{Status: ledger.StatusOpen}))(c.t)
}

// overGRPC gives each caller a connection of its own.
func (c *consortium) overGRPC(call func(context.Context, *client.Client, int) error) func(int) func(context.Context, int) error {
	return func(int) func(context.Context, int) error {
		node := c.as(contracttest.Operator, access.Viewer)
		return func(ctx context.Context, i int) error { return call(ctx, node, i) }
	}
}

func (c *consortium) overHTTP(token string, make func(at string, i int) (*http.Request, error)) func(int) func(context.Context, int) error {
	return func(int) func(context.Context, int) error {
		caller := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.roots(c.config), MinVersion: tls.VersionTLS13}}}
		at := "https://" + c.node.api.gateway.REST().String()
		return func(ctx context.Context, i int) error {
			r, err := make(at, i)
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", access.Bearer(token))
			r.Header.Set("Content-Type", "application/json")
			response, err := caller.Do(r.WithContext(ctx))
			if err != nil {
				return err
			}
			defer response.Body.Close() //nolint:errcheck // it was read
			b, err := io.ReadAll(response.Body)
			if err == nil && response.StatusCode != http.StatusOK {
				err = fmt.Errorf("%s: %s", response.Status, b)
			}
			return err
		}
	}
}

// measured is a load: calls a second, and milliseconds.
type measured struct{ rate, p50, p99 float64 }

// load has callers call one after the other, each as fast as it is answered.
func (c *consortium) load(callers int, caller func(int) func(context.Context, int) error) measured {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), benchCalls)
	defer cancel()
	var mu sync.Mutex
	var all []time.Duration
	var wait sync.WaitGroup
	began := time.Now()
	for k := range callers {
		call := caller(k)
		wait.Go(func() {
			var own []time.Duration
			for i := k * 7919; ctx.Err() == nil; i++ {
				from := time.Now()
				if err := call(context.WithoutCancel(ctx), i); err != nil {
					c.t.Error(err)
					return
				}
				own = append(own, time.Since(from))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
		})
	}
	wait.Wait()
	if len(all) == 0 {
		c.t.Fatal("no call was answered")
	}
	slices.Sort(all)
	at := func(share float64) float64 { return all[int(share*float64(len(all)-1))].Seconds() * 1e3 }
	return measured{float64(len(all)) / time.Since(began).Seconds(), at(0.5), at(0.99)}
}

func (m measured) add(table *measure.Table, name, against string, other measured) {
	ratio := 0.0
	if against != "" {
		against, ratio = against+"_per_second", m.rate/other.rate
	}
	table.Add(name+"_per_second", m.rate, "1/s", against, ratio)
	table.Add(name+"_p50", m.p50, "ms", "", 0)
	table.Add(name+"_p99", m.p99, "ms", "", 0)
}
