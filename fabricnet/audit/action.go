package audit

import (
	"errors"
	"iter"
	"slices"
)

// action is the payload of a transaction's action, taken apart without being decoded: whoever submits a transaction can put endorsements into it until it fills a block, and an
// empty one takes two bytes there and a hundred times that in memory. Fabric has no bound for them either.
type action struct {
	encoded  []byte
	proposal []byte // the proposal's payload without transient input
	response []byte // what the endorsers signed
}

// The fields of ChaincodeActionPayload, ChaincodeEndorsedAction and Endorsement.
const (
	fieldProposal    = 1
	fieldAction      = 2
	fieldResponse    = 1
	fieldEndorsement = 2
	fieldEndorser    = 1
	fieldSignature   = 2
)

// splitAction reads what protobuf would: of a field that comes more than once the last one, and of messages all.
func splitAction(encoded []byte) (*action, error) {
	a := &action{encoded: encoded, proposal: inner(encoded, fieldProposal)}
	if !wellFormed(encoded) {
		return nil, errors.New("action: not a protobuf message of its type")
	}
	for endorsed := range fields(encoded, fieldAction) {
		if !wellFormed(endorsed) {
			return nil, errors.New("endorsed action: not a protobuf message of its type")
		}
		if r := inner(endorsed, fieldResponse); r != nil {
			a.response = r
		}
		for e := range fields(endorsed, fieldEndorsement) {
			if !wellFormed(e) {
				return nil, errors.New("endorsement: not a protobuf message of its type")
			}
		}
	}
	return a, nil
}

// endorsements runs over the signatures of the endorsers, each over the response and the endorser.
func (a *action) endorsements() iter.Seq[signature] {
	return func(yield func(signature) bool) {
		for endorsed := range fields(a.encoded, fieldAction) {
			for e := range fields(endorsed, fieldEndorsement) {
				endorser := inner(e, fieldEndorser)
				message := func() []byte { return slices.Concat(a.response, endorser) }
				if !yield(signature{endorser, message, inner(e, fieldSignature)}) {
					return
				}
			}
		}
	}
}
