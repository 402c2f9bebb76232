package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/verify"
)

// endCall is one call of assay keys retire or assay keys revoke.
type endCall struct {
	memberCall
	state  verify.KeyState
	reason string
}

// endWords are what the commands say of the state they bring about.
var endWords = map[verify.KeyState]struct{ name, short, long, done string }{
	verify.StateRetired: {"retire", "Take no more proofs under a pinned key, as a regulator", "No proof is taken under a retired key any more. What was proven under it still verifies, and says so.", "RETIRED"},
	verify.StateRevoked: {"revoke", "Have nothing verify under a pinned key any more, as a regulator", "Nothing that was proven under a revoked key verifies any more, here or offline with an export from then on.", "REVOKED"},
}

func newKeysEnd(p *cli.Printer, state verify.KeyState) *cobra.Command {
	c, words := &endCall{memberCall: memberCall{Printer: p}, state: state}, endWords[state]
	command := c.flags(&cobra.Command{
		Use:   words.name + " CIRCUIT --reason TEXT",
		Short: words.short,
		Long: words.long + ` It cannot be undone, and no other key
takes its place under the same circuit id. Another organisation that owns no fleet has to agree: with --network, which is a local network with all of them,
this command puts the digest on their lists; with --profile the refusal names the digest that their operators agree to with 'assay-chaincode agree'.`,
		Example: `  assay keys ` + words.name + ` chunk-1024/v1 --network assay-network --reason "replaced by the setup of 12 November"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command.Context(), func(ctx context.Context, b ledger.Book) error { return c.end(ctx, b, args[0]) })
		},
	})
	command.Flags().StringVar(&c.reason, "reason", "", "why, for everybody to read")
	cli.Require(command, "reason")
	return command
}

func (c *endCall) end(ctx context.Context, b ledger.Book, circuit string) error {
	pinned, err := b.Keys(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(pinned, func(k verify.PublishedKey) bool { return k.CircuitID == circuit })
	if i < 0 {
		return cli.No("no key is pinned for %q", circuit)
	}
	args := ledger.SetKeyStatus{CircuitID: circuit, Key: pinned[i].Digest, State: c.state, Reason: c.reason}
	if err := c.agree(args.Digest(), endWords[c.state].name+" "+circuit); err != nil {
		return err
	}
	receipt, err := b.SetKeyStatus(ctx, args)
	if err != nil {
		return cli.No("%s %s (digest %s): %w", endWords[c.state].name, circuit, args.Digest(), err)
	}
	k, err := ledger.Decode[verify.PublishedKey]("key", receipt.Result, ledger.MaxArgs)
	if err != nil {
		return err
	}
	return c.Result(keyObjectOf(k), "%s  %s  %s  (%s)", endWords[c.state].done, circuit, k.Digest, k.Status)
}
