package admin

import (
	"errors"
	"sync"

	"github.com/hyperledger/fabric-sdk-go/pkg/client/common/discovery/staticdiscovery"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/options"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/fab/events/deliverclient"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk/factory/defsvc"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk/provider/chpvdr"
)

// ownServices replaces three of the library's services of a channel. Membership is decided by [membership]. Peers are the organisation's own
// one, at the address and with the server name that we were given, and not whatever discovery names; so commit events come from it too.
type ownServices struct{ defsvc.ProviderFactory }

func (*ownServices) CreateChannelProvider(config fab.EndpointConfig, opts ...options.Opt) (fab.ChannelProvider, error) {
	base, err := chpvdr.New(config, opts...)
	if err != nil {
		return nil, err
	}
	return &channelProvider{base: base, events: map[string]*chpvdr.EventClientRef{}}, nil
}

type channelProvider struct {
	base *chpvdr.ChannelProvider

	mu     sync.Mutex
	events map[string]*chpvdr.EventClientRef // by channel
}

func (p *channelProvider) ChannelService(ctx fab.ClientContext, channelID string) (fab.ChannelService, error) {
	base, err := p.base.ChannelService(ctx, channelID)
	if err != nil {
		return nil, err
	}
	return &channelService{ChannelService: base, provider: p, ctx: ctx, id: channelID}, nil
}

// Close ends connections.
func (p *channelProvider) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, events := range p.events {
		events.Close()
	}
	p.base.Close()
}

type channelService struct {
	fab.ChannelService
	provider *channelProvider
	ctx      fab.ClientContext
	id       string
}

func (s *channelService) Membership() (fab.ChannelMembership, error) {
	return &membership{config: s.ChannelConfig}, nil
}

func (s *channelService) Discovery() (fab.DiscoveryService, error) {
	return staticdiscovery.NewService(s.ctx.EndpointConfig(), s.ctx.InfraProvider(), s.id)
}

// EventService is one connection for all calls, made when the first waits for a commit, closed when none has for a while.
func (s *channelService) EventService(...options.Opt) (fab.EventService, error) {
	s.provider.mu.Lock()
	defer s.provider.mu.Unlock()
	if events, ok := s.provider.events[s.id]; ok && !events.Closed() {
		return events, nil
	}
	events := chpvdr.NewEventClientRef(s.ctx.EndpointConfig().Timeout(fab.EventServiceIdle), func() (fab.EventClient, error) {
		config, err := s.ChannelConfig()
		if err != nil {
			return nil, err
		}
		peers, err := s.Discovery()
		if err != nil {
			return nil, err
		}
		return deliverclient.New(s.ctx, config, peers)
	})
	s.provider.events[s.id] = events
	return events, nil
}

func (s *channelService) Selection() (fab.SelectionService, error) { return noSelection{}, nil }

// noSelection stands where the library would choose endorsers: they are always named.
type noSelection struct{}

func (noSelection) GetEndorsersForChaincode([]*fab.ChaincodeCall, ...options.Opt) ([]fab.Peer, error) {
	return nil, errors.New("no endorsers are named")
}
