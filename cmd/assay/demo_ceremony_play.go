package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// begin makes a network on which no key is pinned, and whose contract services have no SRS.
func (d *ceremonyDemo) begin(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return cli.Usage("--out: %w", err)
	}
	d.say("", "Assay demonstration: keys made together, %d simulated batteries, chunks of %d, in %s", d.fleetSize, d.chunkSize, d.demoCall.dir)
	if err := d.found(ctx, "--no-srs"); err != nil {
		return err
	}
	if err := d.connect(ctx); err != nil {
		return err
	}
	owner, lender, regulator, err := roles(d.fabric.Genesis())
	if err != nil {
		return err
	}
	for _, node := range []*demoNode{
		{role: playsRegulator, organisation: regulator, subject: "rosa", tokenRole: "auditor"},
		{role: playsOwner, organisation: owner, subject: "olga", tokenRole: "administrator", fleet: nodesFleet, more: fmt.Sprintf("proving: {cache: %q}\n", d.cache(playsOwner))},
		{role: playsLender, organisation: lender, subject: "liam", tokenRole: "operator"},
	} {
		d.add(node)
	}
	d.say("Consortium", "%s\nThere are no keys yet: nothing can be anchored, and nothing proven.", d.fabric.Title(owner, lender, regulator))
	return nil
}

// connect opens the network in everyone's name.
func (d *ceremonyDemo) connect(ctx context.Context) (err error) {
	if d.fabric != nil {
		d.fabric.Close()
	}
	d.fabric, err = d.network(ctx)
	return err
}

// announce writes the plan and puts it on the ledger.
func (d *ceremonyDemo) announce(ctx context.Context) error {
	d.say(d.nodes[playsRegulator].organisation, "plans a ceremony for the circuits of chunks of %d and of fleets, and announces it on the ledger:", d.chunkSize)
	out, err := d.must(ctx, playsRegulator, "ceremony", "init", d.folder(), "--genesis", d.at("network", "genesis.json"), "--name", "demonstration", "--chunk", fmt.Sprint(d.chunkSize))
	if err != nil {
		return err
	}
	var plan struct {
		ID commit.Digest `json:"id"`
	}
	if err := last(out, &plan); err != nil {
		return err
	}
	d.ceremony = plan.ID
	return d.bring(ctx, playsRegulator)
}

// bring has an organisation put on the ledger what the folder has.
func (d *ceremonyDemo) bring(ctx context.Context, role string) error {
	_, err := d.must(ctx, role, append([]string{"ceremony", "record", d.folder()}, d.member(role)...)...)
	return err
}

// powers is the first stage.
func (d *ceremonyDemo) powers(ctx context.Context) error {
	d.say("Everyone", "contributes to the SRS and to the powers of tau, one after the other, each on its own machine;\neach verifies what is there, and records its contribution on the ledger:")
	if err := d.contribute(ctx); err != nil {
		return err
	}
	if err := d.forge(ctx); err != nil {
		return err
	}
	return d.closeStage(ctx, transcript.FirstStage)
}

// circuits is the second.
func (d *ceremonyDemo) circuits(ctx context.Context) error {
	d.say("Everyone", "contributes to each circuit's keys:")
	if err := d.contribute(ctx); err != nil {
		return err
	}
	return d.closeStage(ctx, transcript.SecondStage)
}

func (d *ceremonyDemo) contribute(ctx context.Context) error {
	for _, role := range contributors {
		begun := time.Now()
		key := d.fabric.members[d.nodes[role].organisation].profile.OrganisationKey
		out, err := d.must(ctx, role, "ceremony", "contribute", d.folder(), "--key", key)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(out)) {
			var c transcript.ContributionRecord
			if err := last([]byte(line), &c); err != nil {
				return err
			}
			d.tell("%-10s  %-10s contribution %d, %d bytes, %s", "", c.Part, c.Number, c.Bytes, short(c.Digest))
		}
		d.Note("… %.0f s", time.Since(begun).Seconds())
		if err := d.bring(ctx, role); err != nil {
			return err
		}
	}
	return nil
}

// forge puts a copy of one contribution in the place of another, in a copy of the folder, and its header before the ledger.
func (d *ceremonyDemo) forge(ctx context.Context) error {
	d.say("Somebody", "passes on a folder in which the regulator's contribution to the SRS is a copy of the lender's, and takes that\nto the ledger as well; both refuse:")
	forged := d.at("forged")
	if err := os.CopyFS(forged, os.DirFS(d.folder())); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(forged, transcript.FolderOf(transcript.SRSPart), "*.contribution"))
	if err != nil || len(files) < len(contributors) {
		return fmt.Errorf("the ceremony's folder has %d contributions to the SRS: %w", len(files), err)
	}
	lenders, err := os.ReadFile(files[len(contributors)-2])
	if err != nil {
		return err
	}
	if err := os.WriteFile(files[len(contributors)-1], lenders, 0o600); err != nil {
		return err
	}
	_, said, err := d.as(ctx, playsOwner, cli.ExitNo, "ceremony", "status", forged)
	if err != nil {
		return err
	}
	d.tell("- %s", said)
	book, err := d.fabric.Book(d.nodes[playsLender].organisation)
	if err != nil {
		return err
	}
	_, err = book.RecordContribution(ctx, lenders[:transcript.HeaderBytes])
	return d.refusal("a contribution that the ledger has already", err)
}

// refusal is an error unless the ledger refused.
func (d *ceremonyDemo) refusal(what string, err error) error {
	var refused *ledger.Refusal
	if !errors.As(err, &refused) {
		return fmt.Errorf("the ledger took %s: %w", what, err)
	}
	d.tell("- the ledger: %s", refused)
	return nil
}

// closeStage has the regulator end the stage on the ledger, and close it with the hash of the block that holds the end.
func (d *ceremonyDemo) closeStage(ctx context.Context, stage int) error {
	d.say(d.nodes[playsRegulator].organisation, "ends stage %d on the ledger, verifies all of it, and closes it with the hash of the block that holds the end:", stage)
	out, err := d.must(ctx, playsRegulator, append([]string{"ceremony", "finalize", d.folder()}, d.member(playsRegulator)...)...)
	if err != nil {
		return err
	}
	book, err := d.fabric.Book(d.nodes[playsRegulator].organisation)
	if err != nil {
		return err
	}
	c, err := book.Ceremony(ctx, d.ceremony)
	if err != nil {
		return err
	}
	if c.Closing(stage) == nil {
		return fmt.Errorf("stage %d is not closed on the ledger: %.300s", stage, out)
	}
	value, err := closingValue(ctx, book, &c, stage)
	if err != nil {
		return err
	}
	d.tell("%s: %s", value.Source, value.Value)
	if d.transcript = c.Transcript; !d.transcript.IsZero() {
		d.tell("transcript %s", d.transcript)
	}
	return nil
}
