package server_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// terms are those of a small grant, in no order.
func (w *world) terms(id string) *assayv1.GrantTerms {
	return &assayv1.GrantTerms{
		Id: id, Grantee: lender, Fleets: []string{fleetID}, Purposes: []string{"b", "a"}, Actions: []string{"prove"}, Claims: []string{"value", "count"},
		Disclose: []string{"count"}, Lanes: []string{"state_of_health"}, MinimumCohort: 10, MinimumCoverage: "95.00", Answers: 3,
		Budget: "10", CostClaim: "1", CostDisclosure: "0.5", DeltaBudget: "0.00001", NotBefore: timestamppb.New(w.now()), NotAfter: timestamppb.New(w.now().Add(time.Hour)),
	}
}

func TestGrantIsGivenAndRevoked(t *testing.T) {
	w := newWorld(t)
	n := w.node(operator, nil)
	published := must(n.policies().PublishPolicy(w.call(), &assayv1.PublishPolicyRequest{Text: string(contracttest.PermissivePolicy())}))(t).GetPolicy()
	create := &assayv1.CreateGrantRequest{Terms: w.terms("first")}
	g := must(n.grants().CreateGrant(w.call(), create))(t).GetGrant()
	if g.GetStatus() != assayv1.GrantStatus_GRANT_STATUS_ACTIVE || g.GetTerms().GetPolicy() != published.GetDigest() || g.GetTerms().GetPurposes()[0] != "a" || g.GetOwner() != operator {
		t.Errorf("grant is %v", g)
	}
	if diff := cmp.Diff(g, must(n.grants().CreateGrant(w.call(), create))(t).GetGrant(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	other := proto.CloneOf(create)
	other.Terms.Answers++
	_, err := n.grants().CreateGrant(w.call(), other)
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "other terms")

	revoke := &assayv1.RevokeGrantRequest{Grant: "first", Reason: "enough"}
	revoked := must(n.grants().RevokeGrant(w.call(), revoke))(t).GetGrant()
	if revoked.GetStatus() != assayv1.GrantStatus_GRANT_STATUS_REVOKED || revoked.GetRevocation().GetReason() != "enough" {
		t.Errorf("revoked is %v", revoked)
	}
	if diff := cmp.Diff(revoked, must(n.grants().RevokeGrant(w.call(), revoke))(t).GetGrant(), protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	_, err = n.grants().RevokeGrant(w.call(), &assayv1.RevokeGrantRequest{Grant: "first", Reason: "another"})
	refused(t, err, codes.AlreadyExists, server.ReasonExists, "another reason")
	_, err = n.grants().RevokeGrant(w.call(), &assayv1.RevokeGrantRequest{Grant: "unknown", Reason: "another"})
	refused(t, err, codes.NotFound, string(ledger.NotFound), "unknown")
	if got := must(w.node(lender, nil).grants().GetGrant(w.call(), &assayv1.GetGrantRequest{Owner: operator, Grant: "first"}))(t).GetGrant(); !proto.Equal(got, revoked) {
		t.Errorf("the lender sees %v", got)
	}
}

func TestGrantsThatAreRefused(t *testing.T) {
	w := newWorld(t)
	n := w.node(operator, nil)
	_, err := n.grants().CreateGrant(w.call(), &assayv1.CreateGrantRequest{Terms: w.terms("first")})
	refused(t, err, codes.NotFound, string(ledger.NotFound), "policy") // none is in force
	must(n.policies().PublishPolicy(w.call(), &assayv1.PublishPolicyRequest{Text: string(contracttest.PermissivePolicy())}))(t)
	for name, c := range map[string]struct {
		change func(*assayv1.GrantTerms)
		code   codes.Code
		field  string
	}{
		"id":          {func(m *assayv1.GrantTerms) { m.Id = "A" }, codes.InvalidArgument, "terms.id"},
		"no fleet":    {func(m *assayv1.GrantTerms) { m.Fleets = nil }, codes.InvalidArgument, "terms.fleets"},
		"action":      {func(m *assayv1.GrantTerms) { m.Actions = []string{"look"} }, codes.InvalidArgument, "terms.actions[0]"},
		"no time":     {func(m *assayv1.GrantTerms) { m.NotAfter = nil }, codes.InvalidArgument, "terms.not_after"},
		"model":       {func(m *assayv1.GrantTerms) { m.Models = []string{"x"} }, codes.InvalidArgument, "terms.models[0]"},
		"budget":      {func(m *assayv1.GrantTerms) { m.Budget = "many" }, codes.InvalidArgument, "terms"},
		"other fleet": {func(m *assayv1.GrantTerms) { m.Fleets = []string{"fleet-z"} }, codes.NotFound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := w.terms("first")
			c.change(m)
			_, err := n.grants().CreateGrant(w.call(), &assayv1.CreateGrantRequest{Terms: m})
			s := refused(t, err, c.code, "", "")
			if fields := fieldsOf(s); c.field != "" && (len(fields) != 1 || fields[0] != c.field) {
				t.Errorf("fields are %v, want %s", fields, c.field)
			}
		})
	}
	_, err = w.node(lender, nil).grants().CreateGrant(w.call(), &assayv1.CreateGrantRequest{Terms: w.terms("first")})
	if err == nil {
		t.Error("a lender makes a grant")
	}
}

func TestPolicies(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	n := w.node(operator, nil)
	text := string(contracttest.PermissivePolicy())
	first := must(n.policies().PublishPolicy(w.call(), &assayv1.PublishPolicyRequest{Text: text}))(t).GetPolicy()
	if diff := cmp.Diff(first, must(n.policies().PublishPolicy(w.call(), &assayv1.PublishPolicyRequest{Text: text}))(t).GetPolicy(), protocmp.Transform()); diff != "" || !first.GetInForce() {
		t.Errorf("published twice: %s %v", diff, first)
	}
	narrow := "@id(\"small\")\npermit (principal, action, resource) when { context.epoch == 1 };\n"
	second := must(n.policies().PublishPolicy(w.call(), &assayv1.PublishPolicyRequest{Text: narrow}))(t).GetPolicy()
	got := must(n.policies().GetPolicy(w.call(), &assayv1.GetPolicyRequest{Owner: operator}))(t).GetPolicy()
	if diff := cmp.Diff(second, got, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	old := must(n.policies().GetPolicy(w.call(), &assayv1.GetPolicyRequest{Owner: operator, Digest: first.GetDigest()}))(t).GetPolicy()
	if old.GetInForce() || old.GetText() != text {
		t.Errorf("the first is %v", old)
	}
	_, err := n.policies().PublishPolicy(w.call(), &assayv1.PublishPolicyRequest{Text: "permit (principal, action, resource) when { context.nope };"})
	refused(t, err, codes.InvalidArgument, access.ReasonInvalid, "text")
	if c := must(n.policies().CheckPolicy(w.call(), &assayv1.CheckPolicyRequest{Text: "permit"}))(t); len(c.GetProblems()) == 0 || c.GetDigest() != "" {
		t.Errorf("half a policy: %v", c)
	}
	if c := must(n.policies().CheckPolicy(w.call(), &assayv1.CheckPolicyRequest{Text: text}))(t); len(c.GetProblems()) > 0 || c.GetDigest() != first.GetDigest() {
		t.Errorf("a policy: %v", c)
	}
}

// What a text would say, what the policy in force says, and what the contract says.
func TestExplain(t *testing.T) {
	w := newWorld(t)
	w.at(12, time.Hour)
	w.granted()
	n, id := w.node(operator, nil), w.asked(1).String()
	byID := func(text string) *assayv1.ExplainRequestRequest {
		return &assayv1.ExplainRequestRequest{Subject: &assayv1.ExplainRequestRequest_Request{Request: id}, Text: text}
	}
	explain := func(m *assayv1.ExplainRequestRequest) *assayv1.Assessment {
		return must(n.policies().ExplainRequest(w.call(), m))(t).GetAssessment()
	}
	if a := explain(byID("")); !a.GetAllowed() || a.GetGrantStatus() != "active" {
		t.Errorf("the contract says %v", a)
	}
	forbid := "@id(\"none\")\nforbid (principal, action, resource);\n"
	if a := explain(byID(forbid)); a.GetAllowed() || len(a.GetReasons()) == 0 || len(a.GetPolicies()) != 1 {
		t.Errorf("a text says %v", a)
	}
	person := "@id(\"person\")\n@approval(\"person\")\npermit (principal, action, resource);\n"
	said := &assayv1.ExplainRequestRequest{Subject: &assayv1.ExplainRequestRequest_Statement{Statement: unsaid}, Text: person}
	asking := w.node(lender, nil)
	if a := must(asking.policies().ExplainRequest(w.call(), said))(t).GetAssessment(); !a.GetAllowed() || a.GetApproval() != "person" || a.GetPolicyIds()[0] != "person" {
		t.Errorf("of a statement it says %v", a)
	}
	said.Text = ""
	if a := must(asking.policies().ExplainRequest(w.call(), said))(t).GetAssessment(); !a.GetAllowed() || a.GetPolicyIds()[0] != "anything" {
		t.Errorf("the policy in force says %v", a)
	}
	_, err := n.policies().ExplainRequest(w.call(), byID("permit"))
	refused(t, err, codes.InvalidArgument, access.ReasonInvalid, "text")
	_, err = n.policies().ExplainRequest(w.call(), &assayv1.ExplainRequestRequest{Text: person})
	refused(t, err, codes.InvalidArgument, access.ReasonInvalid, "subject")
}
