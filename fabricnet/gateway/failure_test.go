package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"

	fabric "github.com/hyperledger/fabric-protos-go-apiv2/gateway"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// consortium is contracttest's, with MSP ids of their own.
func consortium() *ledger.Genesis {
	g := contracttest.WithKeys(contracttest.Genesis())
	for i := range g.Organisations {
		g.Organisations[i].MSP = strings.ToUpper(g.Organisations[i].ID[:1]) + g.Organisations[i].ID[1:] + "MSP"
	}
	return g
}

func detail(msp, message string) *fabric.ErrorDetail {
	return &fabric.ErrorDetail{MspId: msp, Address: "127.0.0.1:1", Message: message}
}

func failed(t *testing.T, code codes.Code, message string, details ...*fabric.ErrorDetail) error {
	t.Helper()
	st := status.New(code, message)
	for _, d := range details {
		var err error
		if st, err = st.WithDetails(protoadapt.MessageV1Of(d)); err != nil {
			t.Fatal(err)
		}
	}
	return st.Err()
}

const refusal = `chaincode response 400, {"code":"conflict","message":"fleet fleet-a exists"}`

const otherRefusal = `chaincode response 400, {"code":"forbidden","message":"no"}`

func TestProposalErrors(t *testing.T) {
	c, txID, both := &Client{genesis: consortium()}, strings.Repeat("a", 64), []string{"lender", "regulator"}
	for name, test := range map[string]struct {
		err         error
		kind        kind
		code        ledger.Code
		text        string
		unreachable []string
		asked       []string // the lender, if nil
	}{
		"refusal":                {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", refusal)), kind: refused, code: ledger.Conflict, text: "fleet-a exists"},
		"refusal and no answer":  {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "rpc error: code = Unavailable"), detail("RegulatorMSP", refusal)), kind: refused, code: ledger.Conflict, text: "regulator", unreachable: []string{"lender"}, asked: both},
		"refusals":               {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", refusal), detail("RegulatorMSP", refusal)), kind: refused, code: ledger.Conflict, asked: both},
		"one refuses":            {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", refusal)), kind: differing, code: ledger.NotEndorsed, text: "lender said no (conflict), regulator endorsed", asked: both},
		"refusals differ":        {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", refusal), detail("RegulatorMSP", otherRefusal)), kind: differing, code: ledger.NotEndorsed, text: "regulator said no (forbidden)", asked: both},
		"one refuses, one fails": {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", refusal), detail("RegulatorMSP", "chaincode response 500, x")), kind: differing, code: ledger.NotEndorsed, text: "regulator failed", asked: both},
		"one denies":             {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "rpc error: access denied")), kind: differing, code: ledger.NotEndorsed, text: "lender said no (forbidden)", asked: both},
		"one has another time":   {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", textClock)), kind: differing, code: ledger.NotEndorsed, text: "lender said no (expired)", asked: both},
		"quoted refusal":         {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "chaincode response 500, "+refusal)), text: "500"},
		"quoted denial":          {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "chaincode response 500, access denied")), text: "500"},
		"refusal of a stranger":  {err: failed(t, codes.Aborted, "failed", detail("OperatorMSP", refusal)), kind: unreachable},
		"outcomes differ":        {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", textMismatch)), kind: differing, code: ledger.NotEndorsed, text: "lender"},
		"certificate":            {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "rpc error: code = Unknown desc = error validating proposal: access denied: channel [assay] creator org [X]")), code: ledger.Forbidden, text: "creator org"},
		"certificate's time":     {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "rpc error: code = Unknown desc = proposal client identity expired")), code: ledger.Forbidden, text: "lender"},
		"contract broken":        {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "chaincode response 500, state is damaged")), text: "state is damaged"},
		"unknown code":           {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", `chaincode response 400, {"code":"perhaps","message":"x"}`)), text: "perhaps"},
		"refusal without form":   {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", `chaincode response 400, {"code":"conflict"}`)), text: "conflict"},
		"peer away":              {err: failed(t, codes.Aborted, "failed", detail("LenderMSP", "rpc error: code = Unavailable desc = connection refused")), kind: unreachable, unreachable: []string{"lender"}, text: "connection refused"},
		"service away":           {err: failed(t, codes.Aborted, "failed", detail("RegulatorMSP", "error in simulation: failed to execute transaction")), kind: unreachable, unreachable: []string{"regulator"}, asked: both},
		"no peer known":          {err: failed(t, codes.Unavailable, textNoPeers+"LenderMSP, RegulatorMSP"), kind: unreachable, unreachable: []string{"lender", "regulator"}},
		"own peer away":          {err: failed(t, codes.Unavailable, "connection error"), kind: unreachable},
		"own peer denies":        {err: failed(t, codes.PermissionDenied, "expired"), code: ledger.Forbidden},
		"too slow":               {err: failed(t, codes.DeadlineExceeded, "endorsement timeout expired"), text: "timeout expired"},
		"own failure":            {err: errors.New("signing: vault is sealed"), text: "vault is sealed"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := test.asked
			if asked == nil {
				asked = []string{"lender"}
			}
			e := c.proposalError(StageEndorse, txID, asked, test.err)
			if e.kind != test.kind || ledger.CodeOf(e) != test.code || e.TxID != txID {
				t.Errorf("kind %s and code %q: %v", e.kind, ledger.CodeOf(e), e)
			}
			if diff := cmp.Diff(test.unreachable, e.unreachable); diff != "" {
				t.Error(diff)
			}
			for _, text := range []string{test.text, txID, "endorse"} {
				if !strings.Contains(e.Error(), text) {
					t.Errorf("%q does not say %q", e, text)
				}
			}
		})
	}
}

func TestEndedContextsShow(t *testing.T) {
	c := &Client{genesis: consortium()}
	for code, want := range map[codes.Code]error{codes.Canceled: context.Canceled, codes.DeadlineExceeded: context.DeadlineExceeded} {
		if e := c.proposalError(StageEvaluate, "", []string{"lender"}, failed(t, code, "x")); !errors.Is(e, want) || e.kind != final {
			t.Errorf("%s: %v", code, e)
		}
	}
}

func TestMessagesNameOrganisations(t *testing.T) {
	c := &Client{genesis: consortium()}
	e := c.proposalError(StageEndorse, "", []string{"lender"}, failed(t, codes.Aborted, "failed", detail("Stranger", "y"), detail("RegulatorMSP", strings.Repeat("x", 9999)), detail("LenderMSP", "z")))
	var got []string
	for _, m := range e.Messages {
		got = append(got, m.Organisation+"/"+m.MSPID)
	}
	if diff := cmp.Diff([]string{"/Stranger", "lender/LenderMSP", "regulator/RegulatorMSP"}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(e.Error()); n > 3*(maxStart+maxEnd) {
		t.Errorf("text has %d bytes", n)
	}
}

func TestInvalidTransactions(t *testing.T) {
	for code, want := range map[peer.TxValidationCode]struct {
		code ledger.Code
		kind kind
	}{
		peer.TxValidationCode_MVCC_READ_CONFLICT:         {ledger.Conflict, overtaken},
		peer.TxValidationCode_PHANTOM_READ_CONFLICT:      {ledger.Conflict, overtaken},
		peer.TxValidationCode_ENDORSEMENT_POLICY_FAILURE: {ledger.NotEndorsed, final},
		peer.TxValidationCode_BAD_CREATOR_SIGNATURE:      {ledger.Invalid, final},
		peer.TxValidationCode(99):                        {ledger.Invalid, final},
	} {
		e := invalid("id", code)
		if ledger.CodeOf(e) != want.code || e.kind != want.kind || !strings.Contains(e.Error(), code.String()) {
			t.Errorf("%s: %v", code, e)
		}
	}
}

// What may have reached an orderer must never be taken for refused.
func TestAmbiguousSubmissions(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{failed(t, codes.Unavailable, "no orderers could successfully process transaction"), true},
		{failed(t, codes.DeadlineExceeded, "submit timeout expired"), true},
		{failed(t, codes.Canceled, "x"), true},
		{failed(t, codes.Unknown, "x"), true},
		{failed(t, codes.Internal, "x"), true},
		{failed(t, codes.Aborted, "x"), true},
		{failed(t, codes.Aborted, "received unsuccessful response from orderer: status=FORBIDDEN, info=x"), true},
		{failed(t, codes.NotFound, "x"), true},
		{failed(t, codes.Unauthenticated, "x"), true},
		{failed(t, codes.InvalidArgument, "x"), false},
		{failed(t, codes.PermissionDenied, "x"), false},
		{failed(t, codes.FailedPrecondition, "x"), false},
		{failed(t, codes.ResourceExhausted, "x"), true},
		{errors.New("signing: vault is sealed"), false},
		{context.Canceled, true},
	} {
		if got := ambiguous(test.err); got != test.want {
			t.Errorf("%v: %t", test.err, got)
		}
	}
	c := &Client{genesis: consortium()}
	if e := c.submitError("id", failed(t, codes.PermissionDenied, "x")); ledger.CodeOf(e) != ledger.Forbidden {
		t.Errorf("got %v", e)
	}
}

func TestOutcomeUnknownSaysWhatToDo(t *testing.T) {
	c, id := &Client{genesis: consortium()}, strings.Repeat("b", 64)
	err := error(c.unknown(id, failed(t, codes.DeadlineExceeded, "peer went away"), nil))
	var unknown *OutcomeUnknown
	if !errors.As(err, &unknown) || unknown.TxID != id || !errors.Is(err, context.DeadlineExceeded) || ledger.CodeOf(err) != "" {
		t.Errorf("got %v", err)
	}
	if text := err.Error(); strings.Count(text, id) != 1 || !strings.Contains(text, "may or may not be recorded") {
		t.Error(text)
	}
}

func FuzzParseRefusal(f *testing.F) {
	f.Add(refusal)
	f.Add("chaincode response 400, {}")
	f.Add("chaincode response 500, " + refusal)
	f.Fuzz(func(t *testing.T, message string) {
		if r, ok := parseRefusal(message); ok && r.Code == "" {
			t.Error("a refusal without a code")
		}
	})
}
