package server

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

func stamp(unix int64) *timestamppb.Timestamp { return timestamppb.New(time.Unix(unix, 0)) }

var statusOf = map[ledger.Status]assayv1.RequestStatus{
	ledger.StatusOpen: assayv1.RequestStatus_REQUEST_STATUS_OPEN, ledger.StatusApproved: assayv1.RequestStatus_REQUEST_STATUS_APPROVED,
	ledger.StatusProving: assayv1.RequestStatus_REQUEST_STATUS_PROVING, ledger.StatusRefused: assayv1.RequestStatus_REQUEST_STATUS_REFUSED,
	ledger.StatusWithdrawn: assayv1.RequestStatus_REQUEST_STATUS_WITHDRAWN, ledger.StatusVerified: assayv1.RequestStatus_REQUEST_STATUS_VERIFIED,
	ledger.StatusFailed: assayv1.RequestStatus_REQUEST_STATUS_FAILED, ledger.StatusExpired: assayv1.RequestStatus_REQUEST_STATUS_EXPIRED,
}

// ledgerStatus is the status that a list is restricted to, empty for none.
func ledgerStatus(s assayv1.RequestStatus) ledger.Status {
	for of, is := range statusOf {
		if is == s {
			return of
		}
	}
	return ""
}

func requestMessage(e *ledger.RequestEntry) (*assayv1.Request, error) {
	s, err := statement.Parse(e.Request.Statement)
	if err != nil {
		return nil, fmt.Errorf("%w: request %s: %w", errFault, e.ID, err)
	}
	m := &assayv1.Request{
		Id: e.ID.String(), Status: statusOf[e.Status], Statement: string(e.Request.Statement), Requester: e.Request.Requester, Owner: e.Request.Owner,
		Fleet: e.Request.Fleet, Epoch: e.Request.Epoch, Grant: s.Grant, Purpose: s.Purpose, ExpiresAt: stamp(e.Request.Expiry),
		CreatedAt: stamp(e.Request.Time), TxId: e.Request.TxID, Attributes: e.Request.Attributes, Decision: decisionMessage(e.Decision),
	}
	if p := e.Proving; p != nil {
		m.Proving = &assayv1.Step{At: stamp(p.Time), TxId: p.TxID}
	}
	if f := e.Failure; f != nil {
		m.Failure = &assayv1.Failure{Reasons: f.Reasons, At: stamp(f.Time), TxId: f.TxID}
	}
	if w := e.Withdrawal; w != nil {
		m.Withdrawal = &assayv1.Step{At: stamp(w.Time), TxId: w.TxID}
	}
	if v := e.Verdict; v != nil {
		m.Result = &assayv1.Result{Holds: v.Holds, Bundle: v.Bundle.String(), At: stamp(v.Time), TxId: v.TxID}
	}
	return m, nil
}

func decisionMessage(d *ledger.Decision) *assayv1.Decision {
	if d == nil {
		return nil
	}
	return &assayv1.Decision{
		Approved: d.Approved, Reasons: d.Reasons, Grant: d.Grant, Policies: hexes(d.Policies), PolicyIds: d.PolicyIDs, Cost: d.Cost, Approval: d.Approval,
		Automatic: d.Automatic, At: stamp(d.Time), TxId: d.TxID,
	}
}

func assessmentMessage(a *ledger.Assessment) *assayv1.Assessment {
	return &assayv1.Assessment{
		Allowed: a.Allowed, Approval: a.Approval, Reasons: a.Reasons, PolicyIds: a.PolicyIDs, Policies: hexes(a.Policies), Cost: a.Cost, GrantStatus: string(a.GrantStatus),
	}
}

func hexes(digests []commit.Digest) []string {
	var out []string
	for _, d := range digests {
		out = append(out, d.String())
	}
	return out
}

func fleetMessage(f *ledger.Fleet) (*assayv1.Fleet, error) {
	return &assayv1.Fleet{Id: f.ID, Owner: f.Owner, Schema: f.Schema, ChunkSize: f.ChunkSize, RegisteredAt: stamp(f.Time), TxId: f.TxID}, nil
}

func policyMessage(p *ledger.PolicyRecord, inForce commit.Digest) *assayv1.Policy {
	return &assayv1.Policy{
		Owner: p.Owner, Digest: p.Digest.String(), Text: string(p.Text), Version: p.Version, PublishedAt: stamp(p.Time), TxId: p.TxID, InForce: p.Digest == inForce,
	}
}

var grantStatusOf = map[ledger.GrantStatus]assayv1.GrantStatus{
	ledger.GrantActive: assayv1.GrantStatus_GRANT_STATUS_ACTIVE, ledger.GrantPending: assayv1.GrantStatus_GRANT_STATUS_PENDING,
	ledger.GrantExpired: assayv1.GrantStatus_GRANT_STATUS_EXPIRED, ledger.GrantRevoked: assayv1.GrantStatus_GRANT_STATUS_REVOKED,
	ledger.GrantUsedUp: assayv1.GrantStatus_GRANT_STATUS_USED_UP,
}

func grantMessage(e *ledger.GrantEntry) (*assayv1.Grant, error) {
	m := &assayv1.Grant{
		Owner: e.Grant.Owner, Terms: termsMessage(&e.Grant.Terms), Status: grantStatusOf[e.Status], GrantedAt: stamp(e.Grant.Time), TxId: e.Grant.TxID,
		AnswersSpent: e.Spent.Answers, BudgetSpent: map[string]string{},
	}
	for fleet, units := range e.Spent.Units {
		m.BudgetSpent[fleet] = policy.FormatUnits(units)
	}
	for fleet, delta := range e.Spent.Deltas {
		if m.DeltaSpent == nil {
			m.DeltaSpent = map[string]string{}
		}
		m.DeltaSpent[fleet] = deltaText(delta)
	}
	if r := e.Revocation; r != nil {
		m.Revocation = &assayv1.Revocation{Reason: r.Reason, RevokedAt: stamp(r.Time), TxId: r.TxID}
	}
	return m, nil
}

// deltaText writes 10^-12 as decimal text.
func deltaText(n uint64) string {
	const one = 1_000_000_000_000
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%012d", n/one, n%one), "0"), ".")
}

func termsMessage(t *policy.Terms) *assayv1.GrantTerms {
	m := &assayv1.GrantTerms{
		Id: t.ID, Grantee: t.Grantee, Fleets: t.Fleets, Purposes: t.Purposes, Claims: t.Claims, Disclose: t.Disclose, Lanes: t.Lanes, Models: t.Models,
		MaxPrice: t.MaxPrice, DeltaBudget: t.DeltaBudget,
		MinimumCohort: t.MinimumCohort, MinimumCoverage: t.MinimumCoverage, FirstEpoch: t.FirstEpoch, LastEpoch: t.LastEpoch, Answers: t.Answers,
		Budget: t.Budget, CostClaim: t.CostClaim, CostDisclosure: t.CostDisclosure, NotBefore: stamp(t.NotBefore), NotAfter: stamp(t.NotAfter), Policy: t.Policy,
	}
	for _, a := range t.Actions {
		m.Actions = append(m.Actions, string(a))
	}
	return m
}

func termsOf(m *assayv1.GrantTerms) policy.Terms {
	t := policy.Terms{
		ID: m.GetId(), Grantee: m.GetGrantee(), Fleets: m.GetFleets(), Purposes: m.GetPurposes(), Claims: m.GetClaims(), Disclose: m.GetDisclose(), Lanes: m.GetLanes(), Models: m.GetModels(),
		MaxPrice: m.GetMaxPrice(), DeltaBudget: m.GetDeltaBudget(),
		MinimumCohort: m.GetMinimumCohort(), MinimumCoverage: m.GetMinimumCoverage(), FirstEpoch: m.GetFirstEpoch(), LastEpoch: m.GetLastEpoch(), Answers: m.GetAnswers(),
		Budget: m.GetBudget(), CostClaim: m.GetCostClaim(), CostDisclosure: m.GetCostDisclosure(),
		NotBefore: m.GetNotBefore().AsTime().Unix(), NotAfter: m.GetNotAfter().AsTime().Unix(), Policy: m.GetPolicy(),
	}
	for _, a := range m.GetActions() {
		t.Actions = append(t.Actions, policy.Action(a))
	}
	return t
}
