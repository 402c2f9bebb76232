package contract_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// world is a consortium whose state is in memory. Every call in it is run twice, and must write the same bytes.
type world struct {
	t       *testing.T
	genesis *ledger.Genesis
	// signers are the organisations' keys.
	signers map[string]crypto.Signer
	id      commit.Digest
	state   *contracttest.State
	now     time.Time
	srs     *commit.SRS
	maker   *contracttest.Maker
	kept    map[commit.Digest][]byte
	calls   int
	nonce   byte
	// policies is shared by all calls.
	policies *contract.PolicyCache
	// attributes are those of every caller's certificate.
	attributes map[string]string
}

const fleetID = "fleet-a"

// newWorld has a registered maker, fleets of operator ("fleet-a") and rival ("fleet-b"), the SRS pinned, and a grant of fleet-a to the lender. It is noon in epoch 10.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := bareWorld(t)
	w.populate(contracttest.SRSKey(w.srs))
	return w
}

// populate has everybody but devices do what there is to do before the rest.
func (w *world) populate(keys ...verify.PublishedKey) {
	w.t.Helper()
	w.must(contracttest.Regulator, ledger.FnRegisterMaker, ledger.RegisterMaker{ID: w.maker.ID, Name: "Maker A", Certificate: w.maker.Cert.Raw})
	w.must(contracttest.Operator, ledger.FnRegisterFleet, fleetArgs(fleetID))
	w.must(contracttest.Rival, ledger.FnRegisterFleet, fleetArgs("fleet-b"))
	for _, k := range keys {
		w.must(contracttest.Regulator, ledger.FnPublishKey, k)
	}
	w.must(contracttest.Operator, ledger.FnPublishPolicy, ledger.PublishPolicy{Text: contracttest.PermissivePolicy()})
	w.must(contracttest.Operator, ledger.FnGrant, ledger.Grant{Terms: contracttest.Terms(fleetID)})
}

func bareWorld(t *testing.T) *world {
	g, signers := contracttest.WithSigners(contracttest.Genesis())
	return worldOf(t, g, signers)
}

func worldOf(t *testing.T, g *ledger.Genesis, signers map[string]crypto.Signer) *world {
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, genesis: g, signers: signers, id: g.ID(), state: contracttest.NewState(), srs: contracttest.SRS(),
		maker: contracttest.NewMaker("maker-a"), kept: map[commit.Digest][]byte{}, policies: &contract.PolicyCache{}}
	w.at(10, 12*time.Hour)
	return w
}

func fleetArgs(id string) ledger.RegisterFleet {
	return ledger.RegisterFleet{ID: id, Schema: contracttest.Schema, ChunkSize: contracttest.ChunkSize}
}

// at sets the clock to some time after an epoch's start, and has the regulator open the epoch and the two before it in time.
func (w *world) at(epoch uint64, after time.Duration) {
	w.t.Helper()
	for e := epoch - 2; e <= epoch; e++ {
		w.clock(e, 0)
		if _, err := w.do(regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: e}); err != nil && ledger.CodeOf(err) != ledger.Conflict {
			w.t.Fatal(err)
		}
	}
	w.clock(epoch, after)
}

// clock only sets the clock.
func (w *world) clock(epoch uint64, after time.Duration) {
	w.now = w.genesis.EpochStart(epoch).Add(after)
}

func (w *world) environment() *contract.Environment {
	return &contract.Environment{SRS: w.srs, Policies: w.policies, Keep: func(_ commit.ChunkPlace, root commit.Digest, blob []byte) error {
		w.kept[root] = bytes.Clone(blob)
		return nil
	}}
}

func (w *world) tx(org string) *contract.Tx {
	id := sha256.Sum256(fmt.Append(nil, w.calls))
	return &contract.Tx{ID: commit.Digest(id).String(), Time: w.now, Caller: contract.Caller{Org: org, Attributes: w.attributes}, Ledger: w.id, Genesis: w.genesis}
}

// do runs a call twice and commits what it writes, unless it is refused.
func (w *world) do(org, function string, args any, transient ...[]byte) ([]byte, error) {
	w.t.Helper()
	w.calls++
	call := ledger.Call{Function: function, Args: encodeArgs(args)}
	if transient != nil {
		call.Transient = map[string][]byte{ledger.TransientAttestations: ledger.JoinAttestations(transient)}
	}
	first, second := w.state.Begin(), w.state.Begin()
	result, err := contract.Execute(w.environment(), w.tx(org), first, call)
	again, errAgain := contract.Execute(w.environment(), w.tx(org), second, call)
	if !bytes.Equal(result, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
		w.t.Fatalf("%s: two runs differ: %s, %v and %s, %v", function, result, err, again, errAgain)
	}
	if diff := cmp.Diff(first.Writes, second.Writes); diff != "" || first.Name != second.Name || !bytes.Equal(first.Payload, second.Payload) {
		w.t.Fatalf("%s: two runs write different things: %s", function, diff)
	}
	if err != nil {
		return nil, err
	}
	if first.Failure != nil || !ledger.IsEvent(first.Name) {
		w.t.Fatalf("%s: event %q, %v", function, first.Name, first.Failure)
	}
	first.Commit()
	return result, nil
}

// reads runs a call without committing it and gives the keys that it read, on which it stands when it is committed.
func (w *world) reads(org, function string, args any, transient ...[]byte) map[string]bool {
	w.t.Helper()
	state := w.state.Begin()
	call := ledger.Call{Function: function, Args: encodeArgs(args)}
	if transient != nil {
		call.Transient = map[string][]byte{ledger.TransientAttestations: ledger.JoinAttestations(transient)}
	}
	if _, err := contract.Execute(w.environment(), w.tx(org), state, call); err != nil && ledger.CodeOf(err) != ledger.Conflict {
		w.t.Fatal(err)
	}
	return state.Reads
}

func encodeArgs(args any) []byte {
	if b, ok := args.([]byte); ok {
		return b
	}
	return ledger.Encode(args)
}

func (w *world) must(org, function string, args any, transient ...[]byte) []byte {
	w.t.Helper()
	result, err := w.do(org, function, args, transient...)
	if err != nil {
		w.t.Fatalf("%s by %s: %v", function, org, err)
	}
	return result
}

// refused runs a call that must be refused with a code, and a message that contains some text.
func (w *world) refused(code ledger.Code, text, org, function string, args any, transient ...[]byte) {
	w.t.Helper()
	before := w.state.Keys()
	_, err := w.do(org, function, args, transient...)
	if ledger.CodeOf(err) != code || !strings.Contains(err.Error(), text) {
		w.t.Errorf("%s by %s: got %v, want %s with %q", function, org, err, code, text)
	}
	if diff := cmp.Diff(before, w.state.Keys()); diff != "" {
		w.t.Errorf("%s was refused and wrote %s", function, diff)
	}
}

func query[T any](w *world, function string, args any) T {
	w.t.Helper()
	result, err := contract.Query(w.environment(), w.tx(contracttest.Lender), w.state.Begin(), function, ledger.Encode(args))
	if err != nil {
		w.t.Fatalf("%s: %v", function, err)
	}
	v, err := ledger.Decode[T](function, result, 1<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	return *v
}

func (w *world) place(epoch uint64, chunk uint32) commit.ChunkPlace {
	return commit.ChunkPlace{Ledger: w.id, SRS: w.srs.Digest(), Fleet: fleetID, Chunk: chunk, Size: contracttest.ChunkSize, Epoch: epoch}
}

// enrolled puts new devices into the first slots of a chunk of fleet-a.
func (w *world) enrolled(chunk uint32, count int) []contracttest.Device {
	w.t.Helper()
	devices := w.maker.Devices(fmt.Sprintf("pack-%d", chunk), count)
	w.must(contracttest.Operator, ledger.FnEnrol, contracttest.Enrolment(w.id, fleetID, chunk, 0, devices))
	return devices
}

// attested lets devices in the first slots attest.
func (w *world) attested(epoch uint64, chunk uint32, devices []contracttest.Device) [][]byte {
	out := make([][]byte, len(devices))
	for i, d := range devices {
		out[i] = contracttest.Attest(w.srs, w.place(epoch, chunk), uint32(i), d)
	}
	return out
}
