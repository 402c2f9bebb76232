package chaincode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Config is what one organisation's contract runs with.
type Config struct {
	// Genesis is the ledger's. Calls for another ledger are refused.
	Genesis *ledger.Genesis
	// SRS is what attestations are checked against. Without it, anchors are refused.
	SRS *commit.SRS
	// Attestations is where those that were checked are kept.
	Attestations attestations.Store
	// Consent lists the makers' CAs and the verifying keys that this organisation endorses.
	Consent consent.List
	// Channel is the one channel that the ledger is on. On two, a chunk would have two anchors for an epoch.
	Channel string
	// Chaincode is the name by which the channel knows the contract. Calls that were signed for another chaincode, which passed them on, are refused. If it is
	// empty, such calls are refused only if their arguments were changed.
	Chaincode string
	// Log takes a line for each call.
	Log *slog.Logger
	// Now is the clock that proposals are held against, time.Now if nil.
	Now func() time.Time
}

// Contract is the contract as Fabric's chaincode. It may run any number of calls at once.
type Contract struct {
	genesis   *ledger.Genesis
	id        commit.Digest
	canonical []byte
	env       *contract.Environment
	channel   string
	chaincode string
	admission *admission
	store     attestations.Store
	log       *slog.Logger
	now       func() time.Time
}

// New checks the genesis.
func New(c Config) (*Contract, error) {
	if c.Genesis == nil || c.Log == nil || c.Channel == "" {
		return nil, errors.New("contract service: genesis, channel or log is missing")
	}
	if err := c.Genesis.Check(); err != nil {
		return nil, fmt.Errorf("contract service: %w", err)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Contract{
		genesis: c.Genesis, id: c.Genesis.ID(), canonical: c.Genesis.Canonical(),
		env: &contract.Environment{
			SRS: c.SRS, Keep: c.Attestations.Keep, Agree: c.Consent.Agree, Keyrings: &contract.KeyringCache{}, Policies: &contract.PolicyCache{},
		},
		channel: c.Channel, chaincode: c.Chaincode, admission: newAdmission(c.Genesis), store: c.Attestations, log: c.Log, now: c.Now,
	}, nil
}

// Init has nothing to do. A chaincode definition that requires it would leave the contract unusable until somebody called it.
func (c *Contract) Init(shim.ChaincodeStubInterface) *peer.Response {
	return shim.Error("the contract takes no initialisation: leave init-required out of its definition")
}

// Invoke runs one call. See the package's comment for what comes back.
func (c *Contract) Invoke(stub shim.ChaincodeStubInterface) (response *peer.Response) {
	started := time.Now()
	l := &callLine{}
	defer func() {
		if p := recover(); p != nil {
			l.outcome, l.failure, l.stack = outcomeFailed, panicText(p), string(debug.Stack())
			response = shim.Error("the contract failed on this call, see the log of its service")
		}
		c.write(stub, l, time.Since(started))
	}()
	result, err := c.run(stub, l)
	if err != nil {
		response, l.outcome = refuse(err)
		if l.outcome == outcomeFailed {
			l.failure = err.Error()
		}
		return response
	}
	l.outcome = outcomeDone
	return result
}

// panicText says what panicked: the text of the language's own panics, and of others only the type, as they may quote anything.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return "panic: " + err.Error()
	}
	return fmt.Sprintf("panic: %T", p)
}

// run authenticates the caller, reads the call and executes it.
func (c *Contract) run(stub shim.ChaincodeStubInterface, l *callLine) (*peer.Response, error) {
	if args := stub.GetArgs(); len(args) > 0 && checkFunction(string(args[0])) == nil {
		l.function = string(args[0])
	}
	who, err := c.authenticate(stub)
	if err != nil {
		return nil, err
	}
	l.caller = who.org
	leave, err := c.admission.enter(who.org, stub)
	if err != nil {
		return nil, err
	}
	defer leave()
	call, err := c.readCall(stub)
	if err != nil {
		return nil, err
	}
	if !who.May(call.Function) {
		return nil, ledger.Refuse(ledger.Forbidden, "this certificate of %s may not call %s", who.org, call.Function)
	}
	at, err := c.proposalTime(stub)
	if err != nil {
		return nil, err
	}
	tx := &contract.Tx{ID: stub.GetTxID(), Time: at, Caller: contract.Caller{Org: who.org, Attributes: who.Attributes}, Ledger: c.id, Genesis: c.genesis}
	return c.dispatch(stub, tx, call)
}

func (c *Contract) dispatch(stub shim.ChaincodeStubInterface, tx *contract.Tx, call ledger.Call) (*peer.Response, error) {
	query := call.Function == ledger.QueryAttestations || contract.IsQuery(call.Function)
	if len(call.Transient) != 0 && (query || call.Function == ledger.FnFound) {
		return nil, ledger.Refuse(ledger.Invalid, "%s: takes no transient input", call.Function)
	}
	s := newState(stub)
	switch {
	case call.Function == ledger.QueryAttestations:
		return c.attestations(call.Args)
	case query:
		return answer(contract.Query(c.env, tx, s, call.Function, call.Args))
	case call.Function == ledger.FnFound:
		return s.commit(c.found(tx, s, call.Args))
	}
	return s.commit(contract.Execute(c.env, tx, s, call))
}

// callLine is what the log says about a call.
type callLine struct {
	function, caller, outcome string
	failure, stack            string
}

func (c *Contract) write(stub shim.ChaincodeStubInterface, l *callLine, took time.Duration) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("tx", stub.GetTxID()), slog.String("channel", stub.GetChannelID()), slog.String("function", l.function),
		slog.String("caller", l.caller), slog.String("outcome", l.outcome), slog.Int64("ms", took.Milliseconds()),
	}
	if l.outcome == outcomeFailed {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", bounded(l.failure)))
	}
	if l.stack != "" {
		attrs = append(attrs, slog.String("stack", l.stack))
	}
	c.log.LogAttrs(context.Background(), level, "call", attrs...)
}
