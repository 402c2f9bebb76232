package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/networktest"
)

// playedNodes is the demonstration with nodes, while it stays.
type playedNodes struct {
	t      *testing.T
	dir    string
	result nodesResult
	stop   func() error
}

// playNodes plays the demonstration, and returns when it has been played and the nodes run on.
func playNodes(t *testing.T) *playedNodes {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a Fabric network and three nodes")
	}
	assayFabric := networktest.Binary(t, "assay-fabric")
	n := &playedNodes{t: t, dir: filepath.Join(t.TempDir(), "nodes")}
	t.Cleanup(func() { // whatever becomes of the demonstration
		if _, err := os.Stat(filepath.Join(n.dir, "network")); err != nil {
			return
		}
		if out, err := exec.Command(assayFabric, "destroy", "--yes", "--dir", filepath.Join(n.dir, "network")).CombinedOutput(); err != nil {
			t.Errorf("destroying the network: %v: %s", err, out)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	out, notes := new(growing), new(growing)
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"demo", "--nodes", "--stay", "--json", "--devices", "60", "--chunk", "64", "--out", n.dir, "--assay-fabric", assayFabric},
			&cli.Printer{In: strings.NewReader(""), Out: out, Notes: notes})
	}()
	n.stop = func() error { cancel(); return <-done }
	n.await(out, notes, done)
	for _, want := range []string{"the grant does not cover purpose", "was revoked at", "There is no alert", "SOUND "} {
		if !strings.Contains(notes.String(), want) {
			t.Errorf("the demonstration does not say %q:\n%s", want, notes)
		}
	}
	return n
}

// await reads the result once it is there.
func (n *playedNodes) await(out, notes *growing, done <-chan error) {
	t := n.t
	t.Helper()
	for end := time.Now().Add(10 * time.Minute); len(out.Bytes()) == 0; time.Sleep(100 * time.Millisecond) {
		select {
		case err := <-done:
			t.Fatalf("the demonstration ended: %v\n%s", err, notes)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("the demonstration does not end: %v\n%s", n.stop(), notes)
		}
	}
	if err := json.Unmarshal(out.Bytes(), &n.result); err != nil {
		t.Fatalf("%v: %s: %v", err, out, n.stop())
	}
}

// call gives a command at a node with a token for a role, and returns what it prints.
func (n *playedNodes) call(node, role string, code int, args ...string) string {
	n.t.Helper()
	tokenCode, token, notes := call("token", "--config", filepath.Join(n.dir, node+".yaml"), "--subject", "test", "--role", role)
	if tokenCode != 0 {
		n.t.Fatalf("assay token: %s", notes)
	}
	file := filepath.Join(n.t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
		n.t.Fatal(err)
	}
	got, out, notes := call(append(args, "--api", n.result.GRPC[node], "--ca", filepath.Join(n.dir, node, "api", "ca.pem"), "--token-file", file)...)
	if got != code {
		n.t.Errorf("assay %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, notes)
	}
	if strings.Contains(out+notes, strings.TrimSpace(token)) {
		n.t.Errorf("assay %s prints the token", strings.Join(args, " "))
	}
	return out + notes
}

func (n *playedNodes) at(name string) string { return filepath.Join(n.dir, name) }

// Three nodes on a Fabric network: what the demonstration plays, the same by curl, every command that asks a node, and that nothing runs when it is over.
func TestDemoNodes(t *testing.T) {
	t.Parallel()
	n := playNodes(t)
	defer func() {
		if err := n.stop(); err != nil {
			t.Errorf("the demonstration ends with %v", err)
		}
		status, err := exec.Command(networktest.Binary(t, "assay-fabric"), "status", "--json", "--dir", n.at("network")).Output()
		if strings.Contains(string(status), `"condition":"running"`) {
			t.Errorf("the network runs on: %s (%v)", status, err)
		}
	}()
	if !n.result.Reverified || n.result.Verified == "" || n.result.Refused == "" || n.result.Stopped == "" {
		t.Errorf("%+v", n.result)
	}
	t.Run("reading", n.reads)
	t.Run("a person decides", n.person)
	t.Run("evidence that was altered", n.alteredEvidence)
	t.Run("curl", n.curl)
}

// reads calls what changes nothing.
func (n *playedNodes) reads(t *testing.T) {
	bundle := filepath.Join(t.TempDir(), "bundle.cbor")
	zero := strings.Repeat("0", 64)
	for _, test := range []struct {
		node, role string
		code       int
		args       []string
		says       string
	}{
		{"lender", "viewer", 0, []string{"fleet", "list"}, `swapco-fleet +swapco +battery/v1 +64 `},
		{"lender", "viewer", 0, []string{"fleet", "list", "--owner", "greenbank"}, `There is no fleet`},
		{"lender", "viewer", 0, []string{"fleet", "show", "swapco-fleet", "--json"}, `"kind":"fleet","id":"swapco-fleet"`},
		{"lender", "viewer", 1, []string{"fleet", "show", "nothing"}, `not_found`},
		{"lender", "viewer", 0, []string{"fleet", "coverage", "swapco-fleet"}, `Coverage +[0-9.]+ %: [0-9]+ of 60 enrolled`},
		{"owner", "viewer", 0, []string{"policy", "show"}, `@id\("lending"\)`},
		{"lender", "viewer", 0, []string{"policy", "show", "swapco", n.result.Policy, "--json"}, `"in_force":true`},
		{"lender", "viewer", 1, []string{"policy", "show"}, `greenbank has published no policy`},
		{"lender", "viewer", 0, []string{"grant", "list", "--grantee", "greenbank"}, `swapco +spring-loans +greenbank +revoked +1/2`},
		{"lender", "viewer", 0, []string{"grant", "show", "swapco", "spring-loans"}, `9 spent of fleet swapco-fleet`},
		{"lender", "viewer", 0, []string{"request", "list", "--status", "verified"}, n.result.Verified + ` +verified`},
		{"lender", "viewer", 0, []string{"request", "show", n.result.Verified}, `Claim 1 +count ≥ 42`},
		{"lender", "viewer", 0, []string{"request", "watch", n.result.Verified}, `every claim holds`},
		{"lender", "viewer", 1, []string{"request", "watch", n.result.Refused}, `is refused: `},
		{"lender", "viewer", 1, []string{"request", "show", zero}, `not_found`},
		{"owner", "viewer", 1, []string{"policy", "explain", n.result.Stopped}, `would be refused`},
		{"lender", "viewer", 0, []string{"proof", "show", n.result.Verified}, `Disclosed +count = 60 devices`},
		{"lender", "viewer", 1, []string{"proof", "show", n.result.Refused}, `not_found`},
		{"lender", "viewer", 0, []string{"proof", "download", n.result.Verified, "--out", bundle}, `bytes, the bundle of`},
		{"regulator", "viewer", 0, []string{"proof", "verify", bundle}, `this very bundle`},
		{"regulator", "viewer", 1, []string{"proof", "verify", n.at("statement.json")}, `is not valid`},
		{"regulator", "auditor", 0, []string{"audit", "--requester", "greenbank"}, `released: .*count = 60 devices`},
		{"regulator", "auditor", 0, []string{"audit", "list", "--limit", "1", "--json"}, `^\{"kind":"audit_entry","request":\{`},
		{"regulator", "auditor", 0, []string{"audit", "alerts"}, `There is no alert`},
		{"regulator", "viewer", 1, []string{"audit"}, `forbidden`},
		{"lender", "operator", 1, []string{"request", "approve", n.result.Refused}, `forbidden`},
		{"lender", "administrator", 1, []string{"grant", "revoke", "spring-loans", "--reason", "x"}, `forbidden`},
		{"lender", "administrator", 1, []string{"policy", "publish", n.at("policy.cedar")}, `forbidden`},
		{"owner", "operator", 1, []string{"policy", "publish", n.at("policy.cedar")}, `forbidden`},
		{"owner", "administrator", 2, []string{"grant", "create", "--id", "Not a name", "--covering", n.at("statement.json"), "--grantee", "greenbank",
			"--max-price", "1250", "--minimum-cohort", "9", "--answers", "1", "--for", "1h"}, `terms.id`},
	} {
		out := n.call(test.node, test.role, test.code, test.args...)
		if !regexp.MustCompile(test.says).MatchString(out) {
			t.Errorf("assay %s: want %q in\n%s", strings.Join(test.args, " "), test.says, out)
		}
	}
}

var idInJSON = regexp.MustCompile(`"id":"([0-9a-f]{64})"`)

// person is the regulator's question, which the policy leaves to a person: approved, refused and withdrawn.
func (n *playedNodes) person(t *testing.T) {
	n.call("owner", "administrator", 0, "grant", "create", "--id", "supervision", "--grantee", "regulator", "--covering", n.at("statement.json"), "--purpose", "supervision",
		"--max-price", "1250", "--minimum-cohort", "20", "--minimum-coverage", "90", "--answers", "3", "--budget", "100", "--cost-claim", "1", "--for", "1h")
	ask := func() string {
		out := n.call("regulator", "operator", 0, "request", "create", n.at("statement.json"), "--grant", "supervision", "--purpose", "supervision", "--json")
		id := idInJSON.FindStringSubmatch(out)
		if id == nil {
			t.Fatalf("no id in %s", out)
		}
		return id[1]
	}
	approved, refused, withdrawn := ask(), ask(), ask()
	if out := n.call("owner", "viewer", 0, "request", "show", approved); !strings.Contains(out, "allowed once a person approves") {
		t.Errorf("the owner is not told that it waits:\n%s", out)
	}
	n.call("owner", "viewer", 0, "policy", "explain", approved)
	n.call("regulator", "operator", 0, "request", "withdraw", withdrawn)
	n.call("owner", "operator", 0, "request", "refuse", refused, "--reason", "asked twice")
	n.call("owner", "operator", 0, "request", "approve", approved, "--reason", "agreed")
	n.call("owner", "operator", 0, "request", "approve", approved, "--reason", "agreed") // again
	for id, want := range map[string]struct {
		code int
		says string
	}{approved: {0, "every claim holds"}, refused: {1, "asked twice"}, withdrawn: {1, "is withdrawn"}} {
		if out := n.call("regulator", "viewer", want.code, "request", "watch", id); !strings.Contains(out, want.says) {
			t.Errorf("want %q in\n%s", want.says, out)
		}
	}
}

// alteredEvidence is a file in which a word was changed.
func (n *playedNodes) alteredEvidence(t *testing.T) {
	channel := n.at("network/channel.block")
	if code, out, notes := call("verify", "--evidence", n.result.Evidence, "--ledger", n.result.Ledger, "--channel-genesis", channel, "--genesis", n.at("network/genesis.json"), "--json"); code != 0 || !strings.HasPrefix(out, `{"kind":"evidence","ledger":"`+n.result.Ledger) {
		t.Errorf("%d %s%s", code, out, notes)
	}
	if code, _, notes := call("verify", "--evidence", n.result.Evidence, "--ledger", strings.Repeat("0", 64)); code != 1 || !strings.Contains(notes, "is of ledger") {
		t.Errorf("another ledger: %d %s", code, notes)
	}
	if code, _, notes := call("verify", "--evidence", n.result.Evidence, "--channel-genesis", strings.Repeat("0", 63)+"1"); code != 1 {
		t.Errorf("another channel: %d %s", code, notes)
	}
	b, err := os.ReadFile(n.result.Evidence)
	if err != nil {
		t.Fatal(err)
	}
	altered := filepath.Join(t.TempDir(), "evidence.json")
	if err := os.WriteFile(altered, []byte(strings.Replace(string(b), `"requester": "greenbank"`, `"requester": "regulator"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, notes := call("verify", "--evidence", altered); code != 1 || !strings.Contains(notes, "signature") {
		t.Errorf("altered: %d %s", code, notes)
	}
}

// curl runs the script that the demonstration leaves.
func (n *playedNodes) curl(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("there is no curl here")
	}
	c := exec.Command("sh", n.result.Curl)
	c.Env = append(os.Environ(), "ASSAY="+networktest.Binary(t, "assay"))
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"status":"REQUEST_STATUS_VERIFIED"`, `the grant does not cover purpose`, `was revoked at`, `"GRANT_STATUS_REVOKED"`, `"alerts":[]`} {
		if !strings.Contains(string(out), want) {
			t.Errorf("want %s in\n%s", want, out)
		}
	}
}
