package main

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// drafted applies flags to a draft as a command does.
func drafted(d *ledger.Query, args ...string) error {
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	q, totals := &queryFlags{}, &totalsFlags{}
	q.flags(f)
	totals.flags(f)
	if err := f.Parse(args); err != nil {
		return err
	}
	if err := q.apply(d, time.Unix(1000, 0)); err != nil {
		return err
	}
	return totals.apply(d)
}

// Flags take the place of what a draft says, and leave the rest.
func TestFlagsOfQueries(t *testing.T) {
	d := &ledger.Query{Purpose: "another", Epoch: 7, Epsilon: "1", MinimumCohort: 5, Totals: []string{"count"}, Regulator: "authority"}
	err := drafted(d, "--fleet", "b:g", "--fleet", "a:h", "--cohort", "state_of_health >= 70", "--cohort", "age_days<=100", "--cohort", "state_of_health<=90", "--purpose", "a loan", "--expires", "1h",
		"--variance", "state_of_health", "--histogram", "state_of_health:75,80.5")
	want := &ledger.Query{
		Parts: []ledger.QueryPart{{Fleet: "a", Grant: "h"}, {Fleet: "b", Grant: "g"}}, Epoch: 7, Purpose: "a loan", Epsilon: "1", MinimumCohort: 5, Expiry: 4600, Regulator: "authority",
		Cohort: []statement.Range{{Lane: "state_of_health", Min: "70", Max: "90"}, {Lane: "age_days", Max: "100"}},
		Totals: []string{policy.TotalCount, policy.TotalSum, policy.TotalSquares, policy.TotalHistogram}, Subject: "state_of_health", Edges: []string{"75", "80.5"},
	}
	if diff := cmp.Diff(want, d); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for flags, want := range map[string][]string{
		"--count": {"count"}, "--sum x": {"sum"}, "--mean x": {"count", "sum"}, "--histogram x:1": {"histogram"}, "--sum x --histogram x:1": {"sum", "histogram"}, "": nil,
	} {
		got := &ledger.Query{}
		if err := drafted(got, strings.Fields(flags)...); err != nil || !cmp.Equal(want, got.Totals) {
			t.Errorf("%s: %v, %v", flags, got.Totals, err)
		}
	}
	for name, args := range map[string][]string{
		"no grant": {"--fleet", "a"}, "no fleet": {"--fleet", ":g"}, "a fleet twice": {"--fleet", "a:g", "--fleet", "a:h"}, "no sign": {"--cohort", "x=1"}, "no bound": {"--cohort", "x>="},
		"no lane": {"--cohort", "<=1"}, "a bound twice": {"--cohort", "x>=1", "--cohort", "x>=2"}, "two lanes": {"--sum", "x", "--mean", "y"}, "no edges": {"--histogram", "x"},
		"another histogram": {"--sum", "x", "--histogram", "y:1"}, "the past": {"--expires", "-1h"},
	} {
		if err := drafted(&ledger.Query{}, args...); cli.ExitCode(err) != cli.ExitUsage {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A message that has a kind of its own says it under another name: one name twice is none.
func TestMessagesWithAKind(t *testing.T) {
	object, err := messageJSON("query", &assayv1.Query{Id: "a", Kind: assayv1.QueryKind_QUERY_KIND_SCORE})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(object, &got); err != nil || got["kind"] != "query" || got["query_kind"] != "QUERY_KIND_SCORE" || strings.Count(string(object), `"kind":`) != 1 {
		t.Errorf("%s, %v", object, err)
	}
}

// For whom a session waits follows from its entries.
func TestWhatASessionWaitsFor(t *testing.T) {
	s := &assayv1.Session{Seats: []*assayv1.Seat{{Owner: "a"}, {Owner: "b"}, {Owner: "c"}}, Regulator: "r", Receiver: "l"}
	post := func(round string, parties ...string) {
		for _, p := range parties {
			s.Entries = append(s.Entries, &assayv1.SessionEntry{Party: p, Round: round})
		}
	}
	waits := func(want string) {
		t.Helper()
		round, whom := dueIn(s)
		if got := strings.TrimSpace(round + " " + strings.Join(whom, " ")); got != want {
			t.Errorf("waits for %q, want %q", got, want)
		}
	}
	waits("key a b c r l")
	post("key", "a", "b", "l")
	waits("key c r")
	post("key", "c", "r")
	post("ready", "a", "b", "c", "r", "l")
	waits("input a b c")
	post("input", "a", "b")
	waits("input c")
	post("close", "l")
	waits("activate l")
	s.Entries = append(s.Entries, &assayv1.SessionEntry{Party: "l", Round: "activate", OpenedBy: []string{"a", "b"}})
	waits("share a b r")
	post("share", "b", "r", "a")
	waits("result l")
	post("result", "l")
	waits("")

	s = &assayv1.Session{Seats: []*assayv1.Seat{{Owner: "a"}}, Receiver: "l"}
	waits("request l")
	post("request", "l")
	waits("answer a")
	post("answer", "a")
	waits("result l")
}

// Steps are shown once each, in the order in which they were taken, and what others wrote steers no terminal.
func TestStepsAreShownOnce(t *testing.T) {
	var out strings.Builder
	w := &watchedQuery{Printer: &cli.Printer{Out: &out, Notes: io.Discard}, shown: map[string]bool{}}
	at := func(s int64) *timestamppb.Timestamp { return &timestamppb.Timestamp{Seconds: s} }
	q := &assayv1.Query{
		Id: strings.Repeat("ab", 32), Kind: assayv1.QueryKind_QUERY_KIND_FEDERATED, Requester: "l", CreatedAt: at(1),
		Parts:    []*assayv1.QueryPart{{Fleet: "f", Owner: "b", Decision: &assayv1.Decision{At: at(3)}}, {Fleet: "e", Owner: "a", Decision: &assayv1.Decision{Approved: true, At: at(2), Reasons: []string{"a\x1b[31mb"}}}},
		Sessions: []*assayv1.SessionSummary{{Id: "s", BegunAt: at(4)}},
	}
	s := &assayv1.Session{Entries: []*assayv1.SessionEntry{{Party: "a", Round: "key", At: at(5)}, {Party: "b", Round: "input", Declined: true, At: at(5)}}}
	for range 2 {
		if err := w.see(q, s); err != nil {
			t.Fatal(err)
		}
	}
	want := "1970-01-01T00:00:01Z  l asks b, a (federated query abababababababab…)\n" +
		"1970-01-01T00:00:02Z  a approves its part, fleet e: a\uFFFD[31mb\n" +
		"1970-01-01T00:00:03Z  b refuses its part, fleet f\n" +
		"1970-01-01T00:00:04Z  session 1 begins (s)\n" +
		"1970-01-01T00:00:05Z    a commits to its key\n" +
		"1970-01-01T00:00:05Z    b gives no input\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

// Every command of queries and sessions says what it is for, and shows a call.
func TestEveryCommandOfQueriesHasAnExample(t *testing.T) {
	p := &cli.Printer{}
	seen := 0
	for _, group := range newRootCommand(p).Commands() {
		if group.Name() != "query" && group.Name() != "mpc" {
			continue
		}
		commands := group.Commands()
		if group.Name() == "mpc" {
			commands = commands[0].Commands()
		}
		for _, c := range commands {
			if seen++; c.Short == "" || c.Long == "" || !strings.Contains(c.Example, c.CommandPath()) {
				t.Errorf("%s lacks a help text or an example", c.CommandPath())
			}
		}
	}
	if seen != 10 {
		t.Errorf("%d commands", seen)
	}
}
