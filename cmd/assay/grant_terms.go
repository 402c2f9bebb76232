package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/statement"
)

// maxTerms bounds a file of terms.
const maxTerms = 256 << 10

// readTermsFile reads a grant's terms as the interface takes them in JSON.
func readTermsFile(p *cli.Printer, path string) (*assayv1.GrantTerms, error) {
	b, err := readInput(p, path, maxTerms)
	if err != nil {
		return nil, err
	}
	terms := &assayv1.GrantTerms{}
	if err := protojson.Unmarshal(b, terms); err != nil {
		// protojson has a no-break space in its errors, or none, so that nobody compares them.
		return nil, cli.No("%s: terms: %s", path, strings.ReplaceAll(err.Error(), "\u00a0", " "))
	}
	return terms, nil
}

// termsOf are terms as policies' limits are computed from them. Lists are in order afterwards.
func termsOf(m *assayv1.GrantTerms) *policy.Terms {
	t := &policy.Terms{
		ID: m.GetId(), Grantee: m.GetGrantee(), Fleets: m.GetFleets(), Purposes: m.GetPurposes(), Claims: m.GetClaims(), Disclose: m.GetDisclose(),
		Lanes: m.GetLanes(), Models: m.GetModels(), MaxPrice: m.GetMaxPrice(), MinimumCohort: m.GetMinimumCohort(), MinimumCoverage: m.GetMinimumCoverage(),
		FirstEpoch: m.GetFirstEpoch(), LastEpoch: m.GetLastEpoch(), Answers: m.GetAnswers(), Budget: m.GetBudget(),
		CostClaim: m.GetCostClaim(), CostDisclosure: m.GetCostDisclosure(), DeltaBudget: m.GetDeltaBudget(), NotBefore: m.GetNotBefore().GetSeconds(), NotAfter: m.GetNotAfter().GetSeconds(), Policy: m.GetPolicy(),
	}
	for _, a := range m.GetActions() {
		t.Actions = append(t.Actions, policy.Action(a))
	}
	t.Sort()
	return t
}

// termsFlags are terms as flags.
type termsFlags struct {
	id, grantee                          string
	fleets, purposes, actions            []string
	claims, disclose, lanes, models      []string
	covering                             []string
	minimumCohort, firstEpoch, lastEpoch uint64
	maxPrice, minimumCoverage            string
	answers                              uint32
	budget, costClaim, costDisclosure    string
	deltaBudget                          string
	from, until                          string
	lasting                              time.Duration
	policy                               string
}

func (t *termsFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&t.id, "id", "", "the grant's name")
	f.StringVar(&t.grantee, "grantee", "", "the organisation that may ask")
	f.StringSliceVar(&t.fleets, "fleet", nil, "a fleet that may be asked about")
	f.StringArrayVar(&t.purposes, "purpose", nil, "a purpose that may be asked for")
	f.StringSliceVar(&t.actions, "action", []string{string(policy.Prove)}, "what may be asked: prove, aggregate, score")
	f.StringSliceVar(&t.claims, "claim", nil, "kinds of claims that may be made: count, population, value, lane, mixed")
	f.StringSliceVar(&t.disclose, "disclose", nil, "totals that may be shown exactly")
	f.StringSliceVar(&t.lanes, "lane", nil, "lanes that a question may touch")
	f.StringSliceVar(&t.models, "model", nil, "digests of the valuation models that may be used")
	f.StringVar(&t.maxPrice, "max-price", "", "the highest price of one device that a valuation model may be asked with, such as 1250.00")
	f.StringArrayVar(&t.covering, "covering", nil, "a statement in a file: also what it asks for is covered, and its valuation model")
	f.Uint64Var(&t.minimumCohort, "minimum-cohort", 0, "the fewest devices that an answer may be about")
	f.StringVar(&t.minimumCoverage, "minimum-coverage", "0", "the least coverage in percent that a question must demand")
	f.Uint64Var(&t.firstEpoch, "first-epoch", 0, "the first epoch that may be asked about")
	f.Uint64Var(&t.lastEpoch, "last-epoch", 0, "the last epoch that may be asked about (0: no bound)")
	f.Uint32Var(&t.answers, "answers", 0, "how many questions are answered")
	f.StringVar(&t.budget, "budget", "0", "the privacy budget for each fleet, in units")
	f.StringVar(&t.costClaim, "cost-claim", "0", "what a claim costs, in units")
	f.StringVar(&t.costDisclosure, "cost-disclosure", "0", "what a disclosed total costs, in units")
	f.StringVar(&t.deltaBudget, "delta-budget", "", "the sum of the deltas of noised answers for each fleet, such as 0.00001 (default: none may have one)")
	f.StringVar(&t.from, "from", "", "when it begins, such as 2026-01-31T12:00:00Z (default now)")
	f.StringVar(&t.until, "until", "", "when it ends")
	f.DurationVar(&t.lasting, "for", 0, "how long it lasts, in place of --until, such as 720h")
	f.StringVar(&t.policy, "policy", "", "digest of a published policy (default: the one in force)")
}

// terms are what the flags say.
func (t *termsFlags) terms(p *cli.Printer, now time.Time) (*assayv1.GrantTerms, error) {
	m := &assayv1.GrantTerms{
		Id: t.id, Grantee: t.grantee, Fleets: t.fleets, Purposes: t.purposes, Actions: t.actions, Claims: t.claims, Disclose: t.disclose, Lanes: t.lanes, Models: t.models,
		MaxPrice:      t.maxPrice,
		MinimumCohort: t.minimumCohort, MinimumCoverage: t.minimumCoverage, FirstEpoch: t.firstEpoch, LastEpoch: t.lastEpoch, Answers: t.answers,
		Budget: t.budget, CostClaim: t.costClaim, CostDisclosure: t.costDisclosure, DeltaBudget: t.deltaBudget, Policy: t.policy,
	}
	if err := t.window(m, now); err != nil {
		return nil, err
	}
	for _, path := range t.covering {
		s, err := readDraft(p, path)
		if err != nil {
			return nil, err
		}
		if err := cover(m, s, now); err != nil {
			return nil, cli.No("--covering: %s: %w", path, err)
		}
		noteWarnings(p, s)
	}
	return m, missing(m)
}

// missing names the flags without which there are no terms.
func missing(m *assayv1.GrantTerms) error {
	var flags []string
	for _, f := range []struct {
		flag    string
		missing bool
	}{
		{"id", m.GetId() == ""}, {"grantee", m.GetGrantee() == ""}, {"fleet", len(m.GetFleets()) == 0}, {"purpose", len(m.GetPurposes()) == 0},
		{"minimum-cohort", m.GetMinimumCohort() == 0}, {"max-price", len(m.GetModels()) > 0 && m.GetMaxPrice() == ""}, {"answers", m.GetAnswers() == 0},
	} {
		if f.missing {
			flags = append(flags, "--"+f.flag)
		}
	}
	if len(flags) > 0 {
		return cli.Usage("without a file of terms there must be %s", strings.Join(flags, ", "))
	}
	return nil
}

func (t *termsFlags) window(m *assayv1.GrantTerms, now time.Time) error {
	from := now.Truncate(time.Second)
	var until time.Time
	var err error
	if t.from != "" {
		if from, err = time.Parse(time.RFC3339, t.from); err != nil {
			return cli.Usage("--from: %w", err)
		}
	}
	switch {
	case (t.until == "") == (t.lasting == 0):
		return cli.Usage("say when the grant ends: --until or --for")
	case t.until != "":
		if until, err = time.Parse(time.RFC3339, t.until); err != nil {
			return cli.Usage("--until: %w", err)
		}
	default:
		until = from.Add(t.lasting)
	}
	m.NotBefore, m.NotAfter = timestamppb.New(from.UTC()), timestamppb.New(until.UTC().Truncate(time.Second))
	return nil
}

// cover adds to terms what a statement needs. Numbers, the minima, the highest price and what an answer costs, are not derived: they are the owner's to set.
func cover(m *assayv1.GrantTerms, s *statement.Statement, now time.Time) error {
	if m.Grantee == "" {
		m.Grantee = s.Requester
	}
	if s.Grant == "" {
		s.Grant = m.GetId()
	}
	if err := complete(s, m.GetGrantee(), now); err != nil {
		return err
	}
	if s.Requester != m.GetGrantee() {
		return fmt.Errorf("the statement is %s's, the grant %s's", s.Requester, m.GetGrantee())
	}
	q, err := ledger.QuestionOf(s, ledger.Asker{Fleet: ledger.Fleet{ID: s.Fleet, Schema: s.Schema}, Epoch: s.Epoch, Time: now})
	if err != nil {
		return err
	}
	m.Fleets, m.Purposes = with(m.Fleets, s.Fleet), with(m.Purposes, s.Purpose)
	m.Claims, m.Disclose, m.Lanes = with(m.Claims, q.Claims...), with(m.Disclose, q.Disclose...), with(m.Lanes, q.Lanes...)
	if q.Model != "" {
		m.Models = with(m.Models, q.Model)
	}
	return nil
}

// with is a list with more entries, each once.
func with(list []string, more ...string) []string {
	for _, entry := range more {
		if !slices.Contains(list, entry) {
			list = append(list, entry)
		}
	}
	return list
}

// sortTerms puts the lists into the ledger's order, each entry once.
func sortTerms(m *assayv1.GrantTerms) {
	for _, list := range []*[]string{&m.Fleets, &m.Purposes, &m.Actions, &m.Claims, &m.Disclose, &m.Lanes, &m.Models} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

// printTerms prints terms as create takes them, so without a kind.
func printTerms(p *cli.Printer, m *assayv1.GrantTerms) error {
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("printing terms: %w", err)
	}
	if p.JSON {
		return p.Object(json.RawMessage(b))
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return fmt.Errorf("printing terms: %w", err)
	}
	return p.Line("%s", out.String())
}
