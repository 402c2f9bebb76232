package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/zk/setup/ceremony"
)

func newCeremonyContribute(c *ceremonyCall) *cobra.Command {
	command := &cobra.Command{
		Use:   "contribute FOLDER --key KEY",
		Short: "Verify what is there and add this organisation's contributions",
		Long: `Contribute verifies the contributions to every part that is open, draws fresh secrets, and adds one contribution to each part, signed
with the organisation's key. Pass the folder on when it is done. A call that was interrupted can be repeated: what is finished stays, and
what this machine has verified before is not verified again.

The secrets are never written. They are in memory until the command ends: use a machine of your own without swap, which you switch off
afterwards.`,
		Example: `  assay ceremony contribute ceremony --key organisation.key
  assay ceremony contribute ceremony --key organisation.key --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.contribute(command.Context(), args[0]) },
	}
	command.Flags().StringVar(&c.key, "key", "", "the organisation's key file")
	cli.Require(command, "key")
	return command
}

func (c *ceremonyCall) contribute(ctx context.Context, dir string) error {
	key, err := orgkey.Read(c.key)
	if err != nil {
		return cli.Usage("--key: %w", err)
	}
	opened, err := c.open(ctx, dir, true)
	if err != nil {
		return err
	}
	made, err := opened.Contribute(ctx, key)
	for _, h := range made { // also those that an interruption leaves
		if err := c.contribution(opened.Recorded(h)); err != nil {
			return err
		}
	}
	if errors.Is(err, ceremony.ErrNothingToDo) {
		return cli.No("%w; the stage can be closed when everybody has", err)
	}
	return err
}

type contributionObject struct {
	Kind string `json:"kind"`
	ceremony.ContributionRecord
}

func (c *ceremonyCall) contribution(r ceremony.ContributionRecord) error {
	return c.Result(contributionObject{"contribution", r}, "CONTRIBUTED  %-14s %d by %s, %d bytes\n             %s", r.Part, r.Number, r.Contributor, r.Bytes, r.Digest)
}

func newCeremonyVerify(c *ceremonyCall) *cobra.Command {
	command := &cobra.Command{
		Use:   "verify FOLDER",
		Short: "Replay a ceremony from its files",
		Long: `Verify trusts nobody and nothing that it has seen before. It checks every signature, every proof of knowledge and every update, applies the
closing values, makes the keys anew where all is closed, and compares those that the key cache has. Hold the digests that it prints against
the ledger's, and the closing values against the blocks that they are the hashes of.`,
		Example: `  assay ceremony verify ceremony
  assay ceremony verify ceremony --keys /var/cache/assay --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			opened, err := c.open(command.Context(), args[0], true)
			if err != nil {
				return err
			}
			r, err := opened.Verify(command.Context(), c.keys)
			if err != nil {
				return err
			}
			return c.record("VERIFIED", opened, r)
		},
	}
	command.Flags().StringVar(&c.keys, "keys", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
	return command
}

func newCeremonyFinalize(c *ceremonyCall) *cobra.Command {
	command := &cobra.Command{
		Use:   "finalize FOLDER --beacon HASH --beacon-source TEXT",
		Short: "Close the stage that is open; after the second, write the keys",
		Long: `Finalize verifies the stage that is open and closes it with a value that nobody could know when the last contribution was made: the hash of
the block that the plan's rule leads to. After the second stage it writes SRS and keys to the key cache. Where all is closed it only writes the
keys: every organisation gets the same ones from the folder, and needs no --beacon.`,
		Example: `  assay ceremony finalize ceremony --beacon 2f0c…64 digits…9a --beacon-source "block 4711 of channel assay"
  assay ceremony finalize ceremony`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.finalize(command.Context(), args[0]) },
	}
	f := command.Flags()
	f.StringVar(&c.beacon, "beacon", "", "the closing value, 64 hexadecimal digits")
	f.StringVar(&c.source, "beacon-source", "", "which block's hash it is")
	f.StringVar(&c.keys, "keys", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
	return command
}

func (c *ceremonyCall) finalize(ctx context.Context, dir string) error {
	beacon := ceremony.Beacon{Source: c.source}
	if c.beacon != "" {
		if err := beacon.Value.UnmarshalText([]byte(c.beacon)); err != nil {
			return cli.Usage("--beacon: %w", err)
		}
	}
	opened, err := c.open(ctx, dir, false)
	if err != nil {
		return err
	}
	status, err := opened.Status()
	if err != nil {
		return err
	}
	if status.Stage != 0 && (c.beacon == "" || c.source == "") {
		return cli.Usage("--beacon and --beacon-source: give both, stage %d is open", status.Stage)
	}
	if opened, err = c.open(ctx, dir, true); err != nil {
		return err
	}
	r, err := opened.Finalize(ctx, beacon, c.keys)
	if err != nil {
		return err
	}
	return c.record("CLOSED", opened, r)
}
