package node

import (
	"net/http"
	"slices"
	"testing"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
)

// A policy may want a person, whose approval comes through the interface, and the node's configuration may.
func TestPersonApproves(t *testing.T) {
	t.Parallel()
	c := newConsortium(t, nil)
	waiting := func() float64 { return gathered(t, c.node.env.Metrics, "assay_desk_waiting_requests") }
	c.permit("@id(\"with-a-person\")\n@approval(\"person\")\npermit (principal, action, resource);\n", "loan-1", 1)
	asked := c.ask(c.question("loan-1"))
	c.until("the request waits for a person", func() bool { return waiting() == 1 })
	operator := c.token(c.config, contracttest.Operator, access.Operator)
	code, answer := c.curl(contracttest.Operator, operator, http.MethodPost, "/v1/requests/"+asked.GetId()+":approve", map[string]any{})
	if code != http.StatusOK {
		t.Fatalf("%d %v", code, answer)
	}
	r := c.becomes(asked.GetId(), assayv1.RequestStatus_REQUEST_STATUS_VERIFIED)
	if r.GetDecision().GetApproval() != "person" {
		t.Errorf("approved by %v", r.GetDecision())
	}
	// It was the last answer.
	last := c.becomes(c.ask(c.question("loan-1")).GetId(), assayv1.RequestStatus_REQUEST_STATUS_REFUSED)
	t.Logf("then refused: %v", last.GetDecision().GetReasons())

	c.end()
	c.config.Requests.Approve = byPerson
	c.start()
	c.permit(anything, "loan-2", 1)
	asked = c.ask(c.question("loan-2"))
	c.until("the request waits for a person whom no policy wants", func() bool { return waiting() == 1 })
	reasons := []string{"not this year"}
	must(c.as(contracttest.Operator, access.Operator).Requests.RefuseRequest(t.Context(), &assayv1.RefuseRequestRequest{Request: asked.GetId(), Reasons: reasons}))(t)
	if r := c.becomes(asked.GetId(), assayv1.RequestStatus_REQUEST_STATUS_REFUSED); !slices.Equal(r.GetDecision().GetReasons(), reasons) {
		t.Errorf("refused because %q", r.GetDecision().GetReasons())
	}
}
