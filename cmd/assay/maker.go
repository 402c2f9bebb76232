package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// makerCall is one call of assay maker.
type makerCall struct {
	memberCall
	title string
}

func newMakerCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "maker",
		Short: "Register makers of devices on a Fabric ledger",
		Long:  "A device can be enrolled if its maker's CA is on the ledger. A regulator registers makers, and every endorsing organisation has to agree to each.",
	}
	command.AddCommand(newMakerRegister(p), newMakerList(p))
	return command
}

func newMakerRegister(p *cli.Printer) *cobra.Command {
	c := &makerCall{memberCall: memberCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:   "register CERTIFICATE",
		Short: "Register a maker's CA, as a regulator",
		Long: `Register puts a maker's CA on the ledger, under the id in its certificate. Other organisations' services agree only to digests on their lists: with
--network, which is a local network with all of them, this command puts it there; with --profile it prints the digest that their operators have to agree to with
'assay-chaincode agree'.`,
		Example: `  assay maker register maker.pem --network assay-network
  assay maker register maker.pem --profile profiles/regulator.json --name "VoltWorks"`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command.Context(), func(ctx context.Context, b ledger.Book) error { return c.register(ctx, b, args[0]) })
		},
	})
	command.Flags().StringVar(&c.title, "name", "", "the maker's name for people; its id if empty")
	return command
}

func newMakerList(p *cli.Printer) *cobra.Command {
	c := &makerCall{memberCall: memberCall{Printer: p}}
	return c.flags(&cobra.Command{
		Use:     "list",
		Short:   "List the makers that the ledger has",
		Example: `  assay maker list --network assay-network`,
		Args:    cobra.NoArgs,
		RunE:    func(command *cobra.Command, _ []string) error { return c.with(command.Context(), c.list) },
	})
}

type makerObject struct {
	Kind   string        `json:"kind"`
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Digest commit.Digest `json:"digest"`
}

func (c *makerCall) register(ctx context.Context, b ledger.Book, path string) error {
	der, err := readCertificate(path)
	if err != nil {
		return err
	}
	ca, err := commit.ParseMakerCA(der)
	if err != nil {
		return cli.Usage("%s: %w", path, err)
	}
	m := ledger.RegisterMaker{ID: ca.Subject.Organization[0], Name: c.title, Certificate: der}
	if m.Name == "" {
		m.Name = m.ID
	}
	if err := c.agree(m.Digest(), "maker "+m.ID); err != nil {
		return err
	}
	if _, err := b.RegisterMaker(ctx, m); err != nil {
		return cli.No("registering maker %s (digest %s): %w", m.ID, m.Digest(), err)
	}
	return c.Result(makerObject{"maker_registered", m.ID, m.Name, m.Digest()}, "REGISTERED  maker %s", m.ID)
}

func (c *makerCall) list(ctx context.Context, b ledger.Book) error {
	makers, err := b.Makers(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, m := range makers {
		registered := ledger.RegisterMaker{ID: m.ID, Name: m.Name, Certificate: m.Certificate}
		if c.JSON {
			if err := c.Object(makerObject{"maker", m.ID, m.Name, registered.Digest()}); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{m.ID, cli.Printable(m.Name), registered.Digest().String()})
	}
	if c.JSON {
		return nil
	}
	return c.Table([]string{"maker", "name", "digest"}, rows)
}
