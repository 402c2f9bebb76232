package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/zk/verify"
)

func newProofCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "proof",
		Short: "See what was proven, and take the proof",
		Long:  `These commands ask the node that --api names for verdicts and proof bundles. 'assay verify' verifies one without a node.`,
	}
	command.AddCommand(newProofShowCommand(p), newProofDownloadCommand(p), newProofVerifyCommand(p))
	return command
}

func newProofShowCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:     "show REQUEST",
		Short:   "Show the verdict that the ledger recorded",
		Long:    `Show prints what a verified proof shows: coverage, each claim and whether it holds, the totals that it discloses, and which setup made the keys.`,
		Example: `  assay proof show 3f6c1c0a…`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), "request", args[0], func(ctx context.Context, node *client.Client) error {
				answer, err := node.Proofs.GetProof(ctx, &assayv1.GetProofRequest{Request: args[0]})
				if err != nil {
					return err
				}
				m := answer.GetProof()
				if p.JSON {
					return printMessage(p, "proof", m)
				}
				text := fmt.Sprintf("Request     %s\n%sBundle      %s\nVerified    %s, transaction %s", m.GetRequest(), answeredText(m.GetVerdict()), m.GetBundle(), timeText(m.GetVerifiedAt()), m.GetTxId())
				return p.Line("%s", cli.Printable(text))
			})
		},
	}
	c.flags(command.Flags())
	return command
}

func newProofDownloadCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var out string
	command := &cobra.Command{
		Use:     "download REQUEST --out FILE",
		Short:   "Take the proof bundle of a verified request",
		Long:    `Download writes the bundle that a request was answered with, as the ledger has it, once it is there whole and matches its digest. It holds no record.`,
		Example: `  assay proof download 3f6c1c0a… --out bundle.cbor`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.download(command.Context(), args[0], out, "bundle", (*client.Client).Bundle)
		},
	}
	command.Flags().StringVar(&out, "out", "", "where to write it")
	cli.Require(command, "out")
	c.flags(command.Flags())
	return command
}

// download writes a file that a node has about a request.
func (c *apiCall) download(ctx context.Context, request, out, what string, take func(*client.Client, context.Context, string) ([]byte, error)) error {
	return c.about(ctx, "request", request, func(ctx context.Context, node *client.Client) error {
		b, err := take(node, ctx, request)
		if err != nil {
			return err
		}
		if err := durable.WriteFile(out, b); err != nil {
			return cli.Usage("--out: %w", err)
		}
		return c.Result(struct {
			Kind    string `json:"kind"`
			Request string `json:"request"`
			File    string `json:"file"`
			Bytes   int    `json:"bytes"`
		}{what, request, out, len(b)}, "%s: %d bytes, the %s of request %s", out, len(b), what, shortID(request))
	})
}

func newProofVerifyCommand(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	command := &cobra.Command{
		Use:   "verify FILE",
		Short: "Have a node verify a proof bundle against its ledger",
		Long: `Verify sends a bundle to the node, which verifies it with the keys, anchors and enrolment of its own ledger. It takes the node's word for that: 'assay verify'
does the same here, with a regulator's export. The exit code is 0 if the bundle is valid and every claim holds.`,
		Example: `  assay proof verify bundle.cbor`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			bundle, err := readInput(p, args[0], verify.MaxBundleBytes)
			if err != nil {
				return err
			}
			return c.with(command.Context(), func(ctx context.Context, node *client.Client) error {
				answer, err := node.Proofs.VerifyBundle(ctx, &assayv1.VerifyBundleRequest{Bundle: bundle})
				if err != nil {
					return err
				}
				return printVerified(p, args[0], answer)
			})
		},
	}
	c.flags(command.Flags())
	return command
}

func printVerified(p *cli.Printer, path string, answer *assayv1.VerifyBundleResponse) error {
	v := answer.GetVerdict()
	if p.JSON {
		if err := printMessage(p, "verified_bundle", answer); err != nil {
			return err
		}
	} else if v != nil {
		recorded := "The ledger holds another proof, or none, for this request.\n"
		if answer.GetRecorded() {
			recorded = "The ledger holds this very bundle as the request's proof.\n"
		}
		if err := p.Line("%s", cli.Printable("VALID\n\n"+answeredText(v)+"\n"+strings.TrimRight(recorded, "\n"))); err != nil {
			return err
		}
	}
	switch {
	case v == nil:
		return cli.No("%s is not valid: %s", path, answer.GetProblem())
	case !v.GetHolds():
		return cli.No("%s is valid, but not every claim holds", path)
	}
	return nil
}

// answeredText is a verdict of the interface for people.
func answeredText(v *assayv1.Verdict) string {
	var b strings.Builder
	if v.GetUnsafe() {
		b.WriteString("Setup       UNSAFE: one party could have made up the proof; for demonstration only\n")
	}
	fmt.Fprintf(&b, "Fleet       %s of %s at epoch %d\n", v.GetFleet(), v.GetOwner(), v.GetEpoch())
	fmt.Fprintf(&b, "Coverage    %s %%: %d of %d enrolled devices reported, %d of %d chunks missing\n", v.GetPercent(), v.GetAttested(), v.GetEnrolled(), v.GetMissingChunks(), v.GetChunks())
	for i, c := range v.GetClaims() {
		fmt.Fprintf(&b, "Claim %d     %-8s %s\n", i+1, map[bool]string{true: "HOLDS", false: "DOES NOT"}[c.GetHolds()], c.GetClaim())
	}
	for _, d := range v.GetDisclosed() {
		fmt.Fprintf(&b, "Disclosed   %s = %s %s\n", d.GetName(), d.GetValue(), d.GetUnit())
	}
	for _, k := range v.GetKeys() {
		fmt.Fprintf(&b, "Key         %-14s %s setup: %s\n", k.GetCircuitId(), shortID(k.GetDigest()), k.GetSetup())
		if s := k.GetStatus(); s != "" {
			fmt.Fprintf(&b, "            %s\n", s)
		}
	}
	return b.String()
}
