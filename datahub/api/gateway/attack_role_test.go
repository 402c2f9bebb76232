package gateway_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// owners are the methods for an owner's people alone.
var ownersMethods = []string{
	assayv1.PolicyService_PublishPolicy_FullMethodName, assayv1.GrantService_CreateGrant_FullMethodName, assayv1.GrantService_RevokeGrant_FullMethodName,
	assayv1.RequestService_ApproveRequest_FullMethodName, assayv1.RequestService_RefuseRequest_FullMethodName,
	assayv1.QueryService_ApproveQuery_FullMethodName, assayv1.QueryService_RefuseQuery_FullMethodName,
}

// A lender's administrator calls what an owner may: at the lender's own node, at which the token is good, and at the owner's, at which it is not.
func TestAttackLenderCallsOwnersMethodByGRPC(t *testing.T) {
	lender, owner := newWorld(t, as("lender", ledger.RoleFinancier)), newWorld(t)
	token := lender.token(access.Administrator)
	for _, name := range ownersMethods {
		m := method(name)
		err := call(with(token), lender.dial(nil), m, valid(m))
		wantCode(t, name+" at the lender's", err, codes.PermissionDenied)
		if reason(err) != access.ReasonForbidden {
			t.Errorf("%s: reason %q", name, reason(err))
		}
		wantCode(t, name+" at the owner's", call(with(token), owner.dial(nil), m, valid(m)), codes.Unauthenticated)
	}
	wantNothingReached(t, lender, owner)
}

func TestAttackLenderCallsOwnersMethodByREST(t *testing.T) {
	lender, owner := newWorld(t, as("lender", ledger.RoleFinancier)), newWorld(t)
	token := lender.token(access.Administrator)
	for _, name := range ownersMethods {
		f := forms(method(name))[0]
		if a := lender.rest(f.verb, f.path, token, f.body); a.code != http.StatusForbidden || a.reason() != access.ReasonForbidden {
			t.Errorf("%s at the lender's: %d %s", f.path, a.code, a.body)
		}
		if a := owner.rest(f.verb, f.path, token, f.body); a.code != http.StatusUnauthorized {
			t.Errorf("%s at the owner's: %d %s", f.path, a.code, a.body)
		}
	}
	wantNothingReached(t, lender, owner)
}

// The streams that a role opens do not open to others: not with a token of the lender's at the owner's node, nor with one that lacks the role.
func TestAttackLenderCallsOwnersMethodByStream(t *testing.T) {
	lender, owner := newWorld(t, as("lender", ledger.RoleFinancier)), newWorld(t)
	for _, m := range methods() {
		rule, _ := access.RuleOf(fullName(m))
		if !m.IsStreamingServer() || rule.Anonymous {
			continue
		}
		wantCode(t, fullName(m), call(with(lender.token(access.Administrator)), owner.dial(nil), m, valid(m)), codes.Unauthenticated)
		for _, f := range forms(m) {
			if a := owner.rest(f.verb, f.path, lender.token(access.Administrator), f.body); a.code != http.StatusUnauthorized {
				t.Errorf("%s: %d %s", f.path, a.code, a.body)
			}
		}
		if slices.Contains(rule.Roles, access.Viewer) {
			continue
		}
		wantCode(t, fullName(m), call(with(owner.token(access.Viewer, access.Operator)), owner.dial(nil), m, valid(m)), codes.PermissionDenied)
		for _, f := range forms(m) {
			if a := owner.rest(f.verb, f.path, owner.token(access.Viewer), f.body); a.code != http.StatusForbidden {
				t.Errorf("%s: %d %s", f.path, a.code, a.body)
			}
		}
	}
	// A method of the owner's that is called as if it were a stream, and a stream as if it were none.
	for _, name := range ownersMethods {
		stream, err := lender.dial(nil).NewStream(with(lender.token(access.Administrator)), streamDesc, name)
		if err == nil {
			_ = stream.SendMsg(valid(method(name)))
			err = stream.RecvMsg(newMessage(method(name).Output()))
		}
		wantCode(t, name+" as a stream", err, codes.PermissionDenied)
	}
	wantNothingReached(t, lender, owner)
}

func wantNothingReached(t *testing.T, worlds ...*world) {
	t.Helper()
	for _, w := range worlds {
		if calls := w.services.take(); len(calls) != 0 {
			t.Errorf("node of %s: reached %v", w.own.ID, calls)
		}
	}
}

// Every method, every role, every kind of organisation: what is let through is what the brief of each role says, written down here again by hand.
func TestRolesOpenWhatTheyShould(t *testing.T) {
	slow(t)
	read := []string{
		"FleetService/", "PolicyService/Get", "PolicyService/Check", "PolicyService/Explain", "GrantService/Get", "GrantService/List", "RequestService/Get",
		"RequestService/List", "RequestService/Watch", "ProofService/", "NodeService/", "Health/",
		"QueryService/GetQuery$", "QueryService/List", "QueryService/Watch", "SessionService/List", "SessionService/Get",
	}
	asking := []string{"RequestService/Create", "RequestService/Withdraw", "QueryService/Create"}
	learning := []string{"QueryService/GetQueryResult$"}
	deciding := []string{"RequestService/Approve", "RequestService/Refuse", "QueryService/Approve", "QueryService/Refuse"}
	granting := []string{"PolicyService/Publish", "GrantService/Create", "GrantService/Revoke"}
	audit := []string{"AuditService/"}
	for _, c := range []struct {
		organisation []ledger.Role
		role         access.Role
		may          []string
	}{
		{[]ledger.Role{ledger.RoleOwner}, access.Viewer, read},
		{[]ledger.Role{ledger.RoleOwner}, access.Auditor, slices.Concat(read, audit)},
		{[]ledger.Role{ledger.RoleOwner}, access.Operator, slices.Concat(read, deciding)},
		{[]ledger.Role{ledger.RoleOwner}, access.Administrator, slices.Concat(read, deciding, granting, audit)},
		{[]ledger.Role{ledger.RoleFinancier}, access.Viewer, read},
		{[]ledger.Role{ledger.RoleFinancier}, access.Auditor, slices.Concat(read, audit, learning)},
		{[]ledger.Role{ledger.RoleFinancier}, access.Operator, slices.Concat(read, asking, learning)},
		{[]ledger.Role{ledger.RoleFinancier}, access.Administrator, slices.Concat(read, asking, audit, learning)},
		{[]ledger.Role{ledger.RoleRegulator}, access.Administrator, slices.Concat(read, asking, audit, learning)},
		{[]ledger.Role{ledger.RoleRegulator}, access.Auditor, slices.Concat(read, audit, learning)},
	} {
		w := newWorld(t, as("some", c.organisation...))
		token, conn := w.token(c.role), w.dial(nil)
		for _, m := range methods() {
			want := codes.PermissionDenied
			if slices.ContainsFunc(c.may, func(part string) bool { return strings.Contains(fullName(m)+"$", part) }) {
				want = codes.OK
			}
			wantCode(t, string(c.role)+" of "+string(c.organisation[0])+": "+fullName(m), call(with(token), conn, m, valid(m)), want)
		}
	}
}

func TestAttackReplayedOldKeyAfterRevocation(t *testing.T) {
	slow(t)
	w := newWorld(t)
	token, conn := w.token(access.Viewer), w.dial(nil)
	m := method(assayv1.NodeService_GetStatus_FullMethodName)
	wantCode(t, "before", call(with(token), conn, m, valid(m)), codes.OK)
	if err := w.issuer.Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := w.token(access.Viewer)
	// The new key is not known yet, so its first token makes the node look.
	until(t, "the new key", func() bool { return call(with(fresh), conn, m, valid(m)) == nil })
	wantCode(t, "after", call(with(token), conn, m, valid(m)), codes.Unauthenticated)
}

func TestTokenEndsWhileItIsRemembered(t *testing.T) {
	var later atomic.Int64
	w := newWorld(t, shifted(&later))
	conn, m := w.dial(nil), method(assayv1.NodeService_GetStatus_FullMethodName)
	token := w.signed(t, claims{"exp": time.Now().Add(5 * time.Minute).Unix()})
	wantCode(t, "at first", call(with(token), conn, m, valid(m)), codes.OK)
	later.Store(int64(5*time.Minute + access.Leeway))
	wantCode(t, "after its end", call(with(token), conn, m, valid(m)), codes.Unauthenticated)
}

// shifted sets the guard's clock ahead.
func shifted(by *atomic.Int64) func(*access.Options, *gateway.Options) {
	return func(o *access.Options, _ *gateway.Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(by.Load())) }
	}
}

// Who minted what for whom is in the claims alone: a token does not get better by being shown at another time or place.
func TestSubjectsAreKeptApart(t *testing.T) {
	w := newWorld(t, func(o *access.Options, _ *gateway.Options) { o.Limits = access.Limits{Rate: 0.001, Burst: 2} })
	conn, m := w.dial(nil), method(assayv1.NodeService_GetStatus_FullMethodName)
	for _, subject := range []string{"ada", "bob"} {
		token := w.tokenOf(subject, access.Viewer)
		for range 2 {
			wantCode(t, subject, call(with(token), conn, m, valid(m)), codes.OK)
		}
		wantCode(t, subject, call(with(token), conn, m, valid(m)), codes.ResourceExhausted)
		if a := w.rest("GET", "/v1/status", token, ""); a.code != http.StatusTooManyRequests || a.reason() != access.ReasonTooMany {
			t.Errorf("by REST: %d %s", a.code, a.body)
		}
	}
}
