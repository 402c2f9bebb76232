package main

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/zk/setup/ceremony"
	"github.com/assay-net/assay/zk/setup/transcript"
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
		if err := c.contribution(opened.Plan().Contribution(h)); err != nil {
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
	transcript.ContributionRecord
}

func (c *ceremonyCall) contribution(r transcript.ContributionRecord) error {
	return c.Result(contributionObject{"contribution", r}, "CONTRIBUTED  %-14s %d by %s, %d bytes\n             %s", r.Part, r.Number, r.Contributor, r.Bytes, r.Digest)
}

func newCeremonyVerify(c *ceremonyCall) *cobra.Command {
	command := c.flags(&cobra.Command{
		Use:   "verify FOLDER",
		Short: "Replay a ceremony from its files",
		Long: `Verify trusts nobody and nothing that it has seen before. It checks every signature, every proof of knowledge and every update, applies the
closing values, makes the keys anew where all is closed, and compares those that the key cache has.

With --network or --profile it then holds the folder against the ledger: every contribution has to be recorded there, and the closing values have to be
the hashes of the blocks that hold the stages' ends. Without, hold the digests that it prints against the ledger's yourself.`,
		Example: `  assay ceremony verify ceremony
  assay ceremony verify ceremony --network assay-network --org greenbank
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
			if err := c.record("VERIFIED", opened, r); err != nil || !onNetwork(command) {
				return err
			}
			return c.with(command.Context(), func(ctx context.Context, b ledger.Book) error { return c.compare(ctx, b, opened) })
		},
	})
	command.Flags().StringVar(&c.keys, "keys", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
	return command
}

func newCeremonyFinalize(c *ceremonyCall) *cobra.Command {
	command := c.flags(&cobra.Command{
		Use:   "finalize FOLDER",
		Short: "Close the stage that is open; after the second, write the keys",
		Long: `Finalize verifies the stage that is open and closes it. With --network or --profile the ledger closes it: a regulator's call records the stage's
end, takes the hash of the block that holds it, and records the closing; once the end is there, any organisation's call closes its own copy of the
folder in the same way. Without, --beacon is the closing value, of which the plan's rule says where it comes from.

After the second stage it writes SRS, keys and the transcript. Where all is closed it only writes those: every organisation gets the same ones
from the folder, and needs neither ledger nor --beacon.`,
		Example: `  assay ceremony finalize ceremony --network assay-network
  assay ceremony finalize ceremony --beacon 2f0c…64 digits…9a --beacon-source "block 4711 of channel assay"
  assay ceremony finalize ceremony`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error { return c.finalize(command, args[0]) },
	})
	f := command.Flags()
	f.StringVar(&c.beacon, "beacon", "", "the closing value, 64 hexadecimal digits")
	f.StringVar(&c.source, "beacon-source", "", "which block's hash it is")
	f.StringVar(&c.keys, "keys", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
	return command
}

// onNetwork says whether a call is to be carried out on a ledger too.
func onNetwork(command *cobra.Command) bool {
	return slices.ContainsFunc([]string{"profile", "network", "org"}, command.Flags().Changed)
}

func (c *ceremonyCall) finalize(command *cobra.Command, dir string) error {
	beacon, err := c.closingValue()
	if err != nil {
		return err
	}
	ctx := command.Context()
	opened, err := c.open(ctx, dir, false)
	if err != nil {
		return err
	}
	status, err := opened.Status()
	if err != nil {
		return err
	}
	switch {
	case onNetwork(command) && c.beacon+c.source != "":
		return cli.Usage("--beacon, --beacon-source: the ledger has the closing value: leave them out, or --network, --profile and --org")
	case onNetwork(command):
		return c.with(ctx, func(ctx context.Context, b ledger.Book) error { return c.finalizeOn(ctx, b, dir, status.Stage) })
	case status.Stage != 0 && (c.beacon == "" || c.source == ""):
		return cli.Usage("stage %d is open: name the ledger that closes it, with --network or --profile, or give both --beacon and --beacon-source", status.Stage)
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

// closingValue is the one that was given.
func (c *ceremonyCall) closingValue() (b transcript.Beacon, err error) {
	b.Source = c.source
	if c.beacon != "" {
		if err := b.Value.UnmarshalText([]byte(c.beacon)); err != nil {
			return b, cli.Usage("--beacon: %w", err)
		}
	}
	return b, nil
}
