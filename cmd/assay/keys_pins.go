package main

import (
	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// pinsCall is one call of assay keys pins.
type pinsCall struct {
	*cli.Printer
	cache, transcript string
	sizes             []int
}

func newKeysPins(p *cli.Printer) *cobra.Command {
	c := &pinsCall{Printer: p}
	command := &cobra.Command{
		Use:   "pins --ceremony TRANSCRIPT",
		Short: "Work out what this organisation may consent to, from its own copy of a ceremony",
		Long: `Pins prints the pin of each key that 'assay ceremony finalize' made on this machine. A pin covers the verifying key, the SRS, the constraint system
and the setup that they come from. An organisation consents to these and no others: whatever a regulator or anyone else publishes under another pin is not what
came out of the ceremony that was replayed here. Where the key cache was copied, or others can write to it, run 'assay ceremony verify' first: it believes nothing
that was verified earlier, and compares the cache.`,
		Example: `  assay keys pins --ceremony 5d2e…64 digits…07
  assay-chaincode agree --data /var/lib/assay-chaincode PIN --note "our own replay of the ceremony"`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return c.run() },
	}
	f := command.Flags()
	f.StringVar(&c.transcript, "ceremony", "", "the ceremony's transcript, 64 hexadecimal digits")
	f.IntSliceVar(&c.sizes, "chunk", []int{1024}, "chunk sizes whose circuits' keys are asked for")
	f.StringVar(&c.cache, "keys", "", "directory of the key cache (default $ASSAY_CACHE or the user's cache directory)")
	cli.Require(command, "ceremony")
	return command
}

func (c *pinsCall) run() error {
	if err := checkSizes(c.sizes); err != nil {
		return err
	}
	digest, err := parseTranscript(c.transcript)
	if err != nil {
		return err
	}
	keys, err := openFinished(c.cache, digest)
	if err != nil {
		return err
	}
	all, err := keys.Published(c.sizes...)
	if err != nil {
		return cli.No("%w", err)
	}
	var rows [][]string
	for _, k := range all {
		if c.JSON {
			if err := c.Object(keyObjectOf(&k)); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{k.CircuitID, k.Pin().String(), k.Digest.String()})
	}
	if c.JSON {
		return nil
	}
	return c.Table([]string{"circuit", "pin", "key"}, rows)
}
