package main

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
)

// memberCall is a call in the name of an organisation of a Fabric network.
type memberCall struct {
	*cli.Printer
	profileAt, networkAt, org string
}

func (c *memberCall) flags(command *cobra.Command) *cobra.Command {
	f := command.Flags()
	f.StringVar(&c.profileAt, "profile", "", "the organisation's connection profile")
	f.StringVar(&c.networkAt, "network", networkDir, "a local network's folder, for the profile of --org")
	f.StringVar(&c.org, "org", "regulator", "the organisation that calls")
	return command
}

// with connects in the organisation's name.
func (c *memberCall) with(ctx context.Context, do func(context.Context, ledger.Book) error) error {
	at := c.profileAt
	if at == "" {
		at = profilePath(c.networkAt, strings.ToLower(c.org))
	}
	client, err := gateway.OpenProfile(ctx, at)
	if err != nil {
		return cli.Usage("%w", err)
	}
	defer client.Close() //nolint:errcheck // nothing is on its way
	return do(ctx, ledger.Book{Client: client})
}

// agree has every organisation whose contract service runs from a local network's folder agree to a digest. Elsewhere each operator does it, with
// 'assay-chaincode agree'.
func (c *memberCall) agree(digest commit.Digest, note string) error {
	if c.profileAt != "" {
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(c.networkAt, "profiles", "*.json"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		p, err := profile.Read(path)
		if err != nil {
			return cli.Usage("--network: %w", err)
		}
		if p.Consent == "" {
			continue
		}
		if err := (consent.List{Path: p.Consent}).Add(digest, note); err != nil {
			return err
		}
		c.Note("%s agrees to %s (%s)", p.Organisation, short(digest), note)
	}
	return nil
}
