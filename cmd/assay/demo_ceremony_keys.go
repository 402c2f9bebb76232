package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

// replay has the other organisations make the keys from the folder too, which replays all of it, and hold the folder against the ledger.
func (d *ceremonyDemo) replay(ctx context.Context) error {
	d.say("The others", "replay the whole ceremony from its folder, make the same keys, and find the ledger to agree:")
	for _, role := range []string{playsOwner, playsLender} {
		if _, err := d.must(ctx, role, append([]string{"ceremony", "finalize", d.folder()}, d.member(role)...)...); err != nil {
			return err
		}
	}
	return nil
}

// equip gives the SRS to the contract services.
func (d *ceremonyDemo) equip(ctx context.Context) error {
	keys, err := setup.Finished(d.cache(playsRegulator), d.transcript)
	if err != nil {
		return err
	}
	d.srs = keys.SRSFile()
	d.say("Operators", "give the new SRS to their contract services, which start with it.")
	d.Note("… assay-fabric up --srs")
	if _, err := d.runFabric(ctx, d.assayFabric, "up", "--json", "--dir", d.at("network"), "--srs", d.srs); err != nil {
		return err
	}
	return d.connect(ctx)
}

// publish has the regulator pin the keys. Before the others consent that is refused; each consents to what came out of its own replay, and to nothing else.
func (d *ceremonyDemo) publish(ctx context.Context) error {
	if err := d.substitute(ctx); err != nil {
		return err
	}
	d.say(d.nodes[playsRegulator].organisation, "wants to pin the keys of the ceremony; nobody has consented yet:")
	publish := append([]string{"keys", "publish", "--ceremony", d.transcript.String()}, d.member(playsRegulator)...)
	_, said, err := d.as(ctx, playsRegulator, cli.ExitNo, publish...)
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(said, ";") // what each peer said follows
	d.tell("- %s", first)
	d.say("Everyone", "consents to the pins that came out of its own replay, and the regulator pins the keys:")
	for _, role := range contributors {
		if err := d.consent(ctx, role); err != nil {
			return err
		}
	}
	out, err := d.must(ctx, playsRegulator, publish...)
	if err != nil {
		return err
	}
	for line := range bytes.Lines(out) {
		var k keyObject
		if err := json.Unmarshal(line, &k); err != nil {
			return err
		}
		d.tell("pinned %-12s %s (%s)", k.CircuitID, shortID(k.Digest), k.Setup)
	}
	book, err := d.fabric.Book(d.nodes[playsRegulator].organisation)
	if err != nil {
		return err
	}
	return d.registerMaker(ctx, d.fabric, book)
}

// consent puts an organisation's own pins on its service's list.
func (d *ceremonyDemo) consent(ctx context.Context, role string) error {
	out, err := d.must(ctx, role, "keys", "pins", "--ceremony", d.transcript.String(), "--chunk", fmt.Sprint(d.chunkSize))
	if err != nil {
		return err
	}
	list := consent.List{Path: d.fabric.members[d.nodes[role].organisation].profile.Consent}
	for line := range bytes.Lines(out) {
		var k keyObject
		if err := json.Unmarshal(line, &k); err != nil {
			return err
		}
		if err := list.Add(k.Pin, "our own replay of the ceremony"); err != nil {
			return err
		}
	}
	return nil
}

// substitute has a regulator who everybody consents to, by mistake, publish a key of a ceremony that never took place.
func (d *ceremonyDemo) substitute(ctx context.Context) error {
	d.say("Somebody", "gets everyone to consent to an SRS of a ceremony that never took place; the ledger refuses it even so:")
	keys, err := setup.Finished(d.cache(playsRegulator), d.transcript)
	if err != nil {
		return err
	}
	encoded, err := verify.EncodeSRSKey(keys.SRS())
	if err != nil {
		return err
	}
	other := verify.NewPublishedKey(verify.SRSKey, verify.CeremonySetup(commit.Digest{1}), encoded)
	if err := d.fabric.Agree(other.Pin(), "a mistake, for the demonstration"); err != nil {
		return err
	}
	book, err := d.fabric.Book(d.nodes[playsRegulator].organisation)
	if err != nil {
		return err
	}
	_, err = book.PublishKey(ctx, other)
	return d.refusal("a key of a ceremony that it does not have", err)
}

// employ starts the nodes, which find the keys by what the ledger pins.
func (d *ceremonyDemo) employ(ctx context.Context) error {
	if err := d.startAll(ctx); err != nil {
		return err
	}
	d.say("Nodes", "%s (owner), %s (lender) and %s run. The owner's proves with the keys of the setup that the ledger names.",
		d.nodes[playsOwner].organisation, d.nodes[playsLender].organisation, d.nodes[playsRegulator].organisation)
	return nil
}

// exportTrust writes what a verifier needs of the ledger, signed by the regulator.
func (d *ceremonyDemo) exportTrust(ctx context.Context) (*ledger.Trust, error) {
	regulator := d.nodes[playsRegulator].organisation
	book, err := d.fabric.Book(regulator)
	if err != nil {
		return nil, err
	}
	signer, err := d.fabric.Signer(regulator)
	if err != nil {
		return nil, err
	}
	return book.ExportTrust(ctx, regulator, signer, d.fabric.Now(), ledger.EpochRef{Fleet: nodesFleet, Epoch: d.reported})
}

// transcriptFile is the ceremony's transcript as finalize wrote it.
func (d *ceremonyDemo) transcriptFile() string { return filepath.Join(d.folder(), "transcript.json") }
