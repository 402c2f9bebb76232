package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// publishCall is one call of assay keys publish.
type publishCall struct {
	memberCall
	sizes  []int
	unsafe bool
}

func newKeysPublish(p *cli.Printer) *cobra.Command {
	c := &publishCall{memberCall: memberCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:   "publish --unsafe-setup",
		Short: "Pin the verifying keys of this machine's key cache, as a regulator",
		Long: `Publish pins the SRS and the verifying keys of the circuits that the key cache holds, and makes those that it does not hold. They come from an UNSAFE setup:
whoever made it could forge proofs. It is for networks that are tried out, and the keys say so in every verdict.`,
		Example: `  assay keys publish --unsafe-setup --network assay-network --chunk 1024`,
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	})
	command.Flags().IntSliceVar(&c.sizes, "chunk", []int{1024}, "chunk sizes whose circuits are pinned")
	command.Flags().BoolVar(&c.unsafe, "unsafe-setup", false, "I know that one party made these keys and could forge proofs")
	return command
}

func (c *publishCall) run(ctx context.Context) error {
	if !c.unsafe {
		return cli.Usage("--unsafe-setup: say that you know where these keys come from")
	}
	for _, n := range c.sizes {
		if !slices.Contains(commit.Sizes, n) {
			return cli.Usage("--chunk %d: must be one of %v", n, commit.Sizes)
		}
	}
	keys, err := openKeyCache("", func(step string) { c.Note("%s", step) })
	if err != nil {
		return err
	}
	wanted, err := keys.Published(c.sizes...)
	if err != nil {
		return err
	}
	return c.with(ctx, func(ctx context.Context, b ledger.Book) error {
		pinned, err := pinKeys(ctx, b, wanted, c.agree)
		if err != nil {
			return err
		}
		for _, k := range pinned {
			if err := c.Result(keyObjectOf(&k), "PINNED  %s  %s  (%s)", k.CircuitID, k.Digest, k.Setup); err != nil {
				return err
			}
		}
		if len(pinned) == 0 && !c.JSON {
			return c.Line("All %d keys are pinned already.", len(wanted))
		}
		return nil
	})
}

// pinKeys publishes the verifying keys that a ledger does not have yet, and returns them. Before each it asks for the organisations' consent.
func pinKeys(ctx context.Context, regulator ledger.Book, wanted []verify.PublishedKey, agree func(commit.Digest, string) error) ([]verify.PublishedKey, error) {
	pinned, err := regulator.Keys(ctx)
	if err != nil {
		return nil, err
	}
	var published []verify.PublishedKey
	for _, k := range wanted {
		i := slices.IndexFunc(pinned, func(p verify.PublishedKey) bool { return p.CircuitID == k.CircuitID })
		if i >= 0 && pinned[i].Digest != k.Digest {
			return published, cli.No("the ledger pins another key for %s than the key cache holds: use the cache that it was made with", k.CircuitID)
		}
		if i >= 0 {
			continue
		}
		if err := agree(k.Pin(), k.CircuitID); err != nil {
			return published, err
		}
		if _, err := regulator.PublishKey(ctx, k); err != nil {
			return published, err
		}
		published = append(published, k)
	}
	return published, nil
}
