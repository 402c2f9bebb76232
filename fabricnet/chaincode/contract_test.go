package chaincode

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func TestFound(t *testing.T) {
	w := newWorld(t)
	stub := w.by("lender", ledger.FnFound, w.genesis)
	r := w.Invoke(stub)
	if r.GetStatus() != shim.OK || string(r.GetPayload()) != string(w.genesis.Canonical()) {
		t.Fatalf("%d %s", r.GetStatus(), r.GetMessage())
	}
	if diff := cmp.Diff([]string{"genesis=" + string(w.genesis.Canonical())}, stub.written); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	if stub.event != `founded {"organisation":"lender"}` {
		t.Errorf("event %s", stub.event)
	}
	stub.values[ledger.GenesisKey], stub.written, stub.event = w.genesis.Canonical(), nil, ""
	w.refused(w.Invoke(stub), ledger.Conflict)
	other := *w.genesis
	other.Name = "another"
	w.refused(w.Invoke(w.by("lender", ledger.FnFound, other)), ledger.Invalid)
	if stub.written != nil || stub.event != "" {
		t.Errorf("a refusal wrote %v, event %s", stub.written, stub.event)
	}
}

// What is not the call that an organisation of this ledger signed now is refused before the contract sees it.
func TestCallIsChecked(t *testing.T) {
	w := newWorld(t)
	id := []byte(w.genesis.ID().String())
	args := func(args ...[]byte) func(*fakeStub) { return func(s *fakeStub) { s.args = args } }
	at := func(d time.Duration) func(*fakeStub) { return func(s *fakeStub) { s.at = timestamppb.New(now.Add(d)) } }
	epoch, none := []byte(ledger.QueryEpoch), []byte("{}")
	for name, test := range map[string]struct {
		change func(*fakeStub)
		code   ledger.Code // "" for one that is taken
		want   string
	}{
		"as it should be":      {func(*fakeStub) {}, "", ""},
		"two arguments":        {args(epoch, id), ledger.Invalid, "2 arguments"},
		"four arguments":       {args(epoch, id, none, none), ledger.Invalid, "4 arguments"},
		"none":                 {args(), ledger.Invalid, "0 arguments"},
		"no function":          {args(nil, id, none), ledger.Invalid, "function: has 0"},
		"long function":        {args([]byte(strings.Repeat("x", 65)), id, none), ledger.Invalid, "function: has 65"},
		"other characters":     {args([]byte("epoch\n"), id, none), ledger.Invalid, "may hold a-z"},
		"unknown function":     {args([]byte("nothing"), id, none), ledger.Invalid, "is not one that changes the ledger"},
		"another ledger":       {args(epoch, []byte(commit.Digest{1}.String()), none), ledger.Invalid, "the proposal is for ledger 0100"},
		"no ledger":            {args(epoch, nil, none), ledger.Invalid, "ledger id: digest has 0"},
		"ledger in upper case": {args(epoch, []byte(strings.ToUpper(string(id))), none), ledger.Invalid, "lower case"},
		"long arguments":       {args(epoch, id, make([]byte, ledger.MaxArgsOf("epoch")+1)), ledger.Invalid, "arguments of epoch: have 65537 bytes"},
		"no JSON":              {args(epoch, id, []byte("x")), ledger.Invalid, "arguments"},
		"no channel":           {func(s *fakeStub) { s.channel = "" }, ledger.Invalid, "is on assay"},
		"other chaincode":      {func(s *fakeStub) { s.signedArgs = [][]byte{[]byte("pay")} }, ledger.Invalid, "not the one that its caller signed"},
		"passed on":            {func(s *fakeStub) { s.signedFor = "bank" }, ledger.Invalid, `of chaincode "bank", this is assay`},
		"transient":            {func(s *fakeStub) { s.transient = map[string][]byte{"a": nil} }, ledger.Invalid, "takes no transient"},
		"two transient keys":   {func(s *fakeStub) { s.transient = map[string][]byte{"a": nil, "b": nil} }, ledger.Invalid, "2 keys"},
		"long transient key":   {func(s *fakeStub) { s.transient = map[string][]byte{strings.Repeat("x", 65): nil} }, ledger.Invalid, "a key of 65"},
		"long transient":       {func(s *fakeStub) { s.transient = map[string][]byte{"a": make([]byte, ledger.MaxTransient+1)} }, ledger.Invalid, "at most"},
		"late":                 {at(-15 * time.Second), "", ""},
		"too late":             {at(-16 * time.Second), ledger.Expired, "at most 15s between them"},
		"early":                {at(15 * time.Second), "", ""},
		"too early":            {at(16 * time.Second), ledger.Expired, "at most 15s between them"},
		"far off":              {func(s *fakeStub) { s.at = &timestamppb.Timestamp{Seconds: 253_402_300_799} }, ledger.Expired, "at most 15s"},
		"beyond all years":     {func(s *fakeStub) { s.at = &timestamppb.Timestamp{Seconds: 1 << 62} }, ledger.Invalid, "the proposal's time"},
		"no time":              {func(s *fakeStub) { s.at = nil }, ledger.Invalid, "the proposal's time"},
	} {
		stub := w.by("lender", ledger.QueryEpoch, struct{}{})
		test.change(stub)
		r := w.Invoke(stub)
		if test.code == "" {
			if r.GetStatus() != shim.OK {
				t.Errorf("%s: %s", name, r.GetMessage())
			}
		} else if text := w.refused(r, test.code); !strings.Contains(text, test.want) {
			t.Errorf("%s: %q does not say %q", name, text, test.want)
		}
	}
}

// The contract gets whole seconds, as every peer's does.
func TestTimeIsInWholeSeconds(t *testing.T) {
	w := newWorld(t)
	r := w.Invoke(w.by("lender", ledger.QueryEpoch, struct{}{}))
	info, err := ledger.Decode[ledger.EpochInfo]("epoch", r.GetPayload(), 1<<10)
	if err != nil || info.Now != now.Unix() {
		t.Errorf("%+v, %v", info, err)
	}
}

// A failing peer is no refusal, and nothing is half done.
func TestFailures(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{
		"GetCreator", "GetSignedProposal", "GetTransient", "GetTxTimestamp", "GetState", "PutState", "FinishWriteBatch", "SetEvent",
	} {
		stub := w.by("lender", ledger.FnFound, w.genesis)
		stub.fail = method
		if r := w.Invoke(stub); r.GetStatus() != shim.ERROR || r.GetMessage() != failed || !strings.Contains(w.logged.String(), method) || r.GetPayload() != nil {
			t.Errorf("%s: %d %s", method, r.GetStatus(), r.GetMessage())
		}
		if stub.event != "" && method != "SetEvent" {
			t.Errorf("%s: event %s", method, stub.event)
		}
	}
	for _, method := range []string{"GetStateByRange", "Next", "Close"} {
		stub := w.by("lender", ledger.QueryMakers, struct{}{})
		stub.fail, stub.values["maker/a"] = method, []byte("{}")
		if r := w.Invoke(stub); r.GetStatus() != shim.ERROR {
			t.Errorf("%s: %d %s", method, r.GetStatus(), r.GetMessage())
		}
	}
}

type panicking struct{ fakeStub }

func (p *panicking) GetState(string) ([]byte, error) { panic("the argument is secret") }

func TestPanicFailsTheCall(t *testing.T) {
	w := newWorld(t)
	r := w.Invoke(&panicking{*w.by("lender", ledger.FnFound, w.genesis)})
	if r.GetStatus() != shim.ERROR || strings.Contains(r.GetMessage(), "secret") {
		t.Errorf("%d %s", r.GetStatus(), r.GetMessage())
	}
	if text := w.logged.String(); !strings.Contains(text, "panic: string") || !strings.Contains(text, "contract_test.go") || strings.Contains(text, "secret") {
		t.Errorf("log: %s", text)
	}
	if r := w.Invoke(w.by("lender", ledger.FnFound, w.genesis)); r.GetStatus() != shim.OK {
		t.Errorf("the next call: %s", r.GetMessage())
	}
}

func TestLogHasOneLineForACall(t *testing.T) {
	w := newWorld(t)
	w.Invoke(w.by("OperatorMSP", ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "fleet-a", Schema: contracttest.Schema, ChunkSize: 64}))
	w.Invoke(w.by("lender", ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "fleet-b", Schema: contracttest.Schema, ChunkSize: 64}))
	w.Invoke(w.by("stranger", ledger.QueryEpoch, struct{}{}))
	failing := w.by("lender", ledger.QueryMakers, struct{}{})
	failing.fail = "GetStateByRange"
	w.Invoke(failing)
	var got []string
	for line := range strings.Lines(w.logged.String()) {
		var l struct {
			Tx, Channel, Function, Caller, Outcome string
			MS                                     *int64
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.MS == nil || l.Tx != strings.Repeat("ab", 32) {
			t.Errorf("%s: %v", line, err)
		}
		got = append(got, strings.Join([]string{l.Channel, l.Function, l.Caller, l.Outcome}, " "))
	}
	want := []string{
		"assay register_fleet operator done", "assay register_fleet lender forbidden", "assay epoch  forbidden", "assay makers lender failed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if strings.Contains(w.logged.String(), "fleet-") {
		t.Error("the log has arguments in it")
	}
}

// Two organisations' services answer one proposal with the same bytes, and write the same in the same order.
func TestServicesAgree(t *testing.T) {
	w := newWorld(t)
	other := worldOf(t, w.genesis)
	maker := contracttest.NewMaker("maker-a")
	registration := ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}
	calls := []*fakeStub{
		w.by("lender", ledger.FnFound, w.genesis),
		w.by("OperatorMSP", ledger.FnRegisterFleet, ledger.RegisterFleet{ID: "fleet-a", Schema: contracttest.Schema, ChunkSize: 64}),
		w.by("regulator", ledger.FnRegisterMaker, registration),
		w.by("lender", ledger.QueryGenesis, struct{}{}),
	}
	for _, service := range []*world{w, other} {
		if err := consentTo(service, registration); err != nil {
			t.Fatal(err)
		}
	}
	for _, stub := range calls {
		again := *stub
		one, two := w.Invoke(stub), other.Invoke(&again)
		if one.GetStatus() != shim.OK || !proto.Equal(one, two) {
			t.Errorf("%s: %v and %v", stub.args[0], one, two)
		}
		if diff := cmp.Diff(append(stub.written, stub.event), append(again.written, again.event)); diff != "" {
			t.Errorf("%s (-one +other):\n%s", stub.args[0], diff)
		}
	}
}

func consentTo(w *world, maker ledger.RegisterMaker) error { return w.consent.Add(maker.Digest(), "") }

func TestConsentIsAsked(t *testing.T) {
	w := newWorld(t)
	maker := contracttest.NewMaker("maker-a")
	registration := ledger.RegisterMaker{ID: maker.ID, Name: "Maker", Certificate: maker.Cert.Raw}
	call := func() *fakeStub {
		return w.by("regulator", ledger.FnRegisterMaker, registration)
	}
	if text := w.refused(w.Invoke(call()), ledger.NotEndorsed); !strings.Contains(text, "register_maker: this peer does not agree to maker") {
		t.Error(text)
	}
	if err := consentTo(w, registration); err != nil {
		t.Fatal(err)
	}
	if r := w.Invoke(call()); r.GetStatus() != shim.OK {
		t.Error(r.GetMessage())
	}
}

func TestAttestations(t *testing.T) {
	w := newWorld(t)
	list := [][]byte{[]byte("one"), []byte("two")}
	root, err := commit.MerkleRoot(list)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() *fakeStub { return w.by("lender", ledger.QueryAttestations, ledger.AttestationsRef{Root: root}) }
	w.refused(w.Invoke(ask()), ledger.NotFound)
	if err := w.store.Keep(commit.ChunkPlace{Fleet: "fleet"}, root, ledger.JoinAttestations(list)); err != nil {
		t.Fatal(err)
	}
	one, two := w.Invoke(ask()), w.Invoke(ask())
	if one.GetStatus() != shim.OK || string(one.GetPayload()) != string(ledger.JoinAttestations(list)) {
		t.Fatalf("%d %s", one.GetStatus(), one.GetMessage())
	}
	if proto.Equal(one, two) {
		t.Error("two answers are the same: two organisations would endorse that attestations go into a block")
	}
	w.refused(w.Invoke(w.by("lender", ledger.QueryAttestations, struct{ A int }{1})), ledger.Invalid)
	if err := w.store.Keep(commit.ChunkPlace{Fleet: "fleet"}, root, []byte("damaged")); err != nil {
		t.Fatal(err)
	}
	if r := w.Invoke(ask()); r.GetStatus() != shim.ERROR || r.GetPayload() != nil {
		t.Errorf("damaged: %d %s", r.GetStatus(), r.GetMessage())
	}
}

func TestInitIsRefused(t *testing.T) {
	w := newWorld(t)
	if r := w.Init(w.by("lender", "init", nil)); r.GetStatus() != shim.ERROR || !strings.Contains(r.GetMessage(), "init-required") {
		t.Errorf("%d %s", r.GetStatus(), r.GetMessage())
	}
}

func TestNewChecksItsConfiguration(t *testing.T) {
	w := newWorld(t)
	bad := *w.genesis
	bad.Quorum.Regulators = 0
	for name, c := range map[string]Config{"nothing": {}, "no log": {Genesis: w.genesis}, "bad genesis": {Channel: "assay", Genesis: &bad, Log: w.log}} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzParseCall(f *testing.F) {
	id := commit.Digest{1}
	f.Add([]byte("epoch"), []byte(id.String()), []byte("{}"))
	f.Add([]byte("submit_proof"), []byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, function, named, args []byte) {
		call, err := parseCall([][]byte{function, named, args}, id)
		if err != nil {
			return
		}
		if string(named) != id.String() || call.Function != string(function) || len(call.Args) > ledger.MaxArgsOf(call.Function) || checkFunction(call.Function) != nil {
			t.Errorf("accepted %q for %q", function, named)
		}
	})
}
