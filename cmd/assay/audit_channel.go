package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/audit/statefile"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
)

// auditCall is one call of assay audit channel. What flags leave open comes from the profile.
type auditCall struct {
	*cli.Printer
	blocks, profileAt, networkAt, org  string
	genesis, channelGenesis, chaincode string
	srs, attestations, key, out        string
	accepted                           []string
	withoutAttestations                bool
	profile                            *profile.Profile
	client                             *gateway.Client
	consortium                         *ledger.Genesis
}

func newAuditChannelCommand(p *cli.Printer) *cobra.Command {
	c := &auditCall{Printer: p}
	command := &cobra.Command{
		Use:   "channel",
		Short: "Check a Fabric channel from its first block, and re-verify every proof",
		Long: `Channel takes no peer's word. It walks the channel's blocks from the genesis block that you trust: hash chain,
orderers' signatures, every creator's and endorser's signature and certificate, endorsement rules; it computes the
validation code of every transaction again, and runs every call of the contract again, with every attestation and
every proof in it. What it finds differs is named with its block. The report is signed with the organisation's key.

Blocks come from the organisation's own peer, or from a file (--blocks, see 'assay-fabric export'). The exit code is 0
if the channel is sound and 1 if not, with the first failure. Blocks cut off the end leave a sound channel: compare
the head that it prints.

A change of the channel's configuration is a failure until you have looked at it and accept its block by the hash that
the finding names (--accept-config). So is an anchor whose attestations are not to be had: the organisation's own
service has them if it endorsed; an owner's does not, and says --without-attestations.`,
		Example: `  assay audit channel --org Regulator --out audit.json
  assay audit channel --blocks blocks.bin --genesis genesis.json --channel-genesis channel.block --srs srs
  assay audit channel verify audit.json --genesis genesis.json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	f := command.Flags()
	f.StringVar(&c.blocks, "blocks", "", "a file of blocks, instead of the peer's")
	f.StringVar(&c.profileAt, "profile", "", "the organisation's connection profile")
	f.StringVar(&c.networkAt, "network", networkDir, "a local network's folder, for the profile of --org")
	f.StringVar(&c.org, "org", "", "the organisation that audits")
	f.StringVar(&c.genesis, "genesis", "", "the consortium's genesis")
	f.StringVar(&c.channelGenesis, "channel-genesis", "", "the channel's genesis block, or the hash of its header")
	f.StringVar(&c.chaincode, "chaincode", "", "the contract's name on the channel (default \"assay\")")
	f.StringVar(&c.srs, "srs", "", "the SRS (default: the key cache's)")
	f.StringVar(&c.attestations, "attestations", "", "a folder of attestations by root (default: the organisation's own service's)")
	f.BoolVar(&c.withoutAttestations, "without-attestations", false, "let anchors pass whose attestations are not to be had")
	f.StringArrayVar(&c.accepted, "accept-config", nil, "hash of a block with a change of the configuration that you know of (repeatable)")
	f.StringVar(&c.key, "key", "", "the organisation's key, to sign the report")
	f.StringVar(&c.out, "out", "", "write the report to this file")
	command.AddCommand(newAuditVerifyCommand(p))
	return command
}

func (c *auditCall) run(ctx context.Context) error {
	if err := c.prepare(); err != nil {
		return err
	}
	if c.blocks == "" {
		client, err := gateway.Open(ctx, gateway.Options{Profile: c.profile, Genesis: c.consortium})
		if err != nil {
			return err
		}
		defer client.Close() //nolint:errcheck // nothing is under way
		c.client = client
	}
	config, err := c.config()
	if err != nil {
		return err
	}
	signer, err := c.signer()
	if err != nil {
		return err
	}
	blocks, done, err := c.source(ctx, &config)
	if err != nil {
		return err
	}
	defer done()
	report, err := audit.Run(ctx, config, blocks)
	if err != nil {
		return err
	}
	report.AuditedAt = time.Now().Unix()
	if signer != nil {
		if err := report.Sign(c.consortium, c.organisation(), signer, time.Now()); err != nil {
			return err
		}
	}
	return c.deliver(report)
}

// prepare finds profile and genesis, and holds them against --org.
func (c *auditCall) prepare() error {
	if c.profileAt == "" && c.org != "" && (c.blocks == "" || c.genesis == "") {
		c.profileAt = profilePath(c.networkAt, strings.ToLower(c.org))
	}
	if c.profileAt == "" && c.blocks == "" {
		return cli.Usage("name who audits (--org or --profile), or a file of blocks (--blocks)")
	}
	if c.profileAt != "" {
		var err error
		if c.profile, err = profile.Read(c.profileAt); err != nil {
			return cli.Usage("%w", err)
		}
		if c.org != "" && !strings.EqualFold(c.org, c.profile.Organisation) {
			return cli.Usage("--org: %s is the profile of %s", c.profileAt, c.profile.Organisation)
		}
	}
	path := c.either(c.genesis, func(p *profile.Profile) string { return p.Genesis })
	if path == "" {
		return cli.Usage("--genesis is missing: the consortium's genesis, without a profile that names it")
	}
	var err error
	if c.consortium, err = readGenesis(path); err != nil {
		return err
	}
	if _, ok := c.consortium.Organisation(c.organisation()); !ok && c.organisation() != "" {
		return cli.Usage("--org: %s is not an organisation of ledger %s", c.organisation(), c.consortium.ID())
	}
	return nil
}

// either is a flag, or what the profile has in its place.
func (c *auditCall) either(flag string, of func(*profile.Profile) string) string {
	if flag != "" || c.profile == nil {
		return flag
	}
	return of(c.profile)
}

// organisation is who audits, "" if nobody is named.
func (c *auditCall) organisation() string {
	if c.profile != nil {
		return c.profile.Organisation
	}
	return strings.ToLower(c.org)
}

func (c *auditCall) config() (audit.Config, error) {
	pin, err := c.pin()
	if err != nil {
		return audit.Config{}, err
	}
	name := c.either(c.chaincode, func(p *profile.Profile) string { return p.Chaincode })
	if name == "" {
		name = profile.DefaultChaincode
	}
	config := audit.Config{
		Genesis: c.consortium, ChannelGenesis: pin, Chaincode: name,
		SRS: c.findSRS, Attestations: c.findAttestations, WithoutAttestations: c.withoutAttestations,
		AcceptConfigurations: make([]commit.Digest, len(c.accepted)), Store: statefile.In(""),
	}
	for i, hash := range c.accepted {
		if err := config.AcceptConfigurations[i].UnmarshalText([]byte(hash)); err != nil {
			return audit.Config{}, cli.Usage("--accept-config: %w", err)
		}
	}
	return config, nil
}

// pin is the hash of the channel's genesis block.
func (c *auditCall) pin() (commit.Digest, error) {
	given := c.either(c.channelGenesis, func(p *profile.Profile) string { return p.ChannelGenesis })
	if given == "" {
		return commit.Digest{}, cli.Usage("--channel-genesis is missing: the channel's genesis block that you trust, without a profile that names it")
	}
	return channelPin(given)
}

// channelPin is a hash that is given, or that of a block in a file.
func channelPin(given string) (commit.Digest, error) {
	var pin commit.Digest
	if pin.UnmarshalText([]byte(given)) == nil {
		return pin, nil
	}
	b, err := readFile(given, blockfile.MaxBlock)
	if err != nil {
		return pin, err
	}
	if pin, err = audit.ChannelGenesis(b); err != nil {
		return pin, cli.No("%s: %w", given, err)
	}
	return pin, nil
}

// signer is the organisation's key, nil if none is named.
func (c *auditCall) signer() (*orgkey.Key, error) {
	path := c.either(c.key, func(p *profile.Profile) string { return p.OrganisationKey })
	if path == "" {
		return nil, nil
	}
	if c.organisation() == "" {
		return nil, cli.Usage("--key: --org is missing, whose key it is")
	}
	key, err := orgkey.Read(path)
	if err != nil {
		return nil, cli.Usage("organisation key: %w", err)
	}
	return &key, nil
}

// deliver writes and prints the report. A channel that is not sound is a no.
func (c *auditCall) deliver(report *audit.Report) error {
	if c.out != "" {
		encoded, err := report.Marshal()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(c.out), 0o755); err != nil {
			return cli.Usage("--out: %w", err)
		}
		if err := os.WriteFile(c.out, encoded, 0o644); err != nil {
			return cli.Usage("--out: %w", err)
		}
	}
	if err := printAudit(c.Printer, report); err != nil {
		return err
	}
	if f := report.Failure(); f != nil {
		return cli.No("the channel is not sound: %s", f)
	}
	if len(report.Signature) == 0 {
		c.Note("The report is not signed: no organisation's key was named.")
	}
	return nil
}

func auditSubject(r *audit.Report) string {
	return fmt.Sprintf("channel %s, consensus %s, contract %s, ledger %s", r.Channel, r.Consensus, r.Chaincode, r.Ledger)
}
