package contracttest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/record"
)

// GrantID is the grant that Statement names, Purpose what for.
const (
	GrantID = "whatever-it-is"
	Purpose = "a loan"
)

// farAway is the year 9999.
const farAway = 253_402_300_799

// PermissivePolicy allows everything to everybody: what is left are the limits of a grant.
func PermissivePolicy() []byte {
	return []byte("@id(\"anything\")\npermit (principal, action, resource);\n")
}

// Terms are of a grant to the lender that covers what Statement asks about some fleets, and much else, as often as it likes, with no cohort below ten.
func Terms(fleets ...string) policy.Terms {
	digest := sha256.Sum256(PermissivePolicy())
	t := policy.Terms{
		ID: GrantID, Grantee: Lender, Fleets: slices.Clone(fleets), Purposes: []string{Purpose}, Actions: []policy.Action{policy.Prove},
		Claims:   []string{policy.ClaimCount, policy.ClaimPopulation, policy.ClaimValue, policy.ClaimLane, policy.ClaimMixed},
		Disclose: []string{"count", "value"}, MinimumCohort: 10, MinimumCoverage: "0",
		Answers: 1 << 20, Budget: "1000000", CostClaim: "1", CostDisclosure: "1", NotAfter: farAway, Policy: hex.EncodeToString(digest[:]),
	}
	schema, err := record.Lookup(Schema)
	if err != nil {
		panic(err)
	}
	for i := 1; i < record.Lanes; i++ {
		t.Lanes = append(t.Lanes, schema.Lanes[i].Name)
	}
	t.Disclose = append(t.Disclose, t.Lanes...)
	t.Sort()
	return t
}
