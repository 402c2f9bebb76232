package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
)

// fabricNetwork is a Fabric network with a profile for every organisation, as
// assay-fabric up makes it. Its clock is the real one.
type fabricNetwork struct {
	*demoCall
	genesis *ledger.Genesis
	members map[string]fabricMember
	suffix  string
}

type fabricMember struct {
	profile *profile.Profile
	client  *gateway.Client
}

const networkDir = "assay-network"

// profilePath is where a network's folder has an organisation's profile.
func profilePath(network, org string) string {
	return filepath.Join(network, "profiles", org+".json")
}

func openFabricNetwork(ctx context.Context, c *demoCall) (*fabricNetwork, error) {
	n := &fabricNetwork{demoCall: c, members: map[string]fabricMember{}}
	g, err := readGenesis(filepath.Join(c.networkAt, "genesis.json"))
	if err != nil {
		return nil, cli.Usage("--network: %w; 'assay-fabric up --dir %s' makes a network", err, c.networkAt)
	}
	n.genesis = g
	var unique [4]byte
	if _, err := rand.Read(unique[:]); err != nil {
		return nil, err
	}
	n.suffix = hex.EncodeToString(unique[:])
	for i := range g.Organisations {
		if err := n.join(ctx, g.Organisations[i].ID); err != nil {
			n.Close()
			return nil, err
		}
	}
	return n, nil
}

func readGenesis(path string) (*ledger.Genesis, error) {
	b, err := readFile(path, ledger.MaxGenesis)
	if err != nil {
		return nil, err
	}
	return ledger.ParseGenesis(b)
}

func (n *fabricNetwork) join(ctx context.Context, org string) error {
	path := profilePath(n.networkAt, org)
	p, err := profile.Read(path)
	if err != nil {
		return cli.Usage("--network: %w", err)
	}
	client, err := gateway.OpenProfile(ctx, path)
	if err != nil {
		return err
	}
	n.members[org] = fabricMember{p, client}
	return nil
}

func (n *fabricNetwork) Title(owner, lender, regulator string) string {
	return fmt.Sprintf("%s (owner), %s (financier) and %s run ledger %s on Hyperledger Fabric,\nchannel %s, a peer and a contract service each. Time is real: an epoch lasts %d s.",
		owner, lender, regulator, short(n.genesis.ID()), n.members[owner].profile.Channel, n.genesis.EpochSeconds)
}

func (n *fabricNetwork) Genesis() *ledger.Genesis { return n.genesis }
func (n *fabricNetwork) Now() time.Time           { return time.Now().UTC() }
func (n *fabricNetwork) Name(of string) string    { return of + "-" + n.suffix }
func (n *fabricNetwork) Place() string            { return n.networkAt }

func (n *fabricNetwork) Book(org string) (ledger.Book, error) {
	m, ok := n.members[org]
	if !ok {
		return ledger.Book{}, fmt.Errorf("%s has no profile in %s", org, n.networkAt)
	}
	return ledger.Book{Client: m.client}, nil
}

func (n *fabricNetwork) Signer(org string) (crypto.Signer, error) {
	path := n.members[org].profile.OrganisationKey
	if path == "" {
		return nil, fmt.Errorf("the profile of %s names no organisation_key", org)
	}
	return orgkey.Read(path)
}

// Agree puts the digest on every service's list: what each organisation's
// operator does after looking.
func (n *fabricNetwork) Agree(digest commit.Digest, note string) error {
	for org, m := range n.members {
		if m.profile.Consent == "" {
			continue // its operator agrees where its service runs
		}
		if err := (consent.List{Path: m.profile.Consent}).Add(digest, note); err != nil {
			return fmt.Errorf("consent of %s: %w", org, err)
		}
	}
	return nil
}

// Until waits, and shows how long it will yet take.
func (n *fabricNetwork) Until(ctx context.Context, t time.Time, why string) error {
	total := int(time.Until(t).Seconds()) + 1
	if total <= 0 {
		return ctx.Err()
	}
	n.Note("… waiting %d s: %s", total, why)
	show := n.Progress(why, total)
	defer show(total)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	end := time.NewTimer(time.Until(t))
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end.C:
			return nil
		case <-tick.C:
			show(max(0, total-int(time.Until(t).Seconds())-1))
		}
	}
}

func (n *fabricNetwork) Close() {
	for _, m := range n.members {
		m.client.Close() //nolint:errcheck // nothing is on its way
	}
}

// roles finds who plays whom on a network: the first owner, financier and
// regulator of its genesis.
func roles(g *ledger.Genesis) (owner, lender, regulator string, err error) {
	first := func(r ledger.Role) string {
		if ids := g.WithRole(r); len(ids) > 0 {
			return ids[0]
		}
		err = errors.Join(err, fmt.Errorf("the network has no %s", r))
		return ""
	}
	return first(ledger.RoleOwner), first(ledger.RoleFinancier), first(ledger.RoleRegulator), err
}
