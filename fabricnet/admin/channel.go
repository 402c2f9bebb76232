package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-protos-go/gossip"
	"github.com/hyperledger/fabric-sdk-go/pkg/client/resmgmt"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/retry"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/errors/status"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	fabcontext "github.com/hyperledger/fabric-sdk-go/pkg/context"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/discovery"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/resource"
	"google.golang.org/protobuf/protoadapt"

	"github.com/assay-net/assay/fabricnet/blockfile"
)

// maxPeers bounds the peers that are taken from discovery.
const maxPeers = 4096

// PeerInfo is a peer of the channel that is alive, as our own peer sees it.
type PeerInfo struct {
	MSPID   string
	Address string
	// Height is the number of blocks that the peer has told of.
	Height uint64
	// Chaincodes are names and versions the peer can run, sorted.
	Chaincodes []string
}

// JoinChannel joins the organisation's peer to the channel, with the channel's genesis block or, where block is empty, with the one that the
// first orderer has. A peer that has joined already is left as it is.
func (a *Admin) JoinChannel(ctx context.Context, block []byte) error {
	const step = "joining the channel"
	joined, err := a.Channels(ctx)
	if err != nil {
		return err
	}
	if slices.Contains(joined, a.config.Channel) {
		return nil
	}
	if len(block) == 0 {
		err = a.joinFromOrderer(ctx)
	} else {
		err = a.joinWithBlock(ctx, block)
	}
	if err == nil {
		return nil
	}
	// Someone else may have joined it meanwhile.
	if joined, again := a.Channels(ctx); again == nil && slices.Contains(joined, a.config.Channel) {
		return nil
	}
	return a.failed(step+" "+a.config.Channel, a.config.Peer.Address, err)
}

func (a *Admin) joinFromOrderer(ctx context.Context) error {
	if len(a.config.Orderers) == 0 {
		return errors.New("there is neither a genesis block nor an orderer to ask for it")
	}
	orderer, err := a.orderer(a.config.Orderers[0])
	if err != nil {
		return err
	}
	// An orderer that has just been given the channel answers that it is not there, for a moment.
	codes := map[status.Group][]status.Code{}
	for group, c := range retry.ResMgmtDefaultRetryableCodes {
		codes[group] = c
	}
	codes[status.OrdererServerStatus] = []status.Code{status.Code(common.Status_SERVICE_UNAVAILABLE), status.Code(common.Status_NOT_FOUND)}
	patience := retry.Opts{Attempts: 7, InitialBackoff: 200 * time.Millisecond, MaxBackoff: 3 * time.Second, BackoffFactor: 1.5, RetryableCodes: codes}
	_, err = within(ctx, a, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, a.resources.JoinChannel(a.config.Channel, resmgmt.WithParentContext(ctx), resmgmt.WithTargets(a.peer),
			resmgmt.WithOrderer(orderer), resmgmt.WithRetry(patience))
	})
	return err
}

func (a *Admin) joinWithBlock(ctx context.Context, encoded []byte) error {
	block, err := genesisBlock(encoded, a.config.Channel)
	if err != nil {
		return err
	}
	_, err = within(ctx, a, func(ctx context.Context) (struct{}, error) {
		request, cancel := fabcontext.NewRequest(a.client, fabcontext.WithTimeout(stepTimeout), fabcontext.WithParent(ctx))
		defer cancel()
		return struct{}{}, resource.JoinChannel(request, resource.JoinChannelRequest{Name: a.config.Channel, GenesisBlock: block},
			[]fab.ProposalProcessor{a.peer})
	})
	return err
}

// genesisBlock decodes a channel's first block and checks that it is this channel's.
func genesisBlock(encoded []byte, channel string) (*common.Block, error) {
	if len(encoded) > blockfile.MaxBlock {
		return nil, fmt.Errorf("the genesis block has %d bytes, at most %d", len(encoded), blockfile.MaxBlock)
	}
	block := &common.Block{}
	if err := decode(encoded, block); err != nil {
		return nil, fmt.Errorf("decoding the genesis block: %w", err)
	}
	if block.Header == nil || block.Header.Number != 0 || len(block.Data.GetData()) != 1 {
		return nil, errors.New("the block is not a channel's first one")
	}
	envelope, payload, header := &common.Envelope{}, &common.Payload{}, &common.ChannelHeader{}
	for _, step := range []struct {
		from func() []byte
		to   protoadapt.MessageV1
	}{
		{func() []byte { return block.Data.Data[0] }, envelope},
		{func() []byte { return envelope.Payload }, payload},
		{func() []byte { return payload.GetHeader().GetChannelHeader() }, header},
	} {
		if err := decode(step.from(), step.to); err != nil {
			return nil, fmt.Errorf("decoding the genesis block: %w", err)
		}
	}
	if header.ChannelId != channel {
		return nil, fmt.Errorf("the genesis block is that of channel %q, not of %q", header.ChannelId, channel)
	}
	return block, nil
}

// Channels lists the channels that the organisation's peer has joined, sorted.
func (a *Admin) Channels(ctx context.Context) ([]string, error) {
	names, err := within(ctx, a, func(ctx context.Context) ([]string, error) {
		answer, err := a.resources.QueryChannels(resmgmt.WithParentContext(ctx), resmgmt.WithTargets(a.peer))
		if err != nil {
			return nil, err
		}
		var names []string
		for _, c := range answer.Channels {
			names = append(names, c.ChannelId)
		}
		slices.Sort(names)
		return names, nil
	})
	return names, a.failed("listing the peer's channels", a.config.Peer.Address, err)
}

// Peers lists the peers of the channel that our own peer knows to be alive, itself included, sorted by MSP id and address.
func (a *Admin) Peers(ctx context.Context) ([]PeerInfo, error) {
	peers, err := within(ctx, a, a.discover)
	return peers, a.failed("listing the channel's peers", a.config.Peer.Address, err)
}

func (a *Admin) discover(ctx context.Context) ([]PeerInfo, error) {
	client, err := discovery.New(a.client)
	if err != nil {
		return nil, err
	}
	own, ok := a.client.EndpointConfig().PeerConfig(peerName)
	if !ok {
		return nil, errors.New("no peer is configured")
	}
	request, cancel := fabcontext.NewRequest(a.client, fabcontext.WithTimeout(stepTimeout), fabcontext.WithParent(ctx))
	defer cancel()
	answers, err := client.Send(request, discovery.NewRequest().OfChannel(a.config.Channel).AddPeersQuery(), *own)
	if err != nil {
		return nil, err
	}
	answer, ok := <-answers
	if !ok {
		return nil, errors.New("no answer")
	}
	if err := answer.Error(); err != nil {
		return nil, err
	}
	found, err := answer.ForChannel(a.config.Channel).Peers()
	if err != nil {
		return nil, err
	}
	if len(found) > maxPeers {
		return nil, fmt.Errorf("%d peers, at most %d", len(found), maxPeers)
	}
	var peers []PeerInfo
	for _, p := range found {
		if p.AliveMessage == nil || p.StateInfoMessage == nil {
			continue
		}
		peers = append(peers, newPeerInfo(p.MSPID, p.AliveMessage.GossipMessage, p.StateInfoMessage.GossipMessage))
	}
	slices.SortFunc(peers, func(x, y PeerInfo) int {
		return cmp.Or(cmp.Compare(x.MSPID, y.MSPID), cmp.Compare(x.Address, y.Address))
	})
	return peers, nil
}

// newPeerInfo takes from a peer's announcements where it is and what it has.
func newPeerInfo(mspID string, alive, state *gossip.GossipMessage) PeerInfo {
	properties := state.GetStateInfo().GetProperties()
	info := PeerInfo{MSPID: mspID, Address: alive.GetAliveMsg().GetMembership().GetEndpoint(), Height: properties.GetLedgerHeight()}
	for _, c := range properties.GetChaincodes() {
		info.Chaincodes = append(info.Chaincodes, c.GetName()+" "+c.GetVersion())
	}
	slices.Sort(info.Chaincodes)
	return info
}
