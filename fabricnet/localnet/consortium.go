package localnet

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/fabricnet/admin"
	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// contractVersion and contractSequence are those of the contract's first definition. Upgrades are administration's.
	contractVersion  = "1"
	contractSequence = 1

	setupTimeout = 2 * time.Minute
)

// consortium is all organisations' administrators, in the order of the state.
type consortium struct {
	*Network
	genesis *ledger.Genesis
	admins  []*admin.Admin
}

func openConsortium(n *Network) (*consortium, error) {
	g, err := n.Genesis()
	if err != nil {
		return nil, err
	}
	c := &consortium{Network: n, genesis: g}
	for i := range n.state.Organisations {
		a, err := admin.Open(n.adminConfig(&n.state.Organisations[i]))
		if err != nil {
			c.close()
			return nil, err
		}
		c.admins = append(c.admins, a)
	}
	return c, nil
}

func (c *consortium) close() {
	for _, a := range c.admins {
		a.Close()
	}
}

// Admin is the configuration of an organisation's administrator.
func (n *Network) Admin(org string) (admin.Config, error) {
	o, ok := n.state.organisation(org)
	if !ok {
		return admin.Config{}, fmt.Errorf("no organisation is named %q; there are %v", org, n.Organisations())
	}
	return n.adminConfig(o), nil
}

func (n *Network) adminConfig(o *organisation) admin.Config {
	c := admin.Config{
		MSPID: o.MSPID, Certificate: n.layout.userCertificate(o.ID, "Admin"), Key: n.layout.userKey(o.ID, "Admin"),
		Channel: n.state.Channel, Peer: n.peerNode(o),
	}
	for _, orderer := range n.state.Orderers {
		c.Orderers = append(c.Orderers, admin.Node{Address: address(orderer.Port), ServerName: orderer.Name, TLSRoots: n.layout.orderingTLSRoots()})
	}
	return c
}

func (n *Network) peerNode(o *organisation) admin.Node {
	return admin.Node{Address: address(o.PeerPort), ServerName: peerName(o.ID), TLSRoots: n.layout.tlsRoots(o.ID)}
}

// Peers lists every organisation's peer.
func (n *Network) Peers() []admin.Node {
	var nodes []admin.Node
	for i := range n.state.Organisations {
		nodes = append(nodes, n.peerNode(&n.state.Organisations[i]))
	}
	return nodes
}

// each has every organisation's administrator do something, all at a time.
func (c *consortium) each(ctx context.Context, do func(context.Context, *admin.Admin, *organisation) error) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for i, a := range c.admins {
		o := &c.state.Organisations[i]
		g.Go(func() error {
			if err := do(ctx, a, o); err != nil {
				return fmt.Errorf("%s: %w", o.ID, err)
			}
			return nil
		})
	}
	return g.Wait()
}

func (c *consortium) joinPeers(ctx context.Context) error {
	block, err := os.ReadFile(c.layout.channelBlock())
	if err != nil {
		return err
	}
	return c.each(ctx, func(ctx context.Context, a *admin.Admin, _ *organisation) error { return a.JoinChannel(ctx, block) })
}

// install gives every peer its package, which tells it where its own organisation's contract service is.
func (c *consortium) install(ctx context.Context) error {
	return c.each(ctx, func(ctx context.Context, a *admin.Admin, o *organisation) error {
		connection, err := c.connection(o)
		if err != nil {
			return err
		}
		pkg, _, err := admin.Package(c.state.Contract+"_"+contractVersion, connection)
		if err != nil {
			return err
		}
		o.PackageID, err = a.Install(ctx, pkg)
		return err
	})
}

func (c *consortium) connection(o *organisation) (admin.Connection, error) {
	connection := admin.Connection{Address: address(o.ServicePort)}
	for path, to := range map[string]*[]byte{
		c.layout.tlsRoots(o.ID):                      &connection.TLSRoots,
		c.layout.serviceTLS(o.ID, clientCertificate): &connection.ClientCertificate,
		c.layout.serviceTLS(o.ID, clientKey):         &connection.ClientKey,
	} {
		b, err := os.ReadFile(path)
		if err != nil {
			return admin.Connection{}, err
		}
		*to = b
	}
	return connection, nil
}

// agree has every organisation approve the contract's first definition, and the first of them commit it, unless a contract is there already.
func (c *consortium) agree(ctx context.Context) error {
	_, _, err := c.admins[0].Committed(ctx, c.state.Contract)
	if err == nil {
		return nil
	}
	if !errors.Is(err, admin.ErrNotCommitted) {
		return err
	}
	definition := admin.Definition{
		Name: c.state.Contract, Version: contractVersion, Sequence: contractSequence, Policy: admin.EndorsementPolicy(c.genesis),
	}
	err = c.each(ctx, func(ctx context.Context, a *admin.Admin, o *organisation) error {
		return a.Approve(ctx, definition, o.PackageID)
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	return c.admins[0].Commit(ctx, definition, c.Peers()[1:]...)
}

// found submits the consortium's genesis, the ledger's first record. That it is there already is as good.
func (c *consortium) found(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	id := c.genesis.ID()
	args := [][]byte{[]byte(ledger.FnFound), []byte(hex.EncodeToString(id[:])), c.genesis.Canonical()}
	for {
		_, err := c.admins[0].Invoke(ctx, c.state.Contract, args, c.Peers())
		if err == nil || refused(err, ledger.Conflict) {
			return nil
		}
		// A peer that has just committed the definition may not yet have started to use it.
		if pause(ctx) != nil || !transient(err) {
			return fmt.Errorf("founding the ledger: %w", err)
		}
	}
}

// refused reports whether a contract service's refusal is in the error.
func refused(err error, code ledger.Code) bool {
	return strings.Contains(err.Error(), `"code":"`+string(code)+`"`)
}

func transient(err error) bool {
	for _, text := range []string{"is not defined", "not found", "could not launch chaincode", "connection refused"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// awaitWork polls until every peer knows every other as one that has the contract, which is when gateways find endorsers, and the orderers have a leader.
func (c *consortium) awaitWork(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if err := c.awaitLeader(ctx); err != nil {
		return err
	}
	return c.each(ctx, func(ctx context.Context, a *admin.Admin, _ *organisation) error {
		for {
			missing, err := c.missing(ctx, a)
			if err == nil && len(missing) == 0 {
				return nil
			}
			if pause(ctx) != nil {
				return fmt.Errorf("waiting until its peer sees those of %v: %w", missing, errors.Join(ctx.Err(), err))
			}
		}
	})
}

// missing lists the organisations whose peers an administrator's peer does not know to be able to endorse.
func (c *consortium) missing(ctx context.Context, a *admin.Admin) ([]string, error) {
	peers, err := a.Peers(ctx)
	if err != nil {
		return c.Organisations(), err
	}
	able := map[string]bool{}
	for _, p := range peers {
		for _, chaincode := range p.Chaincodes {
			able[p.Address] = able[p.Address] || strings.HasPrefix(chaincode, c.state.Contract+" ")
		}
		able[p.Address] = able[p.Address] || c.state.NoContract
	}
	var missing []string
	for _, o := range c.state.Organisations {
		if !able[address(o.PeerPort)] {
			missing = append(missing, o.ID)
		}
	}
	return missing, nil
}
