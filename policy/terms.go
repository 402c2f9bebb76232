package policy

// Terms of a grant.
type Terms struct {
	// ID names the grant among its owner's.
	ID string `json:"id"`
	// Grantee is the organisation that may ask.
	Grantee string `json:"grantee"`
	// Fleets, Purposes and Actions that it may ask about, for and of. The lists
	// hold at least one entry; those below may be empty, which allows none.
	// All lists are sorted and hold nothing twice.
	Fleets   []string `json:"fleets"`
	Purposes []string `json:"purposes"`
	Actions  []Action `json:"actions"`
	// Claims are the kinds of claims allowed, Disclose the totals that may be
	// shown exactly, Lanes those that a question may touch, Models the digests
	// of the valuation models allowed.
	Claims   []string `json:"claims,omitempty"`
	Disclose []string `json:"disclose,omitempty"`
	Lanes    []string `json:"lanes,omitempty"`
	Models   []string `json:"models,omitempty"`
	// MaxPrice is the highest price of one device that a model may be asked with,
	// whatever its currency, with up to two decimal places: it is there exactly
	// when Models is not empty. Model leaves the price out, and a price is a
	// magnifier.
	MaxPrice string `json:"max_price,omitempty"`
	// MinimumCohort is the fewest batteries that an answer may be about, or
	// that two answers may differ by; at least 1. Of a sum over several owners'
	// fleets, it is about this owner's part.
	MinimumCohort uint64 `json:"minimum_cohort"`
	// MinimumCoverage is the least that a question must demand, in percent with
	// up to two decimal places, such as "95.00".
	MinimumCoverage string `json:"minimum_coverage"`
	// FirstEpoch and LastEpoch bound the epochs asked about. LastEpoch 0 is no
	// bound.
	FirstEpoch uint64 `json:"first_epoch"`
	LastEpoch  uint64 `json:"last_epoch"`
	// Answers is how many questions may be answered, whatever they are about.
	Answers uint32 `json:"answers"`
	// Budget is for each fleet; CostClaim and CostDisclosure are what one claim
	// and one disclosed total cost, also of a homomorphic query without an epsilon. Units with up to six decimal places.
	Budget         string `json:"budget"`
	CostClaim      string `json:"cost_claim"`
	CostDisclosure string `json:"cost_disclosure"`
	// DeltaBudget is for each fleet the sum of the deltas of its noised answers, with
	// up to twelve decimal places; empty allows no query with a delta.
	DeltaBudget string `json:"delta_budget,omitempty"`
	// NotBefore and NotAfter bound the ledger's time, both included, in Unix
	// seconds.
	NotBefore int64 `json:"not_before"`
	NotAfter  int64 `json:"not_after"`
	// Policy is the digest, in hex, of a policy text that the owner published.
	Policy string `json:"policy"`
}

// Spent is what was used of a grant: answers of all fleets, and of the fleet
// that a question is about units in millionths and deltas in 10^-12.
type Spent struct {
	Answers uint32 `json:"answers"`
	Units   uint64 `json:"units"`
	Delta   uint64 `json:"delta,omitempty"`
}
