package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/query"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// queryFlags are what both kinds of queries have, as flags in the place of a file.
type queryFlags struct {
	fleets, cohort          []string
	purpose, epsilon, delta string
	epoch, minimumCohort    uint64
	expires                 time.Duration
	set                     *pflag.FlagSet
}

func (q *queryFlags) flags(f *pflag.FlagSet) {
	q.set = f
	f.StringArrayVar(&q.fleets, "fleet", nil, "a fleet to ask about, and its owner's grant: FLEET:GRANT (repeatable)")
	f.StringArrayVar(&q.cohort, "cohort", nil, "which batteries count, such as 'state_of_health>=70' (repeatable; default all)")
	f.Uint64Var(&q.epoch, "epoch", 0, "the epoch to ask about, which must be closed")
	f.StringVar(&q.purpose, "purpose", "", "what the answer is for")
	f.Uint64Var(&q.minimumCohort, "minimum-cohort", 0, "the fewest batteries of the cohort with which an owner takes part")
	f.StringVar(&q.epsilon, "epsilon", "", "add noise of this privacy loss, such as 0.5 (default: exact)")
	f.StringVar(&q.delta, "delta", "", "add normal noise for this delta, such as 0.000001 (default: Laplace's)")
	f.DurationVar(&q.expires, "expires", 0, "how long an answer is waited for, such as 48h")
}

// apply puts what was given in the place of what a draft says.
func (q *queryFlags) apply(d *ledger.Query, now time.Time) error {
	if len(q.fleets) > 0 {
		parts, err := parseParts(q.fleets)
		if err != nil {
			return err
		}
		d.Parts = parts
	}
	if len(q.cohort) > 0 {
		cohort, err := parseCohort(q.cohort)
		if err != nil {
			return err
		}
		d.Cohort = cohort
	}
	for _, o := range []struct {
		flag string
		into *string
	}{{q.purpose, &d.Purpose}, {q.epsilon, &d.Epsilon}, {q.delta, &d.Delta}} {
		if o.flag != "" {
			*o.into = o.flag
		}
	}
	if q.set.Changed("epoch") {
		d.Epoch = q.epoch
	}
	if q.set.Changed("minimum-cohort") {
		d.MinimumCohort = q.minimumCohort
	}
	if q.expires < 0 {
		return cli.Usage("--expires %v: must be above 0", q.expires)
	}
	if q.expires > 0 {
		d.Expiry = now.Add(q.expires).Unix()
	}
	return nil
}

func parseParts(given []string) ([]ledger.QueryPart, error) {
	var out []ledger.QueryPart
	for _, text := range given {
		fleet, grant, ok := strings.Cut(text, ":")
		if !ok || fleet == "" || grant == "" {
			return nil, cli.Usage("--fleet %q: must be FLEET:GRANT", text)
		}
		if slices.ContainsFunc(out, func(p ledger.QueryPart) bool { return p.Fleet == fleet }) {
			return nil, cli.Usage("--fleet %q: the fleet is there twice", text)
		}
		out = append(out, ledger.QueryPart{Fleet: fleet, Grant: grant})
	}
	slices.SortFunc(out, func(a, b ledger.QueryPart) int { return cmp.Compare(a.Fleet, b.Fleet) })
	return out, nil
}

// parseCohort reads bounds of lanes, of which two for one lane make one range.
func parseCohort(given []string) ([]statement.Range, error) {
	var out []statement.Range
	for _, text := range given {
		sign := ">="
		lane, bound, ok := strings.Cut(text, sign)
		if !ok {
			sign = "<="
			lane, bound, ok = strings.Cut(text, sign)
		}
		lane, bound = strings.TrimSpace(lane), strings.TrimSpace(bound)
		if !ok || lane == "" || bound == "" {
			return nil, cli.Usage("--cohort %q: must be LANE>=NUMBER or LANE<=NUMBER", text)
		}
		i := slices.IndexFunc(out, func(r statement.Range) bool { return r.Lane == lane })
		if i < 0 {
			i, out = len(out), append(out, statement.Range{Lane: lane})
		}
		into := &out[i].Min
		if sign == "<=" {
			into = &out[i].Max
		}
		if *into != "" {
			return nil, cli.Usage("--cohort %q: %s has two such bounds", text, lane)
		}
		*into = bound
	}
	return out, nil
}

// totalsFlags are the figures of a federated query, as flags.
type totalsFlags struct {
	count                          bool
	sum, mean, variance, histogram string
}

func (t *totalsFlags) flags(f *pflag.FlagSet) {
	f.BoolVar(&t.count, "count", false, "ask how many batteries are in the cohort")
	f.StringVar(&t.sum, "sum", "", "ask for the sum of this lane, or of value")
	f.StringVar(&t.mean, "mean", "", "ask for the mean of this lane, or of value, which takes count and sum")
	f.StringVar(&t.variance, "variance", "", "ask for the variance of this lane, or of value, which takes count, sum and sum of squares")
	f.StringVar(&t.histogram, "histogram", "", "ask how many batteries are in the bands of a lane, or of value: LANE:EDGE,EDGE,…")
}

// apply puts the totals that the figures take in the place of what a draft says.
func (t *totalsFlags) apply(d *ledger.Query) error {
	histogram, edges, err := t.edges()
	if err != nil {
		return err
	}
	subject := ""
	for _, s := range []string{t.sum, t.mean, t.variance, histogram} {
		if s != "" && subject != "" && s != subject {
			return cli.Usage("all figures are of one lane: %s and %s take a query each", subject, s)
		}
		subject = cmp.Or(subject, s)
	}
	var totals []string
	for _, total := range []struct {
		name   string
		wanted bool
	}{
		{policy.TotalCount, t.count || t.mean != "" || t.variance != ""}, {policy.TotalSum, t.sum != "" || t.mean != "" || t.variance != ""},
		{policy.TotalSquares, t.variance != ""}, {policy.TotalHistogram, histogram != ""},
	} {
		if total.wanted {
			totals = append(totals, total.name)
		}
	}
	if len(totals) > 0 {
		d.Totals, d.Subject, d.Edges = totals, subject, edges
	}
	return nil
}

func (t *totalsFlags) edges() (lane string, edges []string, err error) {
	if t.histogram == "" {
		return "", nil, nil
	}
	lane, list, ok := strings.Cut(t.histogram, ":")
	if !ok || lane == "" || list == "" {
		return "", nil, cli.Usage("--histogram %q: must be LANE:EDGE,EDGE,…", t.histogram)
	}
	return lane, strings.Split(list, ","), nil
}

// readQuery reads a draft of a query, or begins with an empty one.
func readQuery(p *cli.Printer, args []string) (*ledger.Query, error) {
	if len(args) == 0 {
		return new(ledger.Query), nil
	}
	b, err := readInput(p, args[0], query.MaxDraft)
	if err != nil {
		return nil, err
	}
	d, err := query.ParseDraft(b)
	if err != nil {
		return nil, cli.No("%s: %w", args[0], err)
	}
	return d, nil
}
