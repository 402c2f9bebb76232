package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// reviewPatience bounds how long the regulator's node may take to verify a proof again.
const reviewPatience = time.Minute

// audit has the regulator look at all of it: what its node verified again, who asked what, and the evidence of the answer, checked without a node.
func (d *nodesDemo) audit(ctx context.Context) error {
	regulator := d.nodes[playsRegulator]
	d.say(regulator.organisation, "has verified approval and proof again, and sees all of it:")
	err := d.until(ctx, reviewPatience, "the regulator's node verifies the proof again", func(ctx context.Context) (bool, error) {
		n, err := d.reviewed(ctx, regulator, "requests")
		d.reverified = n > 0
		return d.reverified, err
	})
	if err != nil {
		return err
	}
	if err := d.show(ctx, playsRegulator, "audit", "list", "--fleet", nodesFleet); err != nil {
		return err
	}
	if err := d.show(ctx, playsRegulator, "grant", "list"); err != nil {
		return err
	}
	if err := d.show(ctx, playsRegulator, "audit", "alerts"); err != nil {
		return err
	}
	d.evidenceAt = d.at("evidence.json")
	if _, err := d.command(ctx, playsRegulator, cli.ExitYes, "audit", "evidence", d.within, "--out", d.evidenceAt); err != nil {
		return err
	}
	if _, err := d.command(ctx, playsLender, cli.ExitYes, "proof", "download", d.within, "--out", d.at("bundle.cbor")); err != nil {
		return err
	}
	return d.show(ctx, playsRegulator, "verify", "--evidence", d.evidenceAt, "--ledger", d.ledgerID, "--channel-genesis", d.at("network", "channel.block"))
}

// nodesResult is the demonstration as a line of JSON.
type nodesResult struct {
	Kind       string            `json:"kind"`
	Ledger     string            `json:"ledger"`
	Fleet      string            `json:"fleet"`
	Epoch      uint64            `json:"epoch"`
	Devices    int               `json:"devices"`
	Policy     string            `json:"policy"`
	Grant      string            `json:"grant"`
	Verified   string            `json:"verified"`
	Refused    string            `json:"refused"`
	Stopped    string            `json:"stopped_by_revocation"`
	Reverified bool              `json:"reverified"`
	Evidence   string            `json:"evidence"`
	Curl       string            `json:"curl"`
	REST       map[string]string `json:"rest"`
	GRPC       map[string]string `json:"grpc"`
	Seconds    float64           `json:"seconds"`
}

// finish says where things are.
func (d *nodesDemo) finish(context.Context) error {
	curl, err := d.writeCurl()
	if err != nil {
		return err
	}
	took := time.Since(d.begun)
	if d.JSON {
		o := nodesResult{
			Kind: "demo_nodes", Ledger: d.ledgerID, Fleet: nodesFleet, Epoch: d.reported, Devices: d.fleetSize, Policy: d.published, Grant: nodesGrant,
			Verified: d.within, Refused: d.outside, Stopped: d.after, Reverified: d.reverified, Evidence: d.evidenceAt, Curl: curl,
			REST: map[string]string{}, GRPC: map[string]string{}, Seconds: took.Seconds(),
		}
		for role, n := range d.nodes {
			o.REST[role], o.GRPC[role] = n.rest, n.grpc
		}
		return d.Object(o)
	}
	return d.Line("%s", d.places(curl, took))
}

func (d *nodesDemo) places(curl string, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nIn %s (%.0f s in all)\n", d.demoCall.dir, took.Seconds())
	for _, role := range []string{playsOwner, playsLender, playsRegulator} {
		n := d.nodes[role]
		fmt.Fprintf(&b, "  %-22s%s: REST and its page https://%s/docs/, gRPC %s\n", filepath.Base(n.config), n.organisation, n.rest, n.grpc)
	}
	for _, f := range [][2]string{
		{"policy.cedar", "the owner's policy, cases.yaml what it must decide, terms.json the grant"},
		{"statement.json", "what the lender asked, outside.json what was refused"},
		{"evidence.json", "all that proves what became of the request; bundle.cbor is its proof"},
		{"curl.sh", "the same by curl, while the nodes run"},
		{"*.log", "what nodes and devices said"},
	} {
		fmt.Fprintf(&b, "  %-22s%s\n", f[0], f[1])
	}
	if !d.stay {
		fmt.Fprintf(&b, `
Network and nodes are stopped now. To start them again:
  %s up --dir %s
  %s serve --config %s     (and lender.yaml, regulator.yaml, each in a terminal)
`, d.assayFabric, d.at("network"), d.self, d.nodes[playsOwner].config)
	}
	fmt.Fprintf(&b, "\nThen: sh %s\nor:   %s audit list %s", curl, d.self, strings.Join(d.nodes[playsRegulator].access(), " "))
	return b.String()
}
