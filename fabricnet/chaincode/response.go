package chaincode

import (
	"errors"
	"strings"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Outcomes of a call in the log, beside the codes of refusals.
const (
	outcomeDone   = "done"
	outcomeFailed = "failed"
)

// maxMessage bounds the text of a refusal or failure.
const maxMessage = 4 << 10

// failed is all that others learn of a failure, whose text may tell of this machine's files.
const failed = "the contract's service could not run the call: its log says why"

func answer(result []byte, err error) (*peer.Response, error) {
	if err != nil {
		return nil, err
	}
	return shim.Success(result), nil
}

// refuse makes the response to a call that failed, and its outcome in the log.
func refuse(err error) (*peer.Response, string) {
	var r *ledger.Refusal
	if !errors.As(err, &r) {
		return shim.Error(failed), outcomeFailed
	}
	// The refusal's context is worth keeping, its code is told once.
	text := strings.Replace(err.Error(), r.Error(), r.Message, 1)
	message := ledger.Encode(ledger.Refusal{Code: r.Code, Message: bounded(text)})
	return &peer.Response{Status: ledger.RefusedStatus, Message: string(message)}, string(r.Code)
}

// bounded makes a text fit for a message: protobuf takes valid UTF-8 alone.
func bounded(text string) string {
	if len(text) > maxMessage {
		text = text[:maxMessage]
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
