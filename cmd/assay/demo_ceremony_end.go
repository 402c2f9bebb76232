package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/durable"
)

// judge verifies the proof from files alone, with this program and, where it is there, with the verifier that is nothing else.
func (d *ceremonyDemo) judge(ctx context.Context) error {
	if _, err := d.command(ctx, playsLender, cli.ExitYes, "proof", "download", d.within, "--out", d.at("bundle.cbor")); err != nil {
		return err
	}
	trust, err := d.exportTrust(ctx)
	if err != nil {
		return err
	}
	if err := durable.WriteFile(d.at("trust.json"), trust.Marshal()); err != nil {
		return err
	}
	d.say(d.nodes[playsRegulator].organisation, "exports the ledger's facts and verifies the proof from the two files, offline:")
	out, _, err := d.give(ctx, playsRegulator, cli.ExitYes, []string{"verify", d.at("bundle.cbor"), "--trust", d.at("trust.json"), "--ledger", d.ledgerID})
	if err != nil {
		return err
	}
	if err := d.convincing(out); err != nil {
		return err
	}
	return d.verifier(ctx)
}

// convincing shows a verdict, which must not call its keys unsafe.
func (d *ceremonyDemo) convincing(verdict []byte) error {
	for line := range bytes.Lines(verdict) {
		d.tell("%s", strings.TrimRight(string(line), "\n"))
	}
	if bytes.Contains(bytes.ToLower(verdict), []byte("unsafe")) {
		return cli.No("the verdict calls the keys unsafe")
	}
	d.verdict += string(verdict)
	return nil
}

// verifier runs assay-verify, which is told who made the keys by the transcript, on the proof and on the evidence of it.
func (d *ceremonyDemo) verifier(ctx context.Context) error {
	path := filepath.Join(filepath.Dir(d.self), "assay-verify")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		d.Note("There is no assay-verify beside this program: 'make build' makes it.")
		return nil
	}
	if _, err := d.command(ctx, playsRegulator, cli.ExitYes, "audit", "evidence", d.within, "--out", d.at("evidence.json")); err != nil {
		return err
	}
	d.say("Anyone", "verifies it with the small program that is nothing but a verifier, and the ceremony's transcript:")
	known := []string{"--ledger", d.ledgerID, "--ceremony", d.transcriptFile()}
	for _, args := range [][]string{
		slices.Concat(known, []string{"--html", d.at("verdict.html"), d.at("bundle.cbor"), d.at("trust.json")}),
		slices.Concat([]string{"evidence"}, known, []string{"--channel", d.at("network", "channel.block"), d.at("evidence.json")}),
	} {
		d.tell("$ assay-verify %s", strings.Join(d.shorten(args), " "))
		cmd := exec.CommandContext(ctx, path, args...)
		var out, notes bytes.Buffer
		cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = &out, &notes, own()
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("assay-verify: %w: %s%s", err, out.String(), notes.String())
		}
		verdict := out.Bytes()
		if args[0] == "evidence" {
			verdict = beginning(verdict)
		}
		if err := d.convincing(verdict); err != nil {
			return err
		}
	}
	return nil
}

// beginning is a verdict's title and what it comes to.
func beginning(verdict []byte) []byte {
	paragraphs := bytes.SplitAfterN(verdict, []byte("\n\n"), 3)
	return bytes.TrimRight(bytes.Join(paragraphs[:min(2, len(paragraphs))], nil), "\n")
}

// inspect has the regulator replay the channel, ceremony and closing values included.
func (d *ceremonyDemo) inspect(ctx context.Context) error {
	d.say(d.nodes[playsRegulator].organisation, "audits the channel from its first block:")
	out, _, err := d.as(ctx, playsRegulator, cli.ExitYes, append([]string{"audit", "channel", "--out", d.at("report.json")}, d.member(playsRegulator)...)...)
	if err != nil {
		return err
	}
	var report struct {
		Sound bool `json:"sound"`
	}
	if err := last(out, &report); err != nil {
		return err
	}
	if !report.Sound {
		return cli.No("the audit is not sound: %.500s", out)
	}
	d.tell("the channel is sound")
	return nil
}

// ceremonyResult is the demonstration as a line of JSON.
type ceremonyResult struct {
	Kind       string  `json:"kind"`
	Ledger     string  `json:"ledger"`
	Ceremony   string  `json:"ceremony"`
	Transcript string  `json:"transcript"`
	Chunk      int     `json:"chunk"`
	Fleet      string  `json:"fleet"`
	Epoch      uint64  `json:"epoch"`
	Verified   string  `json:"verified"`
	Bundle     string  `json:"bundle"`
	Trust      string  `json:"trust"`
	File       string  `json:"transcript_file"`
	Verdict    string  `json:"verdict"`
	Seconds    float64 `json:"seconds"`
}

// finish says where things are.
func (d *ceremonyDemo) finish(context.Context) error {
	took := time.Since(d.begun)
	if d.JSON {
		return d.Object(ceremonyResult{
			"demo_ceremony", d.ledgerID, d.ceremony.String(), d.transcript.String(), d.chunkSize, nodesFleet, d.reported, d.within,
			d.at("bundle.cbor"), d.at("trust.json"), d.transcriptFile(), d.verdict, took.Seconds(),
		})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nIn %s (%.0f s in all)\n", d.demoCall.dir, took.Seconds())
	for _, f := range [][2]string{
		{"ceremony", "the ceremony's folder: assay ceremony verify replays it"},
		{"ceremony/transcript.json", "who contributed what, signed, in one file"},
		{"bundle.cbor, trust.json", "the proof, and the regulator's export of the ledger; evidence.json has the ledger's blocks"},
		{"verdict.html", "assay-verify's verdict as a page"},
		{"*/cache", "the keys, as each organisation made them from the folder"},
		{"report.json", "the regulator's audit of the channel"},
	} {
		fmt.Fprintf(&b, "  %-26s%s\n", f[0], f[1])
	}
	fmt.Fprintf(&b, "\nThen: %s verify %s --trust %s", d.self, d.at("bundle.cbor"), d.at("trust.json"))
	return d.Line("%s", b.String())
}
