package policy

import "time"

// Action is what a request wants of a fleet.
type Action string

// The actions of the schema.
const (
	Prove     Action = "prove"     // prove a statement
	Aggregate Action = "aggregate" // a homomorphic sum
	Score     Action = "score"     // a homomorphic score
)

// Party is an organisation as its certificate shows it.
type Party struct {
	ID         string            `json:"id"`
	Roles      []string          `json:"roles,omitempty"`      // "owner", "financier", "regulator"
	Attributes map[string]string `json:"attributes,omitempty"` // of its certificate, such as CN, OU, O
}

// Fleet is what a request is about.
type Fleet struct {
	ID     string `json:"id"`
	Owner  string `json:"owner"`
	Schema string `json:"schema"`
}

// Question is everything of a request that policies and grants look at. Whoever
// decides derives it from the statement and the ledger; nothing in it is the
// requester's word but what the statement itself says.
type Question struct {
	Action    Action `json:"action"`
	Requester Party  `json:"requester"`
	Fleet     Fleet  `json:"fleet"`
	Grant     string `json:"grant"`
	Purpose   string `json:"purpose"`
	// Epoch is asked about, CurrentEpoch runs at Time.
	Epoch        uint64    `json:"epoch"`
	CurrentEpoch uint64    `json:"current_epoch"`
	Time         time.Time `json:"time"`   // the ledger's, to the second
	Expiry       time.Time `json:"expiry"` // the statement's
	Cohort       Cohort    `json:"cohort"`
	// CohortBounds are the bounds that are narrower than the schema's, as text in
	// the lane's own decimals, such as "state_of_health >= 70.00".
	CohortBounds []string `json:"cohort_bounds,omitempty"`
	// Lanes that cohort, curves, claims or disclosures touch.
	Lanes []string `json:"lanes,omitempty"`
	// Count is what the answer shows of the cohort's size. ProvenMinimum is the
	// largest N of a claim that is exactly count ≥ N, 0 when there is none.
	Count         CountShown `json:"count"`
	ProvenMinimum uint64     `json:"proven_minimum"`
	// Claims holds one kind per claim.
	Claims []string `json:"claims,omitempty"`
	// Disclose lists the totals shown exactly besides the population, which
	// always is.
	Disclose []string `json:"disclose,omitempty"`
	// Model is [Model] of the curves in hex, "" when nothing is valued.
	Model string `json:"model"`
	// Price of one device, in 0.01 of the currency; 0 when nothing is valued.
	Price    uint64       `json:"price"`
	Currency string       `json:"currency"`
	Curves   []CurveShape `json:"curves,omitempty"`
	// MinimumCoverage is in 0.01 %: what a statement demands and, of a homomorphic
	// query, what the settled epoch has.
	MinimumCoverage uint64   `json:"minimum_coverage"`
	KeyClasses      []string `json:"key_classes,omitempty"`
	// The rest is of homomorphic queries, and 0 for proofs. Epsilon is what one
	// spends, in millionths, Delta in 10^-12; both 0: it shows exact totals.
	Epsilon uint64 `json:"epsilon"`
	Delta   uint64 `json:"delta"`
	// MinimumCohort is the fewest batteries of the cohort with which a fleet takes
	// part. Its owner's node holds to that: no answer shows it.
	MinimumCohort uint64 `json:"minimum_cohort"`
	// Totals are the kinds of what is shown, TotalCount how many numbers these are.
	Totals     []string `json:"totals,omitempty"`
	TotalCount uint64   `json:"total_count"`
	// Owners is the fewest owners whose parts are in a sum: some who were asked may
	// not take part. It is 1 for a score. Degree is of the score's polynomial.
	Owners uint64 `json:"owners"`
	// Pool are the fleets that a sum is asked over, sorted, this one among them; none
	// for a score.
	Pool   []string `json:"pool,omitempty"`
	Degree uint64   `json:"degree"`
}

// Kinds of what a homomorphic query shows.
const (
	TotalCount     = "count"
	TotalSum       = "sum"
	TotalSquares   = "sum_squares"
	TotalHistogram = "histogram" // each of its bands is one number
	TotalScore     = "score"     // the mean of a score over the cohort
	TotalSpread    = "spread"    // the mean of its square
)

// Kinds of claims, by the totals that occur in them with a coefficient.
const (
	ClaimCount      = "count"      // count alone
	ClaimPopulation = "population" // population alone
	ClaimValue      = "value"      // value, beside count or population if at all
	ClaimLane       = "lane"       // one lane, beside count or population if at all
	ClaimMixed      = "mixed"      // anything else
)

// CountShown is what an answer shows of the size of its cohort.
type CountShown string

// An answer shows the count exactly, or proves that it is at least a number, or
// neither. Exactly is: it is disclosed, or the cohort is the whole fleet, whose
// size every verdict shows.
const (
	CountHidden CountShown = "hidden"
	CountProven CountShown = "proven"
	CountExact  CountShown = "exact"
)

// Cohort is a box: a closed interval for each lane, in stored units, by the
// lane's index in the schema. Index 0 is unused.
type Cohort struct {
	Lo []uint32 `json:"lo"`
	Hi []uint32 `json:"hi"`
	// All: no interval is narrower than the schema's.
	All bool `json:"all"`
}

// CurveShape is one curve of a valuation, in stored units.
type CurveShape struct {
	Lane  string `json:"lane"`
	Index int    `json:"index"` // of the lane in the schema and in a Cohort
	// Min and Max are the schema's bounds of the lane.
	Min   uint32 `json:"min"`
	Max   uint32 `json:"max"`
	Knots []Knot `json:"knots"`
}

// Knot is a point of a curve: at a lane value in stored units, a factor in
// millionths. The curve is straight between knots and constant outside them.
type Knot struct {
	At     uint32 `json:"at"`
	Factor uint64 `json:"factor"`
}

// Decision says whether policies allow a question.
type Decision struct {
	Allowed bool `json:"allowed"`
	// Approval is "" or [Person]: a person of the owner must approve.
	Approval string `json:"approval,omitempty"`
	// Policies are the ids of the policies that decided, sorted.
	Policies []string `json:"policies,omitempty"`
	// Reasons are for people and name the policies.
	Reasons []string `json:"reasons,omitempty"`
}

// Person is the value of the annotation @approval that asks for a person.
const Person = "person"
