package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/ceremony"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// onLedger is a ceremony's folder beside what the ledger has of it.
type onLedger struct {
	*ceremonyCall
	ledger.Book
	folder   *transcript.File
	recorded ledger.Ceremony
}

// beside reads what a folder and the ledger have of a ceremony. It is a NotFound refusal if the ledger does not have its plan.
func (c *ceremonyCall) beside(ctx context.Context, b ledger.Book, opened *ceremony.Ceremony) (*onLedger, error) {
	file, err := opened.Transcript()
	if err != nil {
		return nil, err
	}
	o := &onLedger{ceremonyCall: c, Book: b, folder: file}
	return o, o.read(ctx)
}

func (o *onLedger) read(ctx context.Context) (err error) {
	o.recorded, err = o.Ceremony(ctx, o.folder.Plan.Digest())
	return err
}

// broughtObject is something of a ceremony that a call has put on the ledger.
type broughtObject struct {
	Kind     string        `json:"kind"`
	What     string        `json:"what"`
	Ceremony commit.Digest `json:"ceremony"`
	Stage    int           `json:"stage,omitempty"`
	Part     string        `json:"part,omitempty"`
	Number   int           `json:"number,omitempty"`
	TxID     string        `json:"tx_id"`
	Height   uint64        `json:"height"`
}

func (o *onLedger) brought(r ledger.Receipt, b broughtObject) error {
	b.Kind, b.Ceremony, b.TxID, b.Height = "ceremony_recorded", o.folder.Plan.Digest(), r.TxID, r.Height
	text := map[string]string{
		"plan": "plan of ceremony " + b.Ceremony.String(), "contribution": fmt.Sprintf("contribution %d to %s", b.Number, b.Part),
		"end": fmt.Sprintf("end of stage %d", b.Stage), "closing": fmt.Sprintf("closing of stage %d", b.Stage),
	}[b.What]
	return o.Result(b, "RECORDED  %-36s in block %d", text, r.Height)
}

// plan puts the plan on the ledger.
func (o *onLedger) plan(ctx context.Context) error {
	plan, err := json.Marshal(o.folder.Plan)
	if err != nil {
		return err
	}
	receipt, err := o.PlanCeremony(ctx, plan)
	if err != nil {
		return cli.No("recording the plan, which a regulator does: %w", err)
	}
	if err := o.brought(receipt, broughtObject{What: "plan"}); err != nil {
		return err
	}
	return o.read(ctx)
}

// bring records everything that the folder has and the ledger does not, and says how much that was. A stage's closing comes before the contributions to the next.
func (o *onLedger) bring(ctx context.Context) (n int, err error) {
	for _, stage := range []int{transcript.FirstStage, transcript.SecondStage} {
		for _, part := range o.parts(stage) {
			some, err := o.bringPart(ctx, part)
			if n += some; err != nil {
				return n, err
			}
		}
		if stage > len(o.folder.Closings) {
			return n, nil
		}
		closed, err := o.bringClosing(ctx, stage)
		if err != nil {
			return n, err
		}
		if closed {
			n++
		}
	}
	return n, nil
}

// parts are the folder's of a stage.
func (o *onLedger) parts(stage int) (out []transcript.FilePart) {
	for _, part := range o.folder.Parts {
		if slices.Contains(o.folder.Plan.Parts(stage), part.Part) {
			out = append(out, part)
		}
	}
	return out
}

func (o *onLedger) bringPart(ctx context.Context, part transcript.FilePart) (n int, err error) {
	have := o.recorded.Headers(part.Part)
	if err := samePrefix(part, have); err != nil {
		return 0, err
	}
	for i := len(have); i < len(part.Headers); i++ {
		receipt, err := o.RecordContribution(ctx, part.Headers[i])
		if err != nil {
			return n, cli.No("recording contribution %d to %s: %w", i+1, part.Part, err)
		}
		n++
		if err := o.brought(receipt, broughtObject{What: "contribution", Part: part.Part, Number: i + 1}); err != nil {
			return n, err
		}
	}
	return n, nil
}

// samePrefix says whether the ledger has the first of a folder's contributions to a part, and no others.
func samePrefix(part transcript.FilePart, recorded [][]byte) error {
	for i, header := range recorded {
		if i >= len(part.Headers) {
			return cli.No("%s: the ledger has %d contributions, this folder %d: it is not the latest", part.Part, len(recorded), len(part.Headers))
		}
		if !bytes.Equal(header, part.Headers[i]) {
			return cli.No("%s: contribution %d of this folder is not the one that the ledger has", part.Part, i+1)
		}
	}
	return nil
}

// samePart says whether the ledger has the folder's contributions to a part, and no others.
func (o *onLedger) samePart(part transcript.FilePart) error {
	have := o.recorded.Headers(part.Part)
	if err := samePrefix(part, have); err != nil {
		return err
	}
	if len(have) < len(part.Headers) {
		return cli.No("%s: the ledger has %d contributions, this folder %d: 'assay ceremony record' brings them", part.Part, len(have), len(part.Headers))
	}
	return nil
}

func (o *onLedger) bringClosing(ctx context.Context, stage int) (bool, error) {
	if o.recorded.Closing(stage) != nil {
		return false, o.sameClosing(stage)
	}
	b, err := o.folder.Closings[stage-1].Encode()
	if err != nil {
		return false, err
	}
	receipt, err := o.CloseCeremonyStage(ctx, b)
	if err != nil {
		return false, cli.No("recording the closing of stage %d, which a regulator does: %w", stage, err)
	}
	return true, o.brought(receipt, broughtObject{What: "closing", Stage: stage})
}

// sameClosing says whether folder and ledger close a stage in the same way.
func (o *onLedger) sameClosing(stage int) error {
	recorded, err := transcript.ParseClosing(o.recorded.Closing(stage).Closing)
	if err != nil {
		return fmt.Errorf("the ledger's closing of stage %d: %w", stage, err)
	}
	own, err := o.folder.Closings[stage-1].Encode()
	if err != nil {
		return err
	}
	theirs, err := recorded.Encode()
	if err != nil {
		return err
	}
	if !bytes.Equal(own, theirs) {
		return cli.No("stage %d was closed with %s, %s, in this folder, and with %s, %s, on the ledger", stage,
			o.folder.Closings[stage-1].Beacon, o.folder.Closings[stage-1].Source, recorded.Beacon, recorded.Source)
	}
	return nil
}

// same says whether the ledger has all that the folder has, and the closing values are the hashes of the blocks that hold the stages' ends.
func (o *onLedger) same(ctx context.Context) error {
	for _, part := range o.folder.Parts {
		if err := o.samePart(part); err != nil {
			return err
		}
	}
	for stage := 1; stage <= max(len(o.folder.Closings), len(o.recorded.Closings)); stage++ {
		if o.recorded.Closing(stage) == nil {
			return cli.No("the ledger has no closing of stage %d: 'assay ceremony record' brings it, as a regulator", stage)
		}
		if stage > len(o.folder.Closings) {
			return cli.No("stage %d is closed on the ledger, and open in this folder: 'assay ceremony finalize' closes it here too", stage)
		}
		if err := o.sameClosing(stage); err != nil {
			return err
		}
	}
	return checkBlocks(ctx, o.Book, &o.recorded)
}

// checkBlocks holds a recorded ceremony's closing values against the blocks that hold the stages' ends. The contract sees no hash of a block, so it cannot.
func checkBlocks(ctx context.Context, b ledger.Book, c *ledger.Ceremony) error {
	for stage := 1; stage <= len(c.Closings); stage++ {
		closing, err := transcript.ParseClosing(c.Closing(stage).Closing)
		if err != nil {
			return fmt.Errorf("the ledger's closing of stage %d: %w", stage, err)
		}
		want, err := closingValue(ctx, b, c, stage)
		if err != nil {
			return err
		}
		if closing.Beacon != want.Value || closing.Source != want.Source {
			return cli.No("stage %d was closed with %s, %s: its end is in %s, whose hash is %s", stage, closing.Beacon, closing.Source, want.Source, want.Value)
		}
	}
	return nil
}

// closingValue is the hash of the block that holds the end of a stage.
func closingValue(ctx context.Context, b ledger.Book, c *ledger.Ceremony, stage int) (v transcript.Beacon, err error) {
	end := c.End(stage)
	if end == nil {
		return v, cli.No("the ledger has no end of stage %d", stage)
	}
	number, hash, err := b.BlockOf(ctx, end.TxID)
	if err != nil {
		return v, fmt.Errorf("the block that holds the end of stage %d: %w", stage, err)
	}
	return transcript.Beacon{Value: hash, Source: ledger.BlockSource(b.ID(), number)}, nil
}
