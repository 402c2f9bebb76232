package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/policy"
)

// policyTestCall is one call of assay policy test.
type policyTestCall struct {
	*cli.Printer
	cases string
}

func newPolicyTestCommand(p *cli.Printer) *cobra.Command {
	c := &policyTestCall{Printer: p}
	command := &cobra.Command{
		Use:   "test FILE --cases FILE",
		Short: "Run an owner's own test cases against a policy text",
		Long: `Test decides every case of a file and compares the outcome with what its author expects: allow, approve (once a person approves) or
refuse. The exit code is 1 if one differs. Grants are not looked at here, policies are.

The file is YAML or JSON:

  version: assay-policy-cases/v1
  question:                        # what all cases start from
    requester: {id: greenbank, roles: [financier]}
    fleet: {id: swapco-fleet, owner: swapco, schema: battery/v1}
    purpose: loan-underwriting
    count: exact                   # exact, proven or hidden: what the answer shows of the cohort's size
    disclose: [count, value]
    minimum_coverage: 9000         # in 0.01 %
  cases:
    - name: the lender within its purpose
      expect: allow
      by: [lending]                # ids of the policies that decide; optional
    - name: another purpose
      question: {purpose: marketing}
      expect: refuse

Other fields of a question: action (prove, aggregate, score), grant, epoch, current_epoch, time, expiry, cohort {lo, hi, all}, lanes, proven_minimum, claims
(count, population, value, lane, mixed), model, currency, curves, key_classes, epsilon, and attributes of the requester's certificate.`,
		Example: `  assay policy test policy.cedar --cases cases.yaml`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return c.run(args[0]) },
	}
	command.Flags().StringVar(&c.cases, "cases", "", "the file of cases")
	cli.Require(command, "cases")
	return command
}

func (c *policyTestCall) run(path string) error {
	set, err := mustPolicy(c.Printer, path)
	if err != nil {
		return err
	}
	b, err := readInput(c.Printer, c.cases, policy.MaxCasesText)
	if err != nil {
		return err
	}
	cases, err := policy.ParseCases(b)
	if err != nil {
		return cli.No("%s: %w", c.cases, err)
	}
	results := set.Test(cases)
	failed := 0
	for i := range results {
		if !results[i].Passed {
			failed++
		}
		if err := c.print(&results[i]); err != nil {
			return err
		}
	}
	if failed > 0 {
		return cli.No("%d of %s failed", failed, plural(len(results), "case"))
	}
	c.Note("%s passed.%s", plural(len(results), "case"), untested(set, results))
	return nil
}

func (c *policyTestCall) print(r *policy.Result) error {
	if c.JSON {
		return c.Object(struct {
			Kind string `json:"kind"`
			*policy.Result
		}{"policy_case", r})
	}
	if !r.Passed {
		return c.Line("FAIL  %s\n      %s", cli.Printable(r.Name), cli.Printable(r.Problem))
	}
	by := ""
	if len(r.Decision.Policies) > 0 {
		by = " by " + strings.Join(r.Decision.Policies, ", ")
	}
	return c.Line("ok    %s: %s%s", cli.Printable(r.Name), r.Decision.Outcome(), by)
}

// untested names the policies that decided no case.
func untested(set *policy.Set, results []policy.Result) string {
	left := slices.DeleteFunc(set.IDs(), func(id string) bool {
		return slices.ContainsFunc(results, func(r policy.Result) bool { return slices.Contains(r.Decision.Policies, id) })
	})
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf(" No case is decided by %s.", strings.Join(left, ", "))
}
