package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
)

func newKeysCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{Use: "keys", Short: "Work with the verifying keys that a ledger pins"}
	var trust string
	list := &cobra.Command{
		Use:   "list --trust TRUST",
		Short: "List pinned keys with digest and setup",
		Long: `List prints the verifying keys pinned on a ledger, from a regulator's export: circuit, digest, size, and which
setup made them.`,
		Example: `  assay keys list --trust out/trust.json`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return listKeys(p, trust) },
	}
	list.Flags().StringVar(&trust, "trust", "", "the regulator's export of the ledger")
	if err := list.MarkFlagRequired("trust"); err != nil {
		panic(err) // the flag is defined above
	}
	command.AddCommand(list, newKeysPublish(p))
	return command
}

type keyObject struct {
	Kind      string `json:"kind"`
	CircuitID string `json:"circuit_id"`
	Digest    string `json:"digest"`
	Bytes     int    `json:"bytes"`
	Setup     string `json:"setup"`
}

func listKeys(p *cli.Printer, path string) error {
	b, err := readFile(path, ledger.MaxTrust)
	if err != nil {
		return err
	}
	trust, err := ledger.ParseTrust(b)
	if err != nil {
		return cli.No("%s: %w", path, err)
	}
	var rows [][]string
	for _, k := range trust.Keys {
		if p.JSON {
			if err := p.Object(keyObject{"key", k.CircuitID, k.Digest.String(), len(k.Key), k.Setup}); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{k.CircuitID, k.Digest.String(), fmt.Sprint(len(k.Key)), k.Setup})
	}
	if p.JSON {
		return nil
	}
	return p.Table([]string{"circuit", "digest", "bytes", "setup"}, rows)
}
