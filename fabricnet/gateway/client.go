package gateway

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/hyperledger/fabric-gateway/pkg/client"
	"github.com/hyperledger/fabric-gateway/pkg/hash"
	"github.com/hyperledger/fabric-gateway/pkg/identity"
	"google.golang.org/grpc"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
)

// Client is an organisation's access to the ledger. It is safe for concurrent use.
type Client struct {
	genesis    *ledger.Genesis
	id         commit.Digest
	own        *ledger.Organisation
	channel    string
	chaincode  string
	timeouts   Timeouts
	submitting func(txID string)
	waiting    func(error)

	conn    *grpc.ClientConn
	gateway *client.Gateway
	network *client.Network
	sign    identity.Sign
	sets    *sets
	places  *places
}

var _ ledger.Client = (*Client)(nil)

// Open gives access in the name of the profile's organisation, and returns once its peer has answered. Close ends it.
func Open(ctx context.Context, o Options) (*Client, error) {
	c, err := open(o)
	if err != nil {
		return nil, fmt.Errorf("opening gateway: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeouts.Connect)
	defer cancel()
	if err := reach(ctx, c.conn, o.Profile.Peer.Address); err != nil {
		return nil, fmt.Errorf("opening gateway: %w", errors.Join(err, c.Close()))
	}
	return c, nil
}

// OpenProfile is Open with all that a profile names.
func OpenProfile(ctx context.Context, path string) (*Client, error) {
	p, err := profile.Read(path)
	if err != nil {
		return nil, err
	}
	return Open(ctx, Options{Profile: p})
}

func open(o Options) (*Client, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	certificate, err := readCertificate(o.Profile.Certificate)
	if err != nil {
		return nil, err
	}
	if o.Signer == nil {
		if o.Signer, err = readKey(o.Profile.Key); err != nil {
			return nil, err
		}
	}
	sign, err := newSign(o.Signer, certificate)
	if err != nil {
		return nil, err
	}
	own, _ := o.Genesis.Organisation(o.Profile.Organisation)
	c := &Client{
		genesis: o.Genesis, id: o.Genesis.ID(), own: own, channel: o.Profile.Channel, chaincode: o.Profile.Chaincode, timeouts: o.Timeouts,
		submitting: o.Submitting, waiting: o.Waiting, sign: sign, sets: newSets(o.Genesis, own.ID, o.Endorsers), places: newPlaces(maxPlaces),
	}
	if c.submitting == nil {
		c.submitting = func(string) {}
	}
	if c.waiting == nil {
		c.waiting = func(error) {}
	}
	return c, c.connect(o.Profile.Peer, certificate)
}

func (c *Client) connect(peer profile.Endpoint, certificate *x509.Certificate) error {
	member, err := identity.NewX509Identity(c.own.MSPID(), certificate)
	if err != nil {
		return fmt.Errorf("certificate: %w", err)
	}
	if c.conn, err = Dial(peer); err != nil {
		return err
	}
	c.gateway, err = client.Connect(member, client.WithSign(c.sign), client.WithHash(hash.SHA256), client.WithClientConnection(c.conn))
	if err != nil {
		return errors.Join(err, c.conn.Close())
	}
	c.network = c.gateway.GetNetwork(c.channel)
	return nil
}

// Close ends the access: what is under way fails.
func (c *Client) Close() error { return errors.Join(c.gateway.Close(), c.conn.Close()) }

// ID is the ledger id.
func (c *Client) ID() commit.Digest { return c.id }

// Organisation is the id of the organisation in whose name the client acts.
func (c *Client) Organisation() string { return c.own.ID }

// Book gives typed access.
func (c *Client) Book() ledger.Book { return ledger.Book{Client: c} }

// mspsOf are the MSP ids of organisations of the genesis.
func (c *Client) mspsOf(orgs []string) []string {
	msps := make([]string, len(orgs))
	for i, id := range orgs {
		o, _ := c.genesis.Organisation(id)
		msps[i] = o.MSPID()
	}
	return msps
}
