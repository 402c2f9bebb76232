package node

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

const anything = "@id(\"anything\")\npermit (principal, action, resource);\n"

// An owner writes a policy and grants; a lender's request within the grant is answered with a proof, one outside is refused with the reasons, and after the revocation none is
// answered any more. All of it goes through the nodes' interfaces, with tokens, over TLS.
func TestThreeNodes(t *testing.T) {
	t.Parallel()
	c := newConsortium(t, nil)
	c.permit(anything, "loan-1", 10)
	t.Run("within", c.withinTheGrant)
	t.Run("outside", c.outsideTheGrant)
	t.Run("rest", c.overREST)
	t.Run("strangers", c.calledByOthers)
	t.Run("compromised", c.compromisedOwner)
	t.Run("revoked", c.revokedGrant)
	t.Run("audited", c.audited)
}

// The lender's people see the owner's proof progress at their own node, which watches at the owner's.
func (c *consortium) withinTheGrant(t *testing.T) {
	var asked *assayv1.Request
	for tries := 0; ; tries++ { // a proof may be quicker than a connection
		asked = c.ask(c.question("loan-1"))
		stages := c.watched(t, asked.GetId())
		if stages["proving"] {
			break
		}
		if tries == 3 {
			t.Fatalf("the lender's node saw the stages %v of the owner's", stages)
		}
	}
	proof := must(c.as(contracttest.Lender, access.Viewer).Proofs.GetProof(t.Context(), &assayv1.GetProofRequest{Request: asked.GetId()}))(t).GetProof()
	if !proof.GetVerdict().GetHolds() || proof.GetVerdict().GetAttested() != batteries {
		t.Errorf("the verdict is %v", proof.GetVerdict())
	}
	// The bundle, from another node: the owner's, as a peer.
	bundle := must(c.peer(contracttest.Lender, contracttest.Operator).Bundle(t.Context(), asked.GetId()))(t)
	checked := must(c.as(contracttest.Lender, access.Viewer).Proofs.VerifyBundle(t.Context(), &assayv1.VerifyBundleRequest{Bundle: bundle}))(t)
	if checked.GetProblem() != "" || !checked.GetRecorded() {
		t.Errorf("the bundle: %v", checked)
	}
}

// watched watches a request at the lender's node until it is verified, and returns the stages of its proof that were seen.
func (c *consortium) watched(t *testing.T, id string) map[string]bool {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var seen []assayv1.RequestStatus
	stages := map[string]bool{}
	err := c.as(contracttest.Lender, access.Viewer).Watch(ctx, id, func(r *assayv1.Request, p *assayv1.Progress) error {
		if r != nil {
			seen = append(seen, r.GetStatus())
		}
		if p != nil {
			stages[p.GetStage()] = true
		}
		return nil
	})
	if err != nil || len(seen) == 0 || seen[len(seen)-1] != assayv1.RequestStatus_REQUEST_STATUS_VERIFIED {
		t.Fatalf("saw %v, %v", seen, err)
	}
	return stages
}

// curious is a question for a purpose that the grant does not have.
func (c *consortium) curious() *statement.Statement {
	s := c.question("loan-1")
	s.Purpose = "curiosity"
	return s
}

func (c *consortium) outsideTheGrant(t *testing.T) {
	refused := c.becomes(c.ask(c.curious()).GetId(), assayv1.RequestStatus_REQUEST_STATUS_REFUSED)
	reasons := strings.Join(refused.GetDecision().GetReasons(), "; ")
	if !strings.Contains(reasons, "curiosity") {
		t.Errorf("refused because %q", reasons)
	}
	lender := c.as(contracttest.Lender, access.Operator)
	_, err := lender.Requests.CreateRequest(t.Context(), &assayv1.CreateRequestRequest{Statement: draft(t, c.question("loan-2"))})
	if status.Code(err) != codes.NotFound {
		t.Errorf("without a grant: %v", err)
	}
}

// The same by REST, as curl would.
func (c *consortium) overREST(t *testing.T) {
	operator := c.token(c.lender.config, contracttest.Lender, access.Operator)
	code, answer := c.curl(contracttest.Lender, operator, http.MethodPost, "/v1/requests", map[string]any{"statement": draft(t, c.question("loan-1"))})
	request, _ := answer["request"].(map[string]any)
	id, _ := request["id"].(string)
	if code != http.StatusOK || id == "" {
		t.Fatalf("%d %v", code, answer)
	}
	c.becomes(id, assayv1.RequestStatus_REQUEST_STATUS_VERIFIED)
	code, answer = c.curl(contracttest.Lender, operator, http.MethodGet, "/v1/proofs/"+id, nil)
	if proof, _ := answer["proof"].(map[string]any); code != http.StatusOK || proof["request"] != id {
		t.Errorf("%d %v", code, answer)
	}
	if code, answer = c.curl(contracttest.Lender, "", http.MethodGet, "/v1/proofs/"+id, nil); code != http.StatusUnauthorized {
		t.Errorf("without a token: %d %v", code, answer)
	}
}

// A lender has nothing to decide at the owner's node, whatever it shows, nor an owner's right at its own.
func (c *consortium) calledByOthers(t *testing.T) {
	ctx := t.Context()
	asked := c.ask(c.curious())
	approve := &assayv1.ApproveRequestRequest{Request: asked.GetId()}
	for name, test := range map[string]struct {
		call func() error
		want codes.Code
	}{
		"owner's method at the lender's node": {func() error {
			_, err := c.as(contracttest.Lender, access.Administrator).Policies.PublishPolicy(ctx, &assayv1.PublishPolicyRequest{Text: anything})
			return err
		}, codes.PermissionDenied},
		"owner's method as a peer": {func() error {
			_, err := c.peer(contracttest.Lender, contracttest.Operator).Requests.ApproveRequest(ctx, approve)
			return err
		}, codes.PermissionDenied},
		"a stranger to the request": {func() error {
			_, err := c.peer(contracttest.Regulator, contracttest.Operator).Requests.GetRequest(ctx, &assayv1.GetRequestRequest{Request: asked.GetId()})
			return err
		}, codes.PermissionDenied},
		"an operator who grants": {func() error {
			_, err := c.as(contracttest.Operator, access.Operator).Grants.RevokeGrant(ctx, &assayv1.RevokeGrantRequest{Grant: "loan-1", Reason: "no"})
			return err
		}, codes.PermissionDenied},
		"a party to the request": {func() error {
			_, err := c.peer(contracttest.Lender, contracttest.Operator).Requests.GetRequest(ctx, &assayv1.GetRequestRequest{Request: asked.GetId()})
			return err
		}, codes.OK},
	} {
		if got := status.Code(test.call()); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	lenders := c.token(c.lender.config, contracttest.Lender, access.Administrator)
	if code, answer := c.curl(contracttest.Operator, lenders, http.MethodPost, "/v1/requests/"+asked.GetId()+":approve", map[string]any{}); code != http.StatusUnauthorized {
		t.Errorf("the lender's token at the owner's node: %d %v", code, answer)
	}
}

// Whoever has the owner's rights on the ledger answers nothing that the owner's own grant and policy do not allow: the contract decides.
func (c *consortium) compromisedOwner(t *testing.T) {
	ctx, owner := t.Context(), ledger.Book{Client: c.book.Client}
	answered := must(owner.RequestsOf(ctx, ledger.RequestsQuery{Status: ledger.StatusVerified}))(t)
	proof := must(owner.Bundle(ctx, answered[0].ID))(t)
	s := c.curious()
	s.Requester, s.Nonce, s.Expiry = contracttest.Lender, strings.Repeat("ab", 16), time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	id, _, err := must(c.ledger.Book(contracttest.Lender))(t).Request(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := owner.SubmitProof(ctx, id, proof); ledger.CodeOf(err) == "" {
		t.Errorf("an answer without approval: %v", err)
	}
	if _, err := owner.Decide(ctx, ledger.Decide{Request: id, Approve: true, Reasons: []string{}}); ledger.CodeOf(err) == "" {
		t.Errorf("an approval outside the grant: %v", err)
	}
	var request commit.Digest
	if err := request.UnmarshalText([]byte(c.becomes(id.String(), assayv1.RequestStatus_REQUEST_STATUS_REFUSED).GetId())); err != nil || request != id {
		t.Error(err)
	}
}

func (c *consortium) revokedGrant(t *testing.T) {
	admin := c.token(c.config, contracttest.Operator, access.Administrator)
	code, answer := c.curl(contracttest.Operator, admin, http.MethodPost, "/v1/grants/loan-1:revoke", map[string]any{"reason": "the loan is paid back"})
	if code != http.StatusOK {
		t.Fatalf("%d %v", code, answer)
	}
	r := c.becomes(c.ask(c.question("loan-1")).GetId(), assayv1.RequestStatus_REQUEST_STATUS_REFUSED)
	if reasons := strings.Join(r.GetDecision().GetReasons(), "; "); !strings.Contains(reasons, "revoked") {
		t.Errorf("refused because %q", reasons)
	}
}

// The regulator sees every request and what was released, and its node has verified all answers again.
func (c *consortium) audited(t *testing.T) {
	auditor := c.as(contracttest.Regulator, access.Auditor)
	released, refused := 0, 0
	var first string
	for e, err := range auditor.AllEntries(t.Context(), &assayv1.ListEntriesRequest{Owner: contracttest.Operator}) {
		if err != nil {
			t.Fatal(err)
		}
		if e.GetReleased() != nil {
			released, first = released+1, e.GetRequest().GetId()
		}
		if e.GetRequest().GetStatus() == assayv1.RequestStatus_REQUEST_STATUS_REFUSED {
			refused++
		}
	}
	if released < 2 || refused < 3 {
		t.Errorf("%d answers, %d refusals", released, refused)
	}
	b := must(auditor.Evidence(t.Context(), first))(t)
	e := must(evidence.Parse(b))(t)
	if report := evidence.Verify(e, evidence.Options{Ledger: c.ledger.ID(), Blocks: c.ledger.Blocks()}); len(report.Faults()) > 0 {
		t.Errorf("the evidence: %v", report.Faults())
	}
	reviewed := func(outcome string) float64 {
		return labelled(t, c.regulator.metrics, "assay_review_requests_total", outcome)
	}
	c.until("the regulator's node has verified again", func() bool { return reviewed("agrees") == float64(2*released) })
	if n := reviewed("disagrees"); n != 0 {
		t.Errorf("it disagrees %v times", n)
	}
	for a, err := range auditor.AllAlerts(t.Context()) {
		t.Errorf("alert %v, %v", a, err)
	}
}

// A node that was down answers what was asked meanwhile, and is found where it is now.
func TestOwnersNodeCatchesUp(t *testing.T) {
	t.Parallel()
	c := newConsortium(t, nil)
	c.permit(anything, "loan-1", 10)
	before := c.nodes()[contracttest.Operator]
	c.end()
	asked := c.ask(c.question("loan-1"))
	lender := c.as(contracttest.Lender, access.Viewer)
	short, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := lender.Watch(short, asked.GetId(), func(r *assayv1.Request, _ *assayv1.Progress) error {
		if r != nil && r.GetStatus() != assayv1.RequestStatus_REQUEST_STATUS_OPEN {
			t.Errorf("nobody is there, and the request is %s", r.GetStatus())
		}
		return nil
	})
	if err == nil || errors.Is(err, errEnough) {
		t.Error("the watch ended")
	}
	c.start()
	c.becomes(asked.GetId(), assayv1.RequestStatus_REQUEST_STATUS_VERIFIED)
	c.until("the ledger says where the node is now", func() bool { return c.nodes()[contracttest.Operator].URL == c.node.api.published })
	if now := c.nodes()[contracttest.Operator]; string(now.Certificate) != string(before.Certificate) {
		t.Error("the node has another CA after a restart")
	}
}

// What the ledger says already is not said again.
func TestNodeIsPublishedOnce(t *testing.T) {
	w := newWorld(t, 10, func(c *Config) { c.API.GRPC, c.API.Listen = "127.0.0.1:0", "127.0.0.1:0" })
	ctx := t.Context()
	published := func() []ledger.NodeRecord { return must(w.node.env.Book.Nodes(ctx))(t) }
	w.until("the node is on the ledger", func() bool { return len(published()) == 1 })
	first := published()[0]
	if err := w.node.publish(ctx); err != nil {
		t.Fatal(err)
	}
	if again := published()[0]; again.TxID != first.TxID {
		t.Error("it was published again")
	}
}
