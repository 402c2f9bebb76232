package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/admin"
	"github.com/assay-net/assay/fabricnet/durable"
)

// maxPEM bounds a certificate or key file.
const maxPEM = 256 << 10

func newContractCommand(p *cli.Printer) *cobra.Command {
	return group("contract", "Package, install, approve, commit and upgrade the contract",
		`Contract commands take the contract through its lifecycle on a channel. Every organisation packages the address of its own
contract service, installs the package on its peer and approves the definition; once enough have approved, one commits it.

The endorsement policy is the consortium's, from its genesis.`,
		newPackageCommand(p), newInstallCommand(p), newInstalledCommand(p), newApproveCommand(p), newReadinessCommand(p), newCommitCommand(p),
		newUpgradeCommand(p), newCommittedCommand(p))
}

// packageFlags are what package is called with.
type packageFlags struct {
	label, address, roots, key, certificate, out string
}

func newPackageCommand(p *cli.Printer) *cobra.Command {
	var f packageFlags
	c := &cobra.Command{
		Use:   "package --label LABEL --address HOST:PORT --tls-roots FILE --client-key FILE --client-cert FILE --out FILE",
		Short: "Package the address of a contract service for its peer",
		Long: `Package writes the chaincode package that sends the organisation's peer to its contract service. The same input makes the same file and
the same package id everywhere. The file holds the client key with which the peer shows itself to the service: keep it like a key.`,
		Example: `  assay-fabric contract package --label assay_2 --address contract.bank.example:9999 --tls-roots ca.pem \
    --client-key peer-client.key --client-cert peer-client.pem --out assay_2.tgz`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return makePackage(p, f) },
	}
	flags := c.Flags()
	flags.StringVar(&f.label, "label", "", "the package's label: letters, digits and _.+-")
	flags.StringVar(&f.address, "address", "", "where the contract service listens, as the peer sees it")
	flags.StringVar(&f.roots, "tls-roots", "", "CA certificates of the service's TLS certificate, PEM")
	flags.StringVar(&f.key, "client-key", "", "the peer's TLS client key, PEM")
	flags.StringVar(&f.certificate, "client-cert", "", "the peer's TLS client certificate, PEM")
	flags.StringVar(&f.out, "out", "", "the file to write")
	cli.Require(c, "label", "address", "tls-roots", "client-key", "client-cert", "out")
	return c
}

type packageObject struct {
	Kind      string   `json:"kind"`
	PackageID string   `json:"package_id"`
	File      string   `json:"file,omitempty"`
	Peer      string   `json:"peer,omitempty"`
	Uses      []string `json:"uses,omitempty"`
}

func makePackage(p *cli.Printer, f packageFlags) error {
	c := admin.Connection{Address: f.address}
	for _, file := range []struct {
		path string
		to   *[]byte
	}{{f.roots, &c.TLSRoots}, {f.key, &c.ClientKey}, {f.certificate, &c.ClientCertificate}} {
		b, err := readFile(file.path, maxPEM)
		if err != nil {
			return err
		}
		*file.to = b
	}
	pkg, id, err := admin.Package(f.label, c)
	if err != nil {
		return cli.Usage("%w", err)
	}
	if err := durable.WriteFile(f.out, pkg); err != nil {
		return err
	}
	return p.Result(packageObject{Kind: "package", PackageID: id, File: f.out}, "PACKAGE %s in %s", id, f.out)
}

func newInstallCommand(p *cli.Printer) *cobra.Command {
	var on connection
	c := &cobra.Command{
		Use:     "install FILE",
		Short:   "Install a package on the organisation's peer",
		Long:    `Install puts a chaincode package on the organisation's peer and prints its id. A package that is there already is left.`,
		Example: `  assay-fabric contract install assay_2.tgz --profile profiles/bank.json --admin-cert admin.pem --admin-key admin.key`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error {
				id, err := s.installFile(ctx, args[0])
				if err != nil {
					return err
				}
				o := packageObject{Kind: "installed", PackageID: id, Peer: s.profile.Peer.Address}
				return p.Result(o, "INSTALLED %s on peer %s", o.PackageID, o.Peer)
			})
		},
	}
	on.flags(c)
	return c
}

func (s *session) installFile(ctx context.Context, path string) (id string, err error) {
	pkg, err := readFile(path, admin.MaxPackage)
	if err != nil {
		return "", err
	}
	if _, err := admin.PackageID(pkg); err != nil {
		return "", cli.Usage("%s: %w", path, err)
	}
	return s.Install(ctx, pkg)
}

func newInstalledCommand(p *cli.Printer) *cobra.Command {
	var on connection
	c := &cobra.Command{
		Use:     "installed",
		Short:   "List the packages on the organisation's peer",
		Long:    `Installed lists the chaincode packages on the organisation's peer, and which definitions run from them.`,
		Example: `  assay-fabric contract installed --org greenbank`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error {
				all, err := s.Installed(ctx)
				if err != nil {
					return err
				}
				for _, one := range all {
					o := packageObject{Kind: "installed", PackageID: one.ID, Peer: s.profile.Peer.Address, Uses: one.Uses}
					if err := p.Result(o, "%s  %s", o.PackageID, strings.Join(o.Uses, ", ")); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	on.flags(c)
	return c
}

type definitionObject struct {
	Kind      string          `json:"kind"`
	Name      string          `json:"name"`
	Version   string          `json:"version"`
	Sequence  int64           `json:"sequence"`
	Policy    string          `json:"policy,omitempty"`
	PackageID string          `json:"package_id,omitempty"`
	Approvals map[string]bool `json:"approvals,omitempty"`
	Committed bool            `json:"committed"`
	// Consortium says whether the committed endorsement policy is the one of the consortium's genesis.
	Consortium *bool `json:"consortium_policy,omitempty"`
}

func newDefinitionObject(kind string, d admin.Definition) definitionObject {
	o := definitionObject{Kind: kind, Name: d.Name, Version: d.Version, Sequence: d.Sequence}
	if len(d.Policy.Groups) > 0 {
		o.Policy = d.Policy.String()
	}
	return o
}

// definition prints a definition and who approved it.
func printDefinition(p *cli.Printer, o definitionObject, headline string, args ...any) error {
	if err := p.Result(o, headline, args...); err != nil || p.JSON || o.Approvals == nil {
		return err
	}
	var rows [][]string
	for _, id := range sortedKeys(o.Approvals) {
		rows = append(rows, []string{id, yesNo(o.Approvals[id])})
	}
	return p.Table([]string{"organisation", "approved"}, rows)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (o *definitionObject) String() string {
	return fmt.Sprintf("%s version %s, sequence %d", o.Name, o.Version, o.Sequence)
}
