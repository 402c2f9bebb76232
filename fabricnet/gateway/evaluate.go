package gateway

import (
	"context"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/attestations"
	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// evaluateAttempts is how often a query is made when the peer does not answer.
const evaluateAttempts = 5

// Evaluate runs a query on the own peer.
func (c *Client) Evaluate(ctx context.Context, function string, args []byte) ([]byte, error) {
	return c.EvaluateOn(ctx, c.own.ID, function, args)
}

// EvaluateOn runs a query on an organisation's peer. What it says is that organisation's word.
func (c *Client) EvaluateOn(ctx context.Context, org, function string, args []byte) ([]byte, error) {
	if !contract.IsQuery(function) && function != ledger.QueryAttestations {
		return nil, ledger.Refuse(ledger.Invalid, "%q is not a query", function)
	}
	if err := checkArgs(function, args); err != nil {
		return nil, err
	}
	return c.evaluate(ctx, org, c.chaincode, function, c.arguments(args)...)
}

// Attestations are those that an organisation's contract service keeps under an anchor's root, in order of slot, after checking that they have this
// root.
func (c *Client) Attestations(ctx context.Context, org string, root commit.Digest) ([][]byte, error) {
	blob, err := c.EvaluateOn(ctx, org, ledger.QueryAttestations, ledger.Encode(ledger.AttestationsRef{Root: root}))
	if err != nil {
		return nil, fmt.Errorf("asking %s for the attestations under %s: %w", org, root, err)
	}
	list, err := attestations.Check(root, blob)
	if err != nil {
		return nil, fmt.Errorf("asking %s for the attestations under %s: %w", org, root, err)
	}
	return list, nil
}

func (c *Client) evaluate(ctx context.Context, org, chaincode, function string, options ...client.ProposalOption) ([]byte, error) {
	o, ok := c.genesis.Organisation(org)
	if !ok {
		return nil, ledger.Refuse(ledger.NotFound, "%q is not an organisation of this ledger", org)
	}
	options = append(options, client.WithEndorsingOrganizations(o.MSPID()))
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Evaluate)
	defer cancel()
	var pause pause
	for attempt := 1; ; attempt++ {
		proposal, err := c.network.GetContract(chaincode).NewProposal(function, options...)
		if err != nil {
			return nil, &Error{Stage: StageEvaluate, Err: err}
		}
		result, err := proposal.EvaluateWithContext(ctx)
		if err == nil {
			return result, nil
		}
		if e := c.proposalError(StageEvaluate, "", []string{org}, err); e.kind != unreachable || attempt == evaluateAttempts || pause.wait(ctx) != nil {
			return nil, e
		}
	}
}

// system asks the system chaincode for the channel's ledger.
func (c *Client) system(ctx context.Context, org, function string, args ...string) ([]byte, error) {
	return c.evaluate(ctx, org, "qscc", function, client.WithArguments(append([]string{c.channel}, args...)...))
}

// Head is the last block of the own peer, with the hash of its header.
func (c *Client) Head(ctx context.Context) (ledger.Head, error) { return c.HeadOf(ctx, c.own.ID) }

// HeadOf is the last block of an organisation's peer, as that peer says.
func (c *Client) HeadOf(ctx context.Context, org string) (ledger.Head, error) {
	b, err := c.system(ctx, org, "GetChainInfo")
	if err != nil {
		return ledger.Head{}, fmt.Errorf("asking %s for the last block: %w", org, err)
	}
	info := &common.BlockchainInfo{}
	if err := proto.Unmarshal(b, info); err != nil {
		return ledger.Head{}, fmt.Errorf("asking %s for the last block: %w", org, err)
	}
	head := ledger.Head{Height: info.GetHeight() - 1}
	if info.GetHeight() == 0 || len(info.GetCurrentBlockHash()) != len(head.Hash) {
		return ledger.Head{}, fmt.Errorf("asking %s for the last block: %d blocks, and a hash of %d bytes", org, info.GetHeight(), len(info.GetCurrentBlockHash()))
	}
	copy(head.Hash[:], info.GetCurrentBlockHash())
	return head, nil
}

// catchUp waits until the organisations' peers have every block that the own peer has now.
func (c *Client) catchUp(ctx context.Context, orgs []string) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Endorse)
	defer cancel()
	own, err := c.Head(ctx)
	if err != nil {
		return err
	}
	for _, org := range orgs {
		var pause pause
		for org != c.own.ID {
			head, err := c.HeadOf(ctx, org)
			if err != nil {
				return err
			}
			if head.Height >= own.Height {
				break
			}
			if err := pause.wait(ctx); err != nil {
				return errors.Join(fmt.Errorf("the peer of %s is at block %d, the own one at %d", org, head.Height, own.Height), err)
			}
		}
	}
	return nil
}
