package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/ceremony"
	"github.com/assay-net/assay/zk/setup/transcript"
)

func newCeremonyRecord(c *ceremonyCall) *cobra.Command {
	return c.flags(&cobra.Command{
		Use:   "record FOLDER",
		Short: "Bring a ceremony's plan, contributions and closings to the ledger",
		Long: `Record puts on the ledger what the folder has and the ledger does not: headers and signatures, not the contributions themselves. Repeat it as often
as you like. Whose a contribution is its signature says, so any organisation may bring it; the plan and the closings are a regulator's to bring. The
ledger takes a contribution only if it follows the last one and its stage has not ended, so what it has was there before the closing value.`,
		Example: `  assay ceremony record ceremony --network assay-network
  assay ceremony record ceremony --profile profiles/owner.json --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			opened, err := c.open(command.Context(), args[0], false)
			if err != nil {
				return err
			}
			return c.with(command.Context(), func(ctx context.Context, b ledger.Book) error { return c.recordOn(ctx, b, opened) })
		},
	})
}

func (c *ceremonyCall) recordOn(ctx context.Context, b ledger.Book, opened *ceremony.Ceremony) error {
	o, err := c.beside(ctx, b, opened)
	planned := ledger.CodeOf(err) == ledger.NotFound
	if planned {
		err = o.plan(ctx)
	}
	if err != nil {
		return err
	}
	n, err := o.bring(ctx)
	if err != nil {
		return err
	}
	if n == 0 && !planned {
		c.Note("The ledger has all of it already.")
	}
	return nil
}

// ceremonyLedgerObject says that folder and ledger agree.
type ceremonyLedgerObject struct {
	Kind     string                `json:"kind"`
	Ceremony commit.Digest         `json:"ceremony"`
	Ledger   commit.Digest         `json:"ledger"`
	Agrees   bool                  `json:"agrees"`
	Closings []*transcript.Closing `json:"closings"`
}

// compare says whether the ledger has what a verified folder has.
func (c *ceremonyCall) compare(ctx context.Context, b ledger.Book, opened *ceremony.Ceremony) error {
	o, err := c.beside(ctx, b, opened)
	if ledger.CodeOf(err) == ledger.NotFound {
		return notRecorded(err)
	}
	if err != nil {
		return err
	}
	if err := o.same(ctx); err != nil {
		return err
	}
	text := "has the plan and every contribution of this folder"
	if len(o.folder.Closings) > 0 {
		text += ", each before the end of its stage"
	}
	for _, closing := range o.folder.Closings {
		text += fmt.Sprintf("\n          stage %d was closed with the hash of %s", closing.Stage, closing.Source)
	}
	return c.Result(ceremonyLedgerObject{"ceremony_ledger", opened.ID(), b.ID(), true, o.folder.Closings}, "LEDGER    %s", text)
}

// finalizeOn closes the stage that is open, if one is, with the hash of the block that holds its end, makes the keys if both are closed, and records the closing.
func (c *ceremonyCall) finalizeOn(ctx context.Context, b ledger.Book, dir string, stage int) error {
	opened, err := c.open(ctx, dir, true)
	if err != nil {
		return err
	}
	o, err := c.beside(ctx, b, opened)
	if ledger.CodeOf(err) == ledger.NotFound {
		return notRecorded(err)
	}
	if err != nil {
		return err
	}
	var beacon transcript.Beacon
	if stage != 0 {
		if beacon, err = o.end(ctx, stage); err != nil {
			return err
		}
	}
	r, err := opened.Finalize(ctx, beacon, c.keys)
	if err != nil {
		return err
	}
	if err := c.record("CLOSED", opened, r); err != nil {
		return err
	}
	if o, err = c.beside(ctx, b, opened); err == nil {
		_, err = o.bring(ctx)
	}
	if ledger.CodeOf(err) == ledger.Forbidden {
		c.Note("A regulator has yet to record the closing: assay ceremony record %s", dir)
		return nil
	}
	if err != nil {
		return err
	}
	return c.compare(ctx, b, opened)
}

func notRecorded(err error) error {
	return cli.No("the ledger does not have this ceremony, 'assay ceremony record' brings it: %w", err)
}

// end is the closing value of a stage whose contributions the ledger has. It ends the stage if nobody has; what was recorded stays on the ledger whether it verifies or not, so it is not
// verified before.
func (o *onLedger) end(ctx context.Context, stage int) (v transcript.Beacon, err error) {
	for _, part := range o.parts(stage) {
		if err := o.samePart(part); err != nil {
			return v, err
		}
	}
	if o.recorded.End(stage) == nil {
		receipt, err := o.EndCeremonyStage(ctx, ledger.EndCeremonyStage{Ceremony: o.recorded.ID, Stage: stage})
		if err != nil {
			return v, cli.No("ending stage %d, which a regulator does: %w", stage, err)
		}
		if err := o.brought(receipt, broughtObject{What: "end", Stage: stage}); err != nil {
			return v, err
		}
		if err := o.read(ctx); err != nil {
			return v, err
		}
	}
	return closingValue(ctx, o.Book, &o.recorded, stage)
}
