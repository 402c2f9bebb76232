package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/gateway"
	"github.com/assay-net/assay/datahub/api/issuer"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/datahub/desk"
	"github.com/assay-net/assay/datahub/party/partytest"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
)

// queryWorld is a consortium whose nodes take part in queries, some of them with an interface.
type queryWorld struct {
	*partytest.World
	t     *testing.T
	nodes map[string]*servedNode
}

// servedNode is where the interface of a node is, and what a person needs to call it.
type servedNode struct {
	address, ca string
	issuer      *issuer.Issuer
	org         string
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// serves gives nodes that run an interface.
func (w *queryWorld) serves(orgs ...string) {
	w.t.Helper()
	for _, org := range orgs {
		w.nodes[org] = w.serve(org)
	}
}

func (w *queryWorld) serve(org string) *servedNode {
	w.t.Helper()
	const issuerURL = "https://issuer.example/node"
	genesis, err := w.Book(org).Genesis(w.t.Context())
	noError(w.t, err)
	own, _ := genesis.Organisation(org)
	tokens, err := issuer.Open(w.t.Context(), w.t.TempDir(), issuer.Options{URL: issuerURL})
	noError(w.t, err)
	ca, err := authority.Open(w.t.TempDir(), org, nil)
	noError(w.t, err)
	certificate, err := ca.Server("127.0.0.1")
	noError(w.t, err)
	s := server.New(server.Options{
		Book: w.Book(org), Organisation: org, Genesis: &genesis, Caller: server.Guarded, Queries: w.Node(org), Clock: w.Now,
	})
	guard, err := access.New(access.Options{Organisation: *own, Issuers: []access.Issuer{{URL: issuerURL, Keys: tokens.Keys}}, Party: s.Party})
	noError(w.t, err)
	g, err := gateway.New(gateway.Options{Listen: "127.0.0.1:0", GRPC: "127.0.0.1:0", Certificate: certificate, Guard: guard, Register: s.Register, Bounds: gateway.Bounds{Stop: 100 * time.Millisecond}})
	noError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- g.Serve(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	n := &servedNode{address: g.GRPC().String(), ca: filepath.Join(w.t.TempDir(), "ca.pem"), issuer: tokens, org: org}
	noError(w.t, os.WriteFile(n.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate()}), 0o600))
	return n
}

// call makes a call at an organisation's node, and returns what it prints.
func (w *queryWorld) call(org string, role access.Role, code int, args ...string) string {
	w.t.Helper()
	n := w.nodes[org]
	token, err := n.issuer.Mint(issuer.Claims{Subject: "ada", Audience: access.Audience(org), Roles: []access.Role{role}, Lifetime: 10 * time.Minute})
	noError(w.t, err)
	file := filepath.Join(w.t.TempDir(), "token")
	noError(w.t, os.WriteFile(file, []byte(token), 0o600))
	var out, notes bytes.Buffer
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer cancel()
	err = run(ctx, append(args, "--api", n.address, "--ca", n.ca, "--token-file", file), &cli.Printer{In: strings.NewReader(""), Out: &out, Notes: &notes})
	if got := cli.ExitCode(err); got != code {
		w.t.Errorf("assay %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out.String(), notes.String())
	}
	if testing.Verbose() {
		w.t.Logf("$ assay %s\n%s%s", strings.Join(args, " "), out.String(), notes.String())
	}
	return out.String() + notes.String()
}

// says checks what was printed, by regular expressions.
func says(t *testing.T, what, printed string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !regexp.MustCompile(`(?m)` + want).MatchString(printed) {
			t.Errorf("%s does not say %q:\n%s", what, want, printed)
		}
	}
}

// federatedArgs ask for a count and a mean over all three fleets.
func federatedArgs(more ...string) []string {
	args := []string{"query", "federated", "--epoch", "11", "--purpose", contracttest.Purpose, "--minimum-cohort", "10", "--regulator", partytest.Regulator, "--count", "--mean", "state_of_health"}
	for _, owner := range partytest.Owners() {
		args = append(args, "--fleet", partytest.FleetOf(owner)+":"+contracttest.GrantID)
	}
	return append(args, more...)
}

func startedQueryWorld(t *testing.T) *queryWorld {
	t.Helper()
	if testing.Short() {
		t.Skip("nodes compute together")
	}
	return &queryWorld{World: partytest.New(t), t: t, nodes: map[string]*servedNode{}}
}

// A lender asks, sees every step and the result; everybody else sees the steps and no result.
func TestFederatedQueryByCommands(t *testing.T) {
	w := startedQueryWorld(t)
	w.Start()
	w.serves(partytest.Lender, partytest.North, partytest.Regulator)
	watched := w.call(partytest.Lender, access.Operator, cli.ExitYes, federatedArgs("--histogram", "state_of_health:80,90", "--watch")...)
	says(t, "the watch", watched, `lender asks east, north, south \(federated query `, `  east approves its part, fleet fleet-east`, `  session 1 begins \(`, `    south commits to its key$`, `    regulator has what it needs`,
		`    north gives its encrypted input`, `    lender closes the inputs`, `    lender names the sum, to be opened by \w+, \w+ and regulator$`, `    regulator gives its share`, `    lender has the result$`, `132`)

	var q struct {
		Kind, ID, Status string
		QueryKind        string `json:"query_kind"`
		Activated        string
	}
	noError(t, json.Unmarshal([]byte(w.call(partytest.Regulator, access.Viewer, cli.ExitYes, "query", "list", "--status", "answered", "--json")), &q))
	if q.Kind != "query" || q.QueryKind != "QUERY_KIND_FEDERATED" || q.Status != "QUERY_STATUS_ANSWERED" {
		t.Fatalf("listed is %+v", q)
	}
	says(t, "show", w.call(partytest.North, access.Viewer, cli.ExitYes, "query", "show", q.ID), `^Status      answered$`, `^Totals      count, sum of state_of_health, histogram of state_of_health at 80`,
		`^Part        fleet fleet-north of north, grant whatever-it-is: approved .* by anything, automatically$`, `^Session 1   `+q.Activated+` answered, begun`, `with the result of lender`, `^Noise       none`)
	says(t, "watch at another's", w.call(partytest.North, access.Viewer, cli.ExitYes, "query", "watch", q.ID), `lender has the result$`, `The result is with those who asked`)
	says(t, "result", w.call(partytest.Lender, access.Auditor, cli.ExitYes, "query", "result", q.ID), `132`)
	var answer struct {
		Kind   string
		Answer struct {
			Figures []struct{ Kind, Value string }
		}
	}
	noError(t, json.Unmarshal([]byte(w.call(partytest.Lender, access.Operator, cli.ExitYes, "query", "result", q.ID, "--json")), &answer))
	if answer.Kind != "query_result" || len(answer.Answer.Figures) < 3 || answer.Answer.Figures[0].Value != "132" {
		t.Errorf("the result is %+v", answer)
	}
	says(t, "a viewer's", w.call(partytest.Lender, access.Viewer, cli.ExitNo, "query", "result", q.ID), `forbidden`)
	says(t, "another's", w.call(partytest.Regulator, access.Administrator, cli.ExitNo, "query", "result", q.ID), `forbidden`)

	says(t, "session list", w.call(partytest.Regulator, access.Viewer, cli.ExitYes, "mpc", "session", "list"), q.Activated+` +answered +`+q.ID[:16]+`… +lender +east north south +regulator .* result of lender`)
	says(t, "session show", w.call(partytest.North, access.Viewer, cli.ExitYes, "mpc", "session", "show", q.Activated), `^Owners      1  east, fleet fleet-east$`, `^Receiver    lender$`, `^This node   takes part as owner: `,
		` key +north +[0-9a-f]{64}`, ` input +south +[0-9a-f]{64} +from 1 anchor of epoch 11`, ` activate +lender +[0-9a-f]{64} +opened by \w+, \w+$`)
	if out := w.call(partytest.Lender, access.Operator, cli.ExitYes, "query", "watch", q.ID, "--json"); !strings.HasPrefix(out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:], `{"kind":"query"`) {
		t.Errorf("the query is not last: %s", out)
	}
}

// A score is asked with a model that no one is told.
func TestScoreByCommands(t *testing.T) {
	w := startedQueryWorld(t)
	w.Start()
	w.serves(partytest.Lender, partytest.East)
	model := filepath.Join(t.TempDir(), "model.json")
	noError(t, os.WriteFile(model, []byte(partytest.Model), 0o600))
	args := []string{"query", "score", "--model", model, "--fleet", partytest.FleetOf(partytest.East) + ":" + contracttest.GrantID, "--epoch", "11", "--purpose", contracttest.Purpose, "--minimum-cohort", "20"}
	watched := w.call(partytest.Lender, access.Operator, cli.ExitYes, append(args, "--watch", "--idempotency-key", "once")...)
	says(t, "the watch", watched, `lender asks east \(score query `, `    lender gives its encrypted model$`, `    east gives its encrypted answer$`, `    lender has the result$`)
	again := w.call(partytest.Lender, access.Operator, cli.ExitYes, append(args, "--idempotency-key", "once", "--json")...)
	var q struct{ ID, Activated string }
	noError(t, json.Unmarshal([]byte(again), &q))
	shown := w.call(partytest.East, access.Viewer, cli.ExitYes, "query", "show", q.ID)
	says(t, "show", shown, `^Score       the mean and deviation of a secret model of degree 3 over at least 20 batteries, of$`, `state_of_health between 50.00 and 100.00`)
	says(t, "session show", w.call(partytest.East, access.Viewer, cli.ExitYes, "mpc", "session", "show", q.Activated), ` request +lender +[0-9a-f]{64}`, ` answer +east +[0-9a-f]{64}`)
	for _, secret := range []string{"0.0015", "3.25", "0.00005"} {
		if strings.Contains(shown+again, secret) {
			t.Errorf("the owner is told %s", secret)
		}
	}
}

// What policies leave to a person waits for one, whose no ends the query with its reasons.
func TestPersonAnswersQueriesByCommands(t *testing.T) {
	w := startedQueryWorld(t)
	o := w.Options(partytest.North)
	o.Approve = desk.ByPerson
	w.StartWith(partytest.North, o)
	w.Start(partytest.East, partytest.South, partytest.Lender, partytest.Regulator)
	w.serves(partytest.Lender, partytest.North)
	ask := func() string {
		var q struct{ ID string }
		noError(t, json.Unmarshal([]byte(w.call(partytest.Lender, access.Operator, cli.ExitYes, federatedArgs("--json")...)), &q))
		return q.ID
	}
	id := ask()
	says(t, "show", w.call(partytest.North, access.Viewer, cli.ExitYes, "query", "show", id), `^Status      open and waits for`, `^Outcome     allowed`, `of north, .*: has not answered$`)
	w.call(partytest.North, access.Viewer, cli.ExitNo, "query", "approve", id)
	says(t, "approve", w.call(partytest.North, access.Operator, cli.ExitYes, "query", "approve", id, "--reason", "agreed"), `^Query `+id+` is `)
	says(t, "watch", w.call(partytest.Lender, access.Operator, cli.ExitYes, "query", "watch", id), `north approves its part, fleet fleet-north: agreed$`, `lender has the result$`)

	id = ask()
	says(t, "refuse", w.call(partytest.North, access.Operator, cli.ExitYes, "query", "refuse", id, "--reason", "asked twice"), `^Query `+id+` is refused\.$`)
	says(t, "watch", w.call(partytest.Lender, access.Operator, cli.ExitNo, "query", "watch", id), `north refuses its part, fleet fleet-north: asked twice$`, `is refused: north: asked twice`)
	says(t, "result", w.call(partytest.Lender, access.Operator, cli.ExitNo, "query", "result", id), `is refused: there is no result`)
}
