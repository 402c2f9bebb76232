package localnet

import (
	"fmt"
	"os"
	"slices"

	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
)

// makeGenesis gives every organisation a key and writes what the consortium agrees on.
func makeGenesis(l layout, o *Options) (*ledger.Genesis, error) {
	g := &ledger.Genesis{
		Version: ledger.GenesisVersion, Name: o.Name, Organisations: slices.Clone(o.Organisations), EpochZero: o.EpochZero.Unix(), EpochSeconds: o.EpochSeconds,
		AnchorWindowSeconds: o.AnchorWindowSeconds, ClockSkewSeconds: o.ClockSkewSeconds, ProposalAgeSeconds: o.ProposalAgeSeconds, Quorum: o.Quorum,
	}
	for i := range g.Organisations {
		key, err := orgkey.Create(l.organisationKey(g.Organisations[i].ID))
		if err != nil {
			return nil, err
		}
		if g.Organisations[i].Key, err = key.PKIX(); err != nil {
			return nil, err
		}
	}
	if err := g.Check(); err != nil {
		return nil, err
	}
	if err := durable.WriteFile(l.genesis(), g.Canonical()); err != nil {
		return nil, fmt.Errorf("writing the genesis: %w", err)
	}
	return g, nil
}

func readGenesis(l layout) (*ledger.Genesis, error) {
	b, err := os.ReadFile(l.genesis())
	if err != nil {
		return nil, err
	}
	g, err := ledger.ParseGenesis(b)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", l.genesis(), err)
	}
	return g, nil
}
