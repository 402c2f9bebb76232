package admin

import (
	"context"
	"fmt"

	"github.com/hyperledger/fabric-sdk-go/pkg/client/channel"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
)

// maxArguments bounds the arguments of a call.
const maxArguments = 64

// Invoke submits one transaction: the chaincode is called with args, of which the first is the function, on the endorsers given, or on the
// organisation's own peer where there are none, and what they agree on is ordered. Invoke returns when the organisation's own peer has
// committed it. Where the transaction was refused its id may come with the error; where the context ended, what becomes of it is not known.
//
// It founds a ledger. Clients of the contract go through the gateway.
func (a *Admin) Invoke(ctx context.Context, chaincode string, args [][]byte, endorsers []Node) (txID string, err error) {
	step := "invoking " + chaincode
	if len(args) == 0 || len(args) > maxArguments || len(args[0]) == 0 {
		return "", a.failed(step, "", fmt.Errorf("%d arguments, must be 1 to %d and begin with the function", len(args), maxArguments))
	}
	step += " " + string(args[0])
	if len(a.config.Orderers) == 0 {
		return "", a.failed(step, "", errNoOrderer)
	}
	if len(endorsers) > maxOthers {
		return "", a.failed(step, "", fmt.Errorf("%d endorsers, at most %d", len(endorsers), maxOthers))
	}
	targets := []fab.Peer{a.peer}
	if len(endorsers) > 0 {
		targets = nil
	}
	for _, n := range endorsers {
		peer, err := a.target(n, "")
		if err != nil {
			return "", a.failed(step, n.Address, err)
		}
		targets = append(targets, peer)
	}
	answer, err := once(ctx, a, func(ctx context.Context) (channel.Response, error) {
		client, err := channel.New(a.channel)
		if err != nil {
			return channel.Response{}, err
		}
		return client.Execute(channel.Request{ChaincodeID: chaincode, Fcn: string(args[0]), Args: args[1:]},
			channel.WithParentContext(ctx), channel.WithTimeout(fab.Execute, stepTimeout), channel.WithTargets(targets...))
	})
	return string(answer.TransactionID), a.failed(step, "", err)
}
