// Package admin is one organisation's administrator on a Fabric channel: it joins peers to the channel, takes the contract through
// its lifecycle (install, approve, check readiness, commit), lists channels and peers, and reads blocks for a regulator.
//
// It promises:
//   - every call ends with its context, and at the latest after [stepTimeout] where the context has no deadline;
//   - every error is a [StepError]: what was being done, at which node, and what that node said;
//   - what can be repeated is repeated safely. Joining a channel that was joined, installing an installed package, approving an
//     approved definition and committing a committed one all succeed and change nothing;
//   - an answer from a peer is taken only if it is signed by a member of the channel;
//   - it leaves no file behind: configuration and keys are held in memory, and nothing is printed.
//
// It does not promise:
//   - that TLS tells the nodes apart: the TLS roots of every node that is named are trusted for all of them. What counts is signed;
//   - agreement. An administrator asks one peer of its own organisation, and believes it about heights, blocks and approvals. A
//     regulator who wants proof verifies the exported blocks, which carry hashes and the orderers' signatures;
//   - that a transaction whose wait was cut short by its context was not committed. Ask again: [Admin.Committed] and the calls that
//     can be repeated say what became of it.
//
// The package stands on fabric-sdk-go, whose protobuf types clash with those of the newer Fabric libraries: a program that links it
// must not link fabric-gateway or fabric-chaincode-go.
package admin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hyperledger/fabric-sdk-go/pkg/client/ledger"
	"github.com/hyperledger/fabric-sdk-go/pkg/client/resmgmt"
	fabcontext "github.com/hyperledger/fabric-sdk-go/pkg/common/providers/context"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
	"github.com/hyperledger/fabric-sdk-go/pkg/fabsdk"
)

// stepTimeout ends a step whose context has no deadline.
const stepTimeout = 5 * time.Minute

// reconnectTimeout is how long a connection that broke has to come back while the node can be reached.
const reconnectTimeout = 10 * time.Second

// Config says whose administrator this is and which nodes it asks.
type Config struct {
	// MSPID names the organisation to the channel.
	MSPID string
	// Certificate and Key are paths of PEM files: an identity with the admin role, and its EC key.
	Certificate, Key string
	// Channel is the channel's name.
	Channel string
	// Peer is the organisation's own peer. All questions go to it.
	Peer Node
	// Orderers take transactions. Approve, Commit and Invoke need one; a second is tried when the first does not answer.
	Orderers []Node
}

// Admin is an organisation's administrator. It may be used by several goroutines.
type Admin struct {
	config    Config
	sdk       *fabsdk.FabricSDK
	client    fabcontext.Client
	channel   fabcontext.ChannelProvider
	resources *resmgmt.Client
	peer      fab.Peer

	mu     sync.Mutex
	nodes  map[string]Node // by address
	blocks *ledger.Client  // made when first used: a channel must have been joined
	calls  sync.WaitGroup  // calls of the library that are under way, some of them given up by their callers
	closed bool
}

// Open reads the identity and prepares connections. It connects to nobody yet.
func Open(c Config) (*Admin, error) {
	raw, err := libraryConfig(c)
	if err != nil {
		return nil, fmt.Errorf("opening administration of %s: %w", c.MSPID, err)
	}
	sdk, err := fabsdk.New(fromRaw(raw), fabsdk.WithLoggerPkg(silence{}), fabsdk.WithCorePkg(&memoryOnly{}),
		fabsdk.WithServicePkg(&ownServices{}))
	if err != nil {
		return nil, fmt.Errorf("opening administration of %s: %w", c.MSPID, err)
	}
	a := &Admin{config: c, sdk: sdk, nodes: map[string]Node{}}
	for _, n := range append([]Node{c.Peer}, c.Orderers...) {
		a.nodes[n.Address] = n
	}
	if err := a.connectClients(); err != nil {
		sdk.Close()
		return nil, fmt.Errorf("opening administration of %s: %w", c.MSPID, err)
	}
	return a, nil
}

func (a *Admin) connectClients() (err error) {
	identity := []fabsdk.ContextOption{fabsdk.WithUser(adminName), fabsdk.WithOrg(organisationName)}
	provider := a.sdk.Context(identity...)
	if a.client, err = provider(); err != nil {
		return fmt.Errorf("identity %s: %w", a.config.Certificate, err)
	}
	a.channel = a.sdk.ChannelContext(a.config.Channel, identity...)
	if a.resources, err = resmgmt.New(provider); err != nil {
		return err
	}
	a.peer, err = a.target(a.config.Peer, a.config.MSPID)
	return err
}

// Close releases connections. Calls that were given up when their context ended are waited for in the background.
func (a *Admin) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return
	}
	a.closed = true
	go func() {
		a.calls.Wait()
		a.sdk.Close()
	}()
}

// target makes a peer that proposals can be sent to. Whose it is may be unknown.
func (a *Admin) target(n Node, mspID string) (fab.Peer, error) {
	root, err := a.trust(n)
	if err != nil {
		return nil, err
	}
	return a.client.InfraProvider().CreatePeerFromConfig(&fab.NetworkPeer{
		PeerConfig: fab.PeerConfig{URL: n.url(), GRPCOptions: n.options(), TLSCACert: root}, MSPID: mspID})
}

// orderer makes an orderer that blocks can be fetched from.
func (a *Admin) orderer(n Node) (fab.Orderer, error) {
	root, err := a.trust(n)
	if err != nil {
		return nil, err
	}
	return a.client.InfraProvider().CreateOrdererFromConfig(&fab.OrdererConfig{URL: n.url(), GRPCOptions: n.options(), TLSCACert: root})
}

// trust has the library trust a node's TLS roots, of which it takes only one by itself, and returns the first.
func (a *Admin) trust(n Node) (*x509.Certificate, error) {
	roots, err := n.roots()
	if err != nil {
		return nil, err
	}
	a.client.EndpointConfig().TLSCACertPool().Add(roots...)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.nodes[n.Address] = n
	return roots[0], nil
}

// ledger is the client that reads blocks.
func (a *Admin) ledger() (*ledger.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.blocks != nil {
		return a.blocks, nil
	}
	client, err := ledger.New(a.channel)
	if err == nil {
		a.blocks = client
	}
	return client, err
}

// within runs a call that may be repeated. The library gives up at once where a connection that broke is not up again yet: as long as the node itself
// can be reached, the call is made again.
func within[T any](ctx context.Context, a *Admin, call func(ctx context.Context) (T, error)) (T, error) {
	patience, cancel := context.WithTimeout(ctx, reconnectTimeout)
	defer cancel()
	for {
		value, err := once(ctx, a, call)
		if err == nil || !a.reachable(err) || pause(patience) != nil {
			return value, err
		}
	}
}

// once runs a call of the library, some of which do not look at a context, and gives it up when the context ends.
func once[T any](ctx context.Context, a *Admin, call func(ctx context.Context) (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return none, errClosed
	}
	a.calls.Add(1)
	a.mu.Unlock()
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		defer a.calls.Done()
		value, err := call(ctx)
		answers <- answer{value, err}
	}()
	select {
	case got := <-answers:
		if got.err != nil && ctx.Err() != nil {
			return got.value, fmt.Errorf("%w: %w", ctx.Err(), got.err)
		}
		return got.value, got.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

var errClosed = errors.New("the administrator was closed")
