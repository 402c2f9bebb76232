package audit

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-net/assay/fabricnet/audit/wire"
	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// call is a call of the contract as the transaction has it.
type call struct {
	tx       *contract.Tx
	function string
	args     []byte
}

// readCall takes the call out of a transaction of the contract: who called what, when, on which ledger.
func (a *auditor) readCall(t *transaction) (*call, error) {
	function, args, err := a.arguments(t)
	if err != nil {
		return nil, err
	}
	org, ok := a.Genesis.ByMSP(t.creator.mspID)
	if !ok {
		return nil, fmt.Errorf("the caller's MSP %.64q is of no organisation of the ledger", t.creator.mspID)
	}
	credentials, err := mayCall(t.creator.cert, function)
	if err != nil {
		return nil, err
	}
	if err := t.channel.GetTimestamp().CheckValid(); err != nil {
		return nil, fmt.Errorf("the proposal's time: %w", err)
	}
	at := time.Unix(t.channel.GetTimestamp().GetSeconds(), 0).UTC() // the contract's time is in whole seconds
	return &call{
		tx:       &contract.Tx{ID: t.id, Time: at, Caller: contract.Caller{Org: org.ID, Attributes: credentials.Attributes}, Ledger: a.report.Ledger, Genesis: a.Genesis},
		function: function, args: args,
	}, nil
}

// arguments are the function, the ledger id and the function's own.
func (a *auditor) arguments(t *transaction) (string, []byte, error) {
	proposal, spec := new(wire.ChaincodeProposalPayload), new(wire.ChaincodeInvocationSpec)
	if err := decode("proposal", t.proposal, proposal, limits{2: 0}); err != nil {
		return "", nil, err // transient input does not belong on the channel
	}
	if err := decode("invocation", proposal.Input, spec, nil); err != nil {
		return "", nil, err
	}
	args := spec.GetChaincodeSpec().GetInput().GetArgs()
	if len(args) != 3 {
		return "", nil, fmt.Errorf("has %d arguments, must have 3: function, ledger id, and the function's own", len(args))
	}
	var named commit.Digest
	if err := named.UnmarshalText(args[1]); err != nil || named != a.report.Ledger {
		return "", nil, fmt.Errorf("names ledger %.64q, this is %s", args[1], a.report.Ledger)
	}
	function := string(args[0])
	if len(args[2]) > ledger.MaxArgsOf(function) {
		return "", nil, fmt.Errorf("arguments have %d bytes, at most %d", len(args[2]), ledger.MaxArgsOf(function))
	}
	return function, args[2], nil
}

// mayCall wants a client's or administrator's certificate by its organisational unit, whether the channel's MSPs tell roles by units or not, as the contract's service does;
// and the function among those that it lists, if it lists any.
func mayCall(cert *x509.Certificate, function string) (*contract.Credentials, error) {
	if !contract.ByClient(cert) {
		return nil, errors.New("is called under a certificate that is neither a client's nor an administrator's")
	}
	credentials, err := contract.CredentialsOf(cert)
	if err == nil && !credentials.May(function) {
		err = fmt.Errorf("the caller's certificate is not for %.64q", function)
	}
	return credentials, err
}

// outcome is what a call leaves: writes by key, an event, and a result.
type outcome struct {
	writes map[string][]byte
	name   string
	event  []byte
	result []byte
	// failure is an event that Fabric would not have taken.
	failure error
}

// view is the contract's state during a call. It shows the state as the transactions before left it and keeps what is written to itself.
type view struct {
	state     *state
	namespace string
	out       *outcome
}

func (v *view) Get(key string) ([]byte, error) {
	_, value := v.state.get(publicKey(v.namespace, key))
	return bytes.Clone(value), nil
}

func (v *view) Put(key string, value []byte) error {
	if key == "" || len(value) == 0 {
		return fmt.Errorf("state key %q: empty key or value", key)
	}
	v.out.writes[key] = bytes.Clone(value)
	return nil
}

func (v *view) Range(prefix string, fn func(key string, value []byte) error) error {
	return v.state.scan(v.namespace, prefix, "", func(key string, _ version, value []byte) (bool, error) {
		if !strings.HasPrefix(key, prefix) {
			return false, nil
		}
		return true, fn(key, bytes.Clone(value))
	})
}

func (v *view) Event(name string, payload []byte) {
	if v.out.name != "" || name == "" {
		v.out.failure = errors.New("the contract puts a second event or one without a name")
	}
	v.out.name, v.out.event = name, bytes.Clone(payload)
}

// recorded is a transaction's outcome as the endorsers signed it. What the contract never does is an error: deleting, writing twice, writing elsewhere.
func recorded(t *transaction) (*outcome, error) {
	out := &outcome{writes: map[string][]byte{}}
	for _, n := range t.sets {
		if n.name != t.chaincode {
			if n.writes() {
				return nil, fmt.Errorf("writes to namespace %.64q", n.name)
			}
			continue
		}
		if len(n.public.MetadataWrites) > 0 || len(n.collections) > 0 {
			return nil, errors.New("writes metadata or private data")
		}
		for _, w := range n.public.Writes {
			if _, twice := out.writes[w.Key]; twice || w.IsDelete || len(w.Value) == 0 {
				return nil, fmt.Errorf("deletes key %.128q or writes it twice", w.Key)
			}
			out.writes[w.Key] = w.Value
		}
	}
	if len(t.action.Events) > 0 {
		event := new(wire.ChaincodeEvent)
		if err := decode("event", t.action.Events, event, nil); err != nil {
			return nil, err
		}
		if event.TxId != t.id {
			return nil, fmt.Errorf("has an event of transaction %.64q", event.TxId)
		}
		out.name, out.event = event.EventName, event.Payload
	}
	if r := t.action.Response; r.GetStatus() != 200 || r.GetMessage() != "" {
		return nil, fmt.Errorf("the endorsers signed a response of status %d, %.128q", r.GetStatus(), r.GetMessage())
	}
	out.result = t.action.Response.GetPayload()
	return out, nil
}

// differs names the first difference between what was recorded and what the contract gives.
func (o *outcome) differs(got *outcome) error {
	for _, key := range slices.Sorted(keysOf(o.writes, got.writes)) {
		if !bytes.Equal(o.writes[key], got.writes[key]) {
			return fmt.Errorf("state key %.128q is recorded with %s, the contract gives %s", key, short(o.writes[key]), short(got.writes[key]))
		}
	}
	if o.name != got.name || !bytes.Equal(o.event, got.event) {
		return fmt.Errorf("event %.64q with %s is recorded, the contract gives %.64q with %s", o.name, short(o.event), got.name, short(got.event))
	}
	if !bytes.Equal(o.result, got.result) {
		return fmt.Errorf("result %s is recorded, the contract gives %s", short(o.result), short(got.result))
	}
	return nil
}

// keysOf runs over the keys of both maps, those of both once.
func keysOf(a, b map[string][]byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key := range a {
			if !yield(key) {
				return
			}
		}
		for key := range b {
			if _, both := a[key]; !both && !yield(key) {
				return
			}
		}
	}
}

func short(b []byte) string {
	if b == nil {
		return "nothing"
	}
	if len(b) > 96 {
		return fmt.Sprintf("%q… (%d bytes)", b[:96], len(b))
	}
	return fmt.Sprintf("%q", b)
}
