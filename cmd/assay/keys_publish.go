package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// publishCall is one call of assay keys publish.
type publishCall struct {
	memberCall
	cache      string
	sizes      []int
	unsafe     bool
	transcript string
}

func newKeysPublish(p *cli.Printer) *cobra.Command {
	c := &publishCall{memberCall: memberCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:   "publish --ceremony TRANSCRIPT",
		Short: "Pin the verifying keys of this machine's key cache, as a regulator",
		Long: `Publish pins the SRS and the verifying keys of the circuits that the key cache holds.

With --ceremony they are those of the ceremony with this transcript, which 'assay ceremony finalize' made from its folder. The ceremony has to be
closed on the ledger, with the hashes of the blocks that hold the stages' ends. Another organisation that owns no fleet has to consent to each: with
--network, which is a local network with all of them, this command puts them on their lists; with --profile their operators agree to the pins
that 'assay keys pins' works out from their own copy of the ceremony.

With --unsafe-setup they are those of an UNSAFE setup, made here if there is none: whoever made it could forge proofs. It is for networks that are
tried out, and the keys say so in every verdict.`,
		Example: `  assay keys publish --ceremony 5d2e…64 digits…07 --network assay-network
  assay keys publish --unsafe-setup --network assay-network --chunk 1024`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command) },
	})
	f := command.Flags()
	f.StringVar(&c.transcript, "ceremony", "", "the ceremony's transcript, 64 hexadecimal digits")
	f.IntSliceVar(&c.sizes, "chunk", []int{1024}, "chunk sizes whose circuits are pinned; with --ceremony all that it made keys for, if not given")
	f.BoolVar(&c.unsafe, "unsafe-setup", false, "I know that one party made these keys and could forge proofs")
	f.StringVar(&c.cache, "keys", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
	return command
}

func (c *publishCall) run(command *cobra.Command) error {
	if c.unsafe == (c.transcript != "") {
		return cli.Usage("say where these keys come from: either --ceremony or --unsafe-setup")
	}
	if err := checkSizes(c.sizes); err != nil {
		return err
	}
	if c.unsafe {
		return c.publishUnsafe(command.Context())
	}
	digest, err := parseTranscript(c.transcript)
	if err != nil {
		return err
	}
	keys, err := openFinished(c.cache, digest)
	if err != nil {
		return err
	}
	return c.with(command.Context(), func(ctx context.Context, b ledger.Book) error {
		sizes, err := recordedSizes(ctx, b, digest)
		if err != nil {
			return err
		}
		if command.Flags().Changed("chunk") {
			sizes = c.sizes
		}
		wanted, err := keys.Published(sizes...)
		if err != nil {
			return cli.No("%w", err)
		}
		return c.publish(ctx, b, wanted)
	})
}

func (c *publishCall) publishUnsafe(ctx context.Context) error {
	keys, err := openKeyCache(c.cache, func(step string) { c.Note("%s", step) })
	if err != nil {
		return err
	}
	wanted, err := keys.Published(c.sizes...)
	if err != nil {
		return err
	}
	return c.with(ctx, func(ctx context.Context, b ledger.Book) error { return c.publish(ctx, b, wanted) })
}

func checkSizes(sizes []int) error {
	for _, n := range sizes {
		if !slices.Contains(commit.Sizes, n) {
			return cli.Usage("--chunk %d: must be one of %v", n, commit.Sizes)
		}
	}
	return nil
}

func parseTranscript(text string) (digest commit.Digest, err error) {
	if err := digest.UnmarshalText([]byte(text)); err != nil {
		return digest, cli.Usage("--ceremony: %w", err)
	}
	return digest, nil
}

// recordedSizes finds the ceremony with a transcript that is closed on the ledger, holds its closing values against the blocks, and says which chunk sizes it made keys for.
func recordedSizes(ctx context.Context, b ledger.Book, digest commit.Digest) ([]int, error) {
	all, err := b.Ceremonies(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(c ledger.Ceremony) bool { return c.Transcript == digest })
	if i < 0 {
		return nil, cli.No("no ceremony on the ledger was closed with transcript %s: 'assay ceremony record' brings what a folder has", digest)
	}
	if err := checkBlocks(ctx, b, &all[i]); err != nil {
		return nil, err
	}
	plan, err := transcript.ParsePlan(all[i].Plan)
	if err != nil {
		return nil, err
	}
	return plannedSizes(plan), nil
}

// plannedSizes are the chunk sizes that a plan has circuits for.
func plannedSizes(plan *transcript.Plan) (sizes []int) {
	for _, n := range commit.Sizes {
		if plan.Circuit(verify.ChunkCircuit(uint32(n))) != nil {
			sizes = append(sizes, n)
		}
	}
	return sizes
}

func (c *publishCall) publish(ctx context.Context, b ledger.Book, wanted []verify.PublishedKey) error {
	pinned, err := pinKeys(ctx, b, wanted, c.agree)
	for _, k := range pinned { // also those that a refusal of another leaves
		if err := c.Result(keyObjectOf(&k), "PINNED  %s  %s  (%s)", k.CircuitID, k.Digest, k.Setup); err != nil {
			return err
		}
	}
	if err == nil && len(pinned) == 0 {
		c.Note("All %d keys are pinned already.", len(wanted))
	}
	return err
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
		if i >= 0 && pinned[i].Pin() != k.Pin() {
			return published, cli.No("the ledger pins another key for %s than the key cache holds: use the cache that it was made with", k.CircuitID)
		}
		if i >= 0 {
			continue
		}
		if err := agree(k.Pin(), k.CircuitID); err != nil {
			return published, err
		}
		if _, err := regulator.PublishKey(ctx, k); err != nil {
			return published, cli.No("publishing %s (pin %s): %w", k.CircuitID, k.Pin(), err)
		}
		published = append(published, k)
	}
	return published, nil
}
