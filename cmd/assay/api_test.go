package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
)

// Every command that has to do with grants says what it is for, and shows a call.
func TestEveryCommandOfGrantsHasAnExample(t *testing.T) {
	for _, group := range newRootCommand(&cli.Printer{}).Commands() {
		if !slices.Contains([]string{"policy", "grant", "request", "proof", "audit"}, group.Name()) {
			continue
		}
		if group.Long == "" || len(group.Commands()) < 3 {
			t.Errorf("%s lacks a help text or commands", group.CommandPath())
		}
		for _, c := range group.Commands() {
			if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, c.CommandPath()) {
				t.Errorf("%s lacks a help text or an example", c.CommandPath())
			}
		}
	}
}

func TestWhatNodesSayHasAnExitCode(t *testing.T) {
	forbidden, err := status.New(codes.PermissionDenied, "not yours").WithDetails(&errdetails.ErrorInfo{Reason: "forbidden", Domain: "assay"})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		err  error
		code int
		says string
	}{
		"nothing":       {nil, cli.ExitYes, ""},
		"own":           {errors.New("the file is not what its digest says"), cli.ExitNo, "the file is not"},
		"malformed":     {status.Error(codes.InvalidArgument, "grant: must be a name"), cli.ExitUsage, "grant: must be a name"},
		"no token":      {status.Error(codes.Unauthenticated, "token: has ended"), cli.ExitUsage, "token: has ended"},
		"forbidden":     {forbidden.Err(), cli.ExitNo, "forbidden: not yours"},
		"away":          {status.Error(codes.Unavailable, "try again"), cli.ExitNo, "unavailable: try again"},
		"steers a tty":  {status.Error(codes.Internal, "a\x1b[31mb"), cli.ExitNo, "a\uFFFD[31mb"},
		"said as a no":  {cli.No("the request would be refused"), cli.ExitNo, "the request would be refused"},
		"usage remains": {cli.Usage("--x"), cli.ExitUsage, "--x"},
	} {
		got := told(test.err)
		if cli.ExitCode(got) != test.code || got != nil && !strings.Contains(got.Error(), test.says) {
			t.Errorf("%s: %d %v", name, cli.ExitCode(got), got)
		}
	}
}

// A message is a line of JSON with the names that REST has, whatever version of the library encodes it.
func TestMessagesAreObjects(t *testing.T) {
	for name, test := range map[string]struct {
		m    *assayv1.ClaimVerdict
		want string
	}{
		"full":  {&assayv1.ClaimVerdict{Claim: `a "b"`, Holds: true}, `{"kind":"claim","claim":"a \"b\"","holds":true}`},
		"empty": {&assayv1.ClaimVerdict{}, `{"kind":"claim","claim":"","holds":false}`},
	} {
		var out strings.Builder
		if err := printMessage(&cli.Printer{Out: &out, JSON: true}, "claim", test.m); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want+"\n", out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var out strings.Builder
	if err := printMessage(&cli.Printer{Out: &out, JSON: true}, "nothing", &assayv1.GetStatusRequest{}); err != nil || out.String() != `{"kind":"nothing"}`+"\n" {
		t.Error(err, out.String())
	}
}

func TestLinesOfPolicies(t *testing.T) {
	const text = `// @id("a") is not here
@description("@id(\"a\") neither,
nor // this")
@id(
  "a")
permit (principal, action, resource);
@description("b") @id("b") permit (principal, action, resource); // @id("c")
@id("c") permit (principal, action, resource);
//`
	want := map[string]int{"a": 5, "b": 7, "c": 8}
	if diff := cmp.Diff(want, linesOfPolicies(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, broken := range []string{"", `@id`, `@id("`, `"`, `"\`, "@id(\"a", "//"} {
		linesOfPolicies(broken) // ends
	}
}

// Terms of a file, of flags and of the ledger are the same.
func TestTermsAreSorted(t *testing.T) {
	m := &assayv1.GrantTerms{Id: "g", Fleets: []string{"b", "a", "b"}, Actions: []string{"score", "prove"}, Lanes: []string{"x"}, MinimumCohort: 7}
	sortTerms(m)
	got := termsOf(m)
	want := &policy.Terms{ID: "g", Fleets: []string{"a", "b"}, Actions: []policy.Action{"prove", "score"}, Lanes: []string{"x"}, MinimumCohort: 7}
	got.Purposes, got.Claims, got.Disclose, got.Models = nil, nil, nil, nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b"}, m.Fleets); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRequestID(t *testing.T) {
	if err := checkID("request", commit.Digest{1}.String()); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "12", strings.Repeat("g", 64), strings.Repeat("A", 64)} {
		if cli.ExitCode(checkID("request", id)) != cli.ExitUsage {
			t.Errorf("%q is taken", id)
		}
	}
}
