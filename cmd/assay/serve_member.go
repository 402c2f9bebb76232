package main

import (
	"context"
	"crypto"
	"errors"
	"log/slog"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

// membership is what a node's organisation is in a consortium, and its way there.
type membership struct {
	organisation string
	book         ledger.Book
	signer       crypto.Signer // nil where its key is elsewhere
	blocks       evidence.Blocks
	keys         *setup.Keys // of those who prove
	trial        *trial      // nil on a network
	close        func() error
}

// openMembership opens the ledger that a configuration names. Proving keys are an owner's alone: they are large.
func openMembership(ctx context.Context, c *node.Config, log *slog.Logger) (*membership, error) {
	if c.Ledger.Trial != nil {
		return joinTrial(ctx, c, log)
	}
	p, g, err := profileOf(c)
	if err != nil {
		return nil, err
	}
	m := &membership{organisation: p.Organisation}
	if m.signer, err = signerOf(p); err != nil {
		return nil, err
	}
	if m.blocks, err = blocksOf(p, g); err != nil {
		return nil, err
	}
	client, err := gateway.Open(ctx, gateway.Options{Profile: p, Genesis: g})
	if err != nil {
		return nil, err
	}
	m.book, m.close = client.Book(), client.Close
	if g.HasRole(p.Organisation, ledger.RoleOwner) {
		if m.keys, err = m.provingKeys(ctx, c, log); err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	return m, nil
}

// trialKeys are of the unsafe setup in the key cache that the configuration names.
func trialKeys(c *node.Config, log *slog.Logger) (*setup.Keys, error) {
	return openSetup(c.Resolve(c.Proving.Cache), verify.SetupUnsafe, func(step string) { log.Info(step) })
}

// provingKeys opens the setup whose keys the ledger pins, in the key cache that the configuration names.
func (m *membership) provingKeys(ctx context.Context, c *node.Config, log *slog.Logger) (*setup.Keys, error) {
	pinned, err := m.book.Keys(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := pinnedSetup(c.Resolve(c.Proving.Cache), pinned, func(step string) { log.Info(step) })
	if err != nil {
		return nil, err
	}
	log.Info("proving keys", "setup", keys.Setup(), "srs", keys.SRS().Digest())
	return keys, holdAll(keys, pinned, circuitsOf(c))
}

// circuitsOf are those that the node proves by itself, none if it answers nothing.
func circuitsOf(c *node.Config) (out []string) {
	if !c.Proving.Answer {
		return nil
	}
	for i := range c.Fleets {
		if c.Proving.Local >= 0 { // else workers do
			out = append(out, verify.ChunkCircuit(uint32(c.Fleets[i].ChunkSize)))
		}
	}
	return append(out, verify.FleetCircuit)
}

func joinTrial(ctx context.Context, c *node.Config, log *slog.Logger) (*membership, error) {
	keys, err := trialKeys(c, log)
	if err != nil {
		return nil, err
	}
	t, err := openTrial(ctx, c, keys, log)
	if err != nil {
		return nil, err
	}
	m := &membership{organisation: t.organisation, book: t.owner, blocks: embedded.Blocks{Genesis: t.Genesis()}, keys: keys, trial: t, close: t.Close}
	if m.signer, err = t.Signer(t.organisation); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return m, nil
}

// profileOf reads the profile that a configuration names, and the consortium's genesis, in which its organisation is.
func profileOf(c *node.Config) (*profile.Profile, *ledger.Genesis, error) {
	p, err := profile.Read(c.Resolve(c.Ledger.Profile))
	if err != nil {
		return nil, nil, cli.Usage("ledger.profile: %w", err)
	}
	g, err := p.ReadGenesis()
	if err != nil {
		return nil, nil, cli.Usage("ledger.profile: %w", err)
	}
	return p, g, nil
}

// signerOf is the organisation's key, nil where the profile names none.
func signerOf(p *profile.Profile) (crypto.Signer, error) {
	if p.OrganisationKey == "" {
		return nil, nil
	}
	key, err := orgkey.Read(p.OrganisationKey)
	if err != nil {
		return nil, cli.Usage("organisation_key: %w", err)
	}
	return key, nil
}

// blocksOf reads the channel's blocks, as those of the channel that the organisation joined.
func blocksOf(p *profile.Profile, g *ledger.Genesis) (evidence.Blocks, error) {
	pin, err := channelPin(p.ChannelGenesis)
	return audit.Blocks{Genesis: g, ChannelGenesis: pin, Chaincode: p.Chaincode}, err
}

// organisationOf is whose node a configuration is, without asking the ledger.
func organisationOf(c *node.Config) (string, error) {
	if c.Ledger.Trial != nil {
		g := demoGenesis()
		owner, _, _, err := roles(&g)
		return owner, err
	}
	p, _, err := profileOf(c)
	if err != nil {
		return "", err
	}
	return p.Organisation, nil
}

// environment is what the node gets of it.
func (m *membership) environment() node.Environment {
	env := node.Environment{Book: m.book, Organisation: m.organisation, Signer: m.signer, Blocks: m.blocks}
	if m.keys != nil {
		env.SRS, env.Proving = m.keys.SRS(), m.keys
	}
	if m.trial != nil {
		env.TrialMaker = &m.trial.maker
	}
	return env
}
