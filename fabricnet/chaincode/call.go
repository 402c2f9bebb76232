package chaincode

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

const (
	maxFunction = 64
	// maxTransientKey bounds the name of transient input.
	maxTransientKey = 64
)

// readCall takes the call out of the proposal: bounded, for this ledger, and signed as it is.
func (c *Contract) readCall(stub shim.ChaincodeStubInterface) (ledger.Call, error) {
	call, err := parseCall(stub.GetArgs(), c.id)
	if err != nil {
		return ledger.Call{}, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if stub.GetChannelID() != c.channel {
		return ledger.Call{}, ledger.Refuse(ledger.Invalid, "the proposal is for channel %q, the ledger is on %s", stub.GetChannelID(), c.channel)
	}
	if err := c.checkDirect(stub); err != nil {
		return ledger.Call{}, err
	}
	transient, err := stub.GetTransient()
	if err != nil {
		return ledger.Call{}, fmt.Errorf("reading transient input: %w", err)
	}
	if err := checkTransient(transient); err != nil {
		return ledger.Call{}, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	call.Transient = transient
	return call, nil
}

// parseCall reads a call for a ledger from a proposal's arguments.
func parseCall(args [][]byte, id commit.Digest) (ledger.Call, error) {
	if len(args) != 3 {
		return ledger.Call{}, fmt.Errorf("%d arguments, must be 3: function, ledger id, and the function's own", len(args))
	}
	function := string(args[0])
	if err := checkFunction(function); err != nil {
		return ledger.Call{}, err
	}
	var named commit.Digest
	if err := named.UnmarshalText(args[1]); err != nil {
		return ledger.Call{}, fmt.Errorf("ledger id: %w", err)
	}
	if named != id {
		return ledger.Call{}, fmt.Errorf("the proposal is for ledger %s, this is %s", named, id)
	}
	if n, most := len(args[2]), ledger.MaxArgsOf(function); n > most {
		return ledger.Call{}, fmt.Errorf("arguments of %s: have %d bytes, at most %d", function, n, most)
	}
	return ledger.Call{Function: function, Args: args[2]}, nil
}

// checkFunction accepts what a function may be called, so that it can stand in a log.
func checkFunction(name string) error {
	if len(name) == 0 || len(name) > maxFunction {
		return fmt.Errorf("function: has %d characters, must have 1 to %d", len(name), maxFunction)
	}
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && c != '_' {
			return fmt.Errorf("function: %q may hold a-z and '_'", name)
		}
	}
	return nil
}

func checkTransient(transient map[string][]byte) error {
	if len(transient) > 1 {
		return fmt.Errorf("transient input: %d keys, at most 1", len(transient))
	}
	for name, value := range transient {
		if len(name) > maxTransientKey || len(value) > ledger.MaxTransient {
			return fmt.Errorf("transient input: a key of %d bytes with %d bytes, at most %d with %d", len(name), len(value), maxTransientKey, ledger.MaxTransient)
		}
	}
	return nil
}

// checkDirect refuses a call that its caller did not sign: a chaincode that another one calls is told that the other's caller called, but its arguments are
// the other's choice. Where they are the same, the chaincode that the caller named tells.
func (c *Contract) checkDirect(stub shim.ChaincodeStubInterface) error {
	signed, err := stub.GetSignedProposal()
	if err != nil {
		return fmt.Errorf("reading the signed proposal: %w", err)
	}
	var proposal peer.Proposal
	if err := proto.Unmarshal(signed.GetProposalBytes(), &proposal); err != nil {
		return fmt.Errorf("reading the signed proposal: %w", err)
	}
	var payload peer.ChaincodeProposalPayload
	if err := proto.Unmarshal(proposal.GetPayload(), &payload); err != nil {
		return fmt.Errorf("reading the signed proposal's payload: %w", err)
	}
	var invocation peer.ChaincodeInvocationSpec
	if err := proto.Unmarshal(payload.GetInput(), &invocation); err != nil {
		return fmt.Errorf("reading the signed proposal's input: %w", err)
	}
	if name := invocation.GetChaincodeSpec().GetChaincodeId().GetName(); c.chaincode != "" && name != c.chaincode {
		return ledger.Refuse(ledger.Invalid, "the call that its caller signed is of chaincode %.80q, this is %s", name, c.chaincode)
	}
	if !slices.EqualFunc(invocation.GetChaincodeSpec().GetInput().GetArgs(), stub.GetArgs(), bytes.Equal) {
		return ledger.Refuse(ledger.Invalid, "the call is not the one that its caller signed")
	}
	return nil
}

// proposalTime is the proposal's time in whole seconds, if it is close to this service's.
func (c *Contract) proposalTime(stub shim.ChaincodeStubInterface) (time.Time, error) {
	stamp, err := stub.GetTxTimestamp()
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the proposal's time: %w", err)
	}
	if err := stamp.CheckValid(); err != nil {
		return time.Time{}, ledger.Refuse(ledger.Invalid, "the proposal's time: %v", err)
	}
	// In seconds: a duration of a far-off time overflows.
	proposed, now, skew := stamp.GetSeconds(), c.now().Unix(), int64(c.genesis.ClockSkew()/time.Second)
	if proposed < now-skew || proposed > now+skew {
		return time.Time{}, ledger.Refuse(ledger.Expired, "proposed at %d, this peer's time is %d: at most %s between them is accepted", proposed, now, c.genesis.ClockSkew())
	}
	return time.Unix(proposed, 0).UTC(), nil
}
