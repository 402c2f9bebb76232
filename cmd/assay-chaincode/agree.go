package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/consent"
	"github.com/assay-net/assay/zk/commit"
)

// consentOf is the consent list in a data folder.
func consentOf(data string) consent.List { return consent.List{Path: filepath.Join(data, "consent")} }

func newAgreeCommand(p *cli.Printer) *cobra.Command {
	var data, note string
	command := &cobra.Command{
		Use:   "agree DIGEST --data DIR",
		Short: "Consent to a verifying key or a maker",
		Long: `Agree puts a digest on this organisation's consent list: of a verifying key or an SRS as its publisher names it, or of a
maker's id, name and CA certificate, as the service's refusal names it. The organisation's peer endorses no other. Compare
what it stands for with what you worked out or were told yourself: whoever has a key of the setup, or a maker's CA key, can
make the ledger say anything. For the keys of a ceremony, 'assay keys pins' works out what to agree to from your own replay.

It takes effect with the service's next call. To withdraw consent, take the line out of DIR/consent.`,
		Example: `  assay-chaincode agree --data /var/lib/assay-chaincode 4f5c…e1 --note "setup of 12 November, transcript compared"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var digest commit.Digest
			if err := digest.UnmarshalText([]byte(args[0])); err != nil {
				return cli.Usage("%w", err)
			}
			if err := consentOf(data).Add(digest, note); err != nil {
				return err
			}
			return p.Object(consentObject{"consent", consent.Entry{Digest: digest, Note: note}})
		},
	}
	command.Flags().StringVar(&data, "data", "", "the service's data folder")
	command.Flags().StringVar(&note, "note", "", "why, for people")
	cli.Require(command, "data")
	return command
}

type consentObject struct {
	Kind string `json:"kind"`
	consent.Entry
}

func newAgreedCommand(p *cli.Printer) *cobra.Command {
	var data string
	command := &cobra.Command{
		Use:     "agreed --data DIR",
		Short:   "List what this organisation has consented to",
		Long:    `Agreed prints the consent list: digest and note, in the order in which they were added.`,
		Example: `  assay-chaincode agreed --data /var/lib/assay-chaincode`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			entries, err := consentOf(data).Read()
			if err != nil {
				return err
			}
			for _, e := range entries {
				if p.JSON {
					err = p.Object(consentObject{"consent", e})
				} else {
					_, err = fmt.Fprintf(p.Out, "%s  %s\n", e.Digest, e.Note)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	command.Flags().StringVar(&data, "data", "", "the service's data folder")
	cli.Require(command, "data")
	return command
}
