package contract

import (
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Rule says which organisations must endorse a call. Makers and keys concern every owner: an owner and a lender that it controls must not be able to invent a maker or pin a
// key to a circuit of their own. Every other call concerns one owner, which is found on the ledger and not taken from the caller. What
// the rule reads never changes once written, so that it may be held at commit and again years later.
func Rule(genesis *ledger.Genesis, state State, tx *Tx, call ledger.Call) (ledger.EndorsementRule, error) {
	excluded, err := excludedFrom(genesis, state, tx, call)
	if err != nil {
		return ledger.EndorsementRule{}, err
	}
	return ledger.EndorsementRule{Regulators: genesis.Quorum.Regulators, Others: genesis.Quorum.Others, Excluded: excluded}, nil
}

func excludedFrom(genesis *ledger.Genesis, state State, tx *Tx, call ledger.Call) ([]string, error) {
	switch call.Function {
	case ledger.FnRegisterMaker, ledger.FnPublishKey:
		return genesis.WithRole(ledger.RoleOwner), nil
	case ledger.FnRegisterFleet:
		return []string{tx.Caller.Org}, nil
	case ledger.FnEnrol:
		a, err := decodeArgs[ledger.Enrol](call.Args)
		if err != nil {
			return nil, err
		}
		return fleetOwner(state, a.Fleet)
	case ledger.FnRetire:
		a, err := decodeArgs[ledger.Retire](call.Args)
		if err != nil {
			return nil, err
		}
		return fleetOwner(state, a.Fleet)
	case ledger.FnAnchor:
		a, err := decodeArgs[ledger.AnchorChunk](call.Args)
		if err != nil {
			return nil, err
		}
		return fleetOwner(state, a.Fleet)
	}
	return requestOwner(state, call)
}

func requestOwner(state State, call ledger.Call) ([]string, error) {
	switch call.Function {
	case ledger.FnRequest:
		a, err := decodeArgs[ledger.Ask](call.Args)
		if err != nil {
			return nil, err
		}
		s, err := parseStatement(a.Statement)
		if err != nil {
			return nil, err
		}
		return fleetOwner(state, s.Fleet)
	case ledger.FnDecide:
		a, err := decodeArgs[ledger.Decide](call.Args)
		if err != nil {
			return nil, err
		}
		return ownerOfRequest(state, a.Request)
	case ledger.FnSubmitProof:
		a, err := decodeArgs[ledger.SubmitProof](call.Args)
		if err != nil {
			return nil, err
		}
		return ownerOfRequest(state, a.Request)
	case ledger.FnWithdraw:
		a, err := decodeArgs[ledger.RequestRef](call.Args)
		if err != nil {
			return nil, err
		}
		return ownerOfRequest(state, a.Request)
	}
	return nil, ledger.Refuse(ledger.Invalid, "function %q is not one that changes the ledger", call.Function)
}

func fleetOwner(state State, id string) ([]string, error) {
	f, err := fleet(state, id)
	if err != nil {
		return nil, err
	}
	return []string{f.Owner}, nil
}
