package chaincode

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/pkg/attrmgr"
	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/ledger/queryresult"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// now is the clock of the services that tests make.
var now = time.Date(2026, 11, 22, 12, 0, 0, 500, time.UTC)

// world is one organisation's contract and its log.
type world struct {
	*Contract
	t       testing.TB
	genesis *ledger.Genesis
	consent consent.List
	logged  *bytes.Buffer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	g := contracttest.Genesis()
	g.Organisations[0].MSP = "OperatorMSP"
	return worldOf(t, contracttest.WithKeys(g))
}

// worldOf makes another organisation's service for the same ledger.
func worldOf(t testing.TB, g *ledger.Genesis) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, genesis: g, consent: consent.List{Path: filepath.Join(dir, "consent")}, logged: &bytes.Buffer{}}
	var err error
	w.Contract, err = New(Config{
		Channel: "assay", Chaincode: "assay",
		Genesis: g, Attestations: attestations.Store{Dir: filepath.Join(dir, "attestations")}, Consent: w.consent,
		Log: slog.New(slog.NewJSONHandler(w.logged, nil)), Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// by is a call of an organisation's client.
func (w *world) by(mspID, function string, args any) *fakeStub {
	w.t.Helper()
	own, err := json.Marshal(args)
	if err != nil {
		w.t.Fatal(err)
	}
	return &fakeStub{
		args:    [][]byte{[]byte(function), []byte(w.genesis.ID().String()), own},
		creator: creatorOf(w.t, mspID, clientCertificate(w.t, nil)), at: timestamppb.New(now), txID: strings.Repeat("ab", 32), channel: "assay",
		values: map[string][]byte{},
	}
}

// refused checks the code of a refusal and returns its text.
func (w *world) refused(r *peer.Response, code ledger.Code) string {
	w.t.Helper()
	refusal, err := ledger.Decode[ledger.Refusal]("refusal", []byte(r.GetMessage()), 8<<10)
	if err != nil || r.GetStatus() != ledger.RefusedStatus || len(r.GetPayload()) != 0 {
		w.t.Fatalf("status %d, message %q, %v; want a refusal", r.GetStatus(), r.GetMessage(), err)
	}
	if refusal.Code != code {
		w.t.Errorf("refused as %s, want %s: %s", refusal.Code, code, refusal.Message)
	}
	return refusal.Message
}

// certificate issues one by a CA that nobody checks: a real peer has checked it.
func certificate(t testing.TB, change func(*x509.Certificate)) ([]byte, crypto.Signer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "user", OrganizationalUnit: []string{"client"}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key
}

func clientCertificate(t testing.TB, change func(*x509.Certificate)) []byte {
	t.Helper()
	c, _ := certificate(t, change)
	return c
}

// withAttribute is a certificate with a Fabric CA attribute.
func withAttribute(t testing.TB, name, value string) []byte {
	t.Helper()
	return clientCertificate(t, func(c *x509.Certificate) {
		b, err := json.Marshal(attrmgr.Attributes{Attrs: map[string]string{name: value}})
		if err != nil {
			t.Fatal(err)
		}
		c.ExtraExtensions = []pkix.Extension{{Id: attrmgr.AttrOID, Value: b}}
	})
}

func creatorOf(t testing.TB, mspID string, certificate []byte) []byte {
	t.Helper()
	b, err := proto.Marshal(&msp.SerializedIdentity{Mspid: mspID, IdBytes: certificate})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fakeStub stands for a peer that does what no real one can be made to do: fail, cut ranges off, say that another signed. What works is shown on a real network.
type fakeStub struct {
	shim.ChaincodeStubInterface // panics where the contract has no business

	args, signedArgs [][]byte // signedArgs are args if nil
	signedFor        string   // the contract's name if empty
	creator          []byte
	at               *timestamppb.Timestamp
	txID, channel    string
	transient        map[string][]byte
	values           map[string][]byte

	fail  string // the method that fails
	limit int    // of results of a range
	wrong bool   // order of results

	written []string // in order
	event   string
	open    int // iterators
}

func (f *fakeStub) failing(method string) error {
	if f.fail == method {
		return &net.OpError{Op: method, Err: net.ErrClosed}
	}
	return nil
}

func (f *fakeStub) GetArgs() [][]byte           { return f.args }
func (f *fakeStub) GetTxID() string             { return f.txID }
func (f *fakeStub) GetChannelID() string        { return f.channel }
func (f *fakeStub) GetCreator() ([]byte, error) { return f.creator, f.failing("GetCreator") }
func (f *fakeStub) StartWriteBatch()            {}
func (f *fakeStub) FinishWriteBatch() error     { return f.failing("FinishWriteBatch") }
func (f *fakeStub) SetEvent(n string, p []byte) error {
	f.event = n + " " + string(p)
	return f.failing("SetEvent")
}

func (f *fakeStub) GetTransient() (map[string][]byte, error) {
	return f.transient, f.failing("GetTransient")
}

func (f *fakeStub) GetTxTimestamp() (*timestamppb.Timestamp, error) {
	return f.at, f.failing("GetTxTimestamp")
}

func (f *fakeStub) GetSignedProposal() (*peer.SignedProposal, error) {
	args := f.signedArgs
	if args == nil {
		args = f.args
	}
	input := must(proto.Marshal(&peer.ChaincodeInvocationSpec{ChaincodeSpec: &peer.ChaincodeSpec{
		ChaincodeId: &peer.ChaincodeID{Name: cmp.Or(f.signedFor, "assay")}, Input: &peer.ChaincodeInput{Args: args},
	}}))
	payload := must(proto.Marshal(&peer.ChaincodeProposalPayload{Input: input}))
	return &peer.SignedProposal{ProposalBytes: must(proto.Marshal(&peer.Proposal{Payload: payload}))}, f.failing("GetSignedProposal")
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func (f *fakeStub) GetState(key string) ([]byte, error) { return f.values[key], f.failing("GetState") }

func (f *fakeStub) PutState(key string, value []byte) error {
	f.written = append(f.written, key+"="+string(value))
	return f.failing("PutState")
}

func (f *fakeStub) GetStateByRange(start, end string) (shim.StateQueryIteratorInterface, error) {
	r := &fakeRange{stub: f}
	for _, key := range slices.Sorted(maps.Keys(f.values)) {
		if key >= start && key < end && (f.limit == 0 || len(r.left) < f.limit) {
			r.left = append(r.left, &queryresult.KV{Key: key, Value: f.values[key]})
		}
	}
	if f.wrong {
		slices.Reverse(r.left)
	}
	f.open++
	return r, f.failing("GetStateByRange")
}

type fakeRange struct {
	stub *fakeStub
	left []*queryresult.KV
}

func (r *fakeRange) HasNext() bool { return len(r.left) > 0 }
func (r *fakeRange) Close() error  { r.stub.open--; return r.stub.failing("Close") }

func (r *fakeRange) Next() (*queryresult.KV, error) {
	next := r.left[0]
	r.left = r.left[1:]
	return next, r.stub.failing("Next")
}
