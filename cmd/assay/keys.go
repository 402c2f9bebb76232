package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

func newKeysCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{Use: "keys", Short: "Work with the verifying keys that a ledger pins"}
	var trust string
	list := &cobra.Command{
		Use:   "list --trust TRUST",
		Short: "List pinned keys with digest, setup and status",
		Long: `List prints the verifying keys pinned on a ledger, from a regulator's export: circuit, digest, size, which
setup made them, and whether they are active, retired or revoked, since when and why.`,
		Example: `  assay keys list --trust out/trust.json`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return listKeys(p, trust) },
	}
	list.Flags().StringVar(&trust, "trust", "", "the regulator's export of the ledger")
	cli.Require(list, "trust")
	command.AddCommand(list, newKeysPublish(p), newKeysPins(p), newKeysEnd(p, verify.StateRetired), newKeysEnd(p, verify.StateRevoked))
	return command
}

type keyObject struct {
	Kind      string `json:"kind"`
	CircuitID string `json:"circuit_id"`
	Digest    string `json:"digest"`
	Bytes     int    `json:"bytes"`
	Setup     string `json:"setup"`
	// Pin is what the organisations agreed to, SRS and Circuit what it covers besides the key.
	Pin     commit.Digest   `json:"pin"`
	SRS     commit.Digest   `json:"srs,omitzero"`
	Circuit commit.Digest   `json:"circuit,omitzero"`
	Status  verify.KeyState `json:"status"`
	Reason  string          `json:"reason,omitempty"`
	Since   *time.Time      `json:"since,omitempty"`
}

func keyObjectOf(k *verify.PublishedKey) keyObject {
	o := keyObject{
		Kind: "key", CircuitID: k.CircuitID, Digest: k.Digest.String(), Bytes: len(k.Key), Setup: k.Setup, Pin: k.Pin(), SRS: k.SRS, Circuit: k.Circuit,
		Status: k.Status.Current(), Reason: k.Status.Reason,
	}
	if o.Status != verify.StateActive {
		since := time.Unix(k.Status.Time, 0).UTC()
		o.Since = &since
	}
	return o
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
			if err := p.Object(keyObjectOf(&k)); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{k.CircuitID, k.Digest.String(), fmt.Sprint(len(k.Key)), k.Setup, k.Status.String()})
	}
	if p.JSON {
		return nil
	}
	return p.Table([]string{"circuit", "digest", "bytes", "setup", "status"}, rows)
}
