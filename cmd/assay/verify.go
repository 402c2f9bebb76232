package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

type verifyCall struct {
	*cli.Printer
	trust  string
	ledger string

	evidence, genesis, channelGenesis, chaincode string
}

func newVerifyCommand(p *cli.Printer) *cobra.Command {
	c := &verifyCall{Printer: p}
	command := &cobra.Command{
		Use:   "verify BUNDLE --trust TRUST | verify --evidence FILE",
		Short: "Verify a proof bundle, or the evidence of a request, offline",
		Long: `Verify checks a bundle against a regulator's export of the ledger and prints the verdict: the statement in
words, coverage, each claim and whether it holds, disclosed totals, which setup made the keys, and where on the
ledger the anchors are. It needs no network and takes nothing from the bundle's maker on trust.

Everything rests on TRUST. Compare the ledger id it prints with one you have from elsewhere, or give it with
--ledger. The exit code is 0 if the bundle is valid and every claim holds, 1 if not, with the reason.

With --evidence it checks a file that 'assay audit evidence' wrote: that the ledger's blocks in it hold the request, the grant, the policies,
the decision and the proof, endorsed by whom the genesis asks for; that the decision follows from grant and policies; and the proof again. It says line by line what is
shown, and what is somebody's word. --genesis and --channel-genesis pin what the blocks rest on.`,
		Example: `  assay verify out/bundle.cbor --trust out/trust.json
  assay verify out/bundle.cbor --trust out/trust.json --json
  assay verify --evidence evidence.json --ledger 9b2e1d… --channel-genesis channel.block`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := c.check(args); err != nil {
				return err
			}
			if c.evidence != "" {
				return c.checkEvidence()
			}
			return c.run(args[0])
		},
	}
	command.Flags().StringVar(&c.trust, "trust", "", "the regulator's export of the ledger")
	command.Flags().StringVar(&c.ledger, "ledger", "", "the ledger id that the export, or the evidence, must be of")
	command.Flags().StringVar(&c.evidence, "evidence", "", "a file of evidence, in place of a bundle")
	command.Flags().StringVar(&c.genesis, "genesis", "", "with --evidence: the consortium's genesis from elsewhere")
	command.Flags().StringVar(&c.channelGenesis, "channel-genesis", "", "with --evidence: the Fabric channel's genesis block, or the hash of its header")
	command.Flags().StringVar(&c.chaincode, "chaincode", profile.DefaultChaincode, "with --evidence: the contract's name on the Fabric channel")
	return command
}

func (c *verifyCall) run(path string) error {
	bundle, err := readFile(path, verify.MaxBundleBytes)
	if err != nil {
		return err
	}
	export, err := readFile(c.trust, ledger.MaxTrust)
	if err != nil {
		return err
	}
	trust, err := ledger.ParseTrust(export)
	if err != nil {
		return cli.No("%s: %w", c.trust, err)
	}
	if c.ledger != "" && c.ledger != trust.Ledger.String() {
		return cli.No("%s is of ledger %s, not of %s", c.trust, trust.Ledger, c.ledger)
	}
	verdict, err := verifyWith(trust, bundle)
	if err != nil {
		return cli.No("%s is not valid: %w", path, err)
	}
	if err := printVerdict(c.Printer, verdict, trust, c.ledger != ""); err != nil {
		return err
	}
	if !verdict.Holds() {
		return cli.No("%s is valid, but not every claim holds", path)
	}
	return nil
}

// verifyWith verifies a bundle with the facts and keys of an export.
func verifyWith(trust *ledger.Trust, bundle []byte) (*verify.Verdict, error) {
	s, err := verify.BundleStatement(bundle)
	if err != nil {
		return nil, err
	}
	facts, err := trust.FactsAt(s.Fleet, s.Epoch)
	if err != nil {
		return nil, err
	}
	keys, err := trust.Keyring()
	if err != nil {
		return nil, err
	}
	verdict, err := verify.VerifyBundle(bundle, facts, keys)
	if err != nil {
		return nil, err
	}
	return verdict, checkAsked(trust, verdict)
}

// checkAsked holds a verdict against the requests on the ledger: a bundle that
// answers no request, or one that came to nothing, may be a sound proof of a
// question that its maker chose.
func checkAsked(trust *ledger.Trust, v *verify.Verdict) error {
	id := commit.Digest(v.Statement.Digest(v.Ledger))
	r, ok := trust.Request(id)
	if !ok {
		return fmt.Errorf("the ledger holds no request for this statement (%s)", id)
	}
	if r.Status != ledger.StatusVerified && !r.Status.Approved() {
		return fmt.Errorf("the ledger's request for this statement is %s", r.Status)
	}
	return nil
}

// verdictObject is a verdict as a line of JSON.
type verdictObject struct {
	Kind       string        `json:"kind"`
	Valid      bool          `json:"valid"`
	Holds      bool          `json:"holds"`
	ExportedBy string        `json:"exported_by"`
	Height     uint64        `json:"height"`
	BlockHash  commit.Digest `json:"block_hash"`
	// LedgerCompared says whether the caller named the ledger. Whoever makes a
	// ledger of their own can make an export of it.
	LedgerCompared bool `json:"ledger_compared"`
	*verify.Verdict
}

func printVerdict(p *cli.Printer, v *verify.Verdict, trust *ledger.Trust, compared bool) error {
	if p.JSON {
		return p.Object(verdictObject{"verdict", true, v.Holds(), trust.ExportedBy, trust.Height, trust.BlockHash, compared, v})
	}
	text := verdictText(v, trust)
	if !compared {
		text += "\nThe ledger id was not compared with any: anybody can make a ledger. Give the one you know with --ledger.\n"
	}
	_, err := io.WriteString(p.Out, cli.Printable(text))
	return err
}

func verdictText(v *verify.Verdict, trust *ledger.Trust) string {
	var b strings.Builder
	fmt.Fprintf(&b, "VALID%s\n\n", map[bool]string{true: " (under an UNSAFE single-party setup: for demonstration only)"}[v.Unsafe])
	b.WriteString(v.Statement.Text())
	fmt.Fprintf(&b, "\nCoverage    %s %%: %d of %d enrolled devices reported", v.Coverage.Percent, v.Coverage.Attested, v.Coverage.Enrolled)
	if n := len(v.Coverage.Missing); n > 0 {
		fmt.Fprintf(&b, "; %d chunks were not anchored: %v", n, v.Coverage.Missing)
	}
	fmt.Fprintf(&b, "\nRetired     %d devices since the epoch before\n", v.Coverage.Retired)
	b.WriteString(findingsText(v))
	fmt.Fprintf(&b, "\nLedger      %s, as %s saw it at block %d\n", v.Ledger, trust.ExportedBy, trust.Height)
	fmt.Fprintf(&b, "Anchors     %s\n", anchorText(v.Chunks))
	for _, k := range v.Keys {
		fmt.Fprintf(&b, "Key         %-14s %s setup: %s\n", k.CircuitID, short(k.Digest), k.Setup)
		if k.Status.Current() != verify.StateActive {
			fmt.Fprintf(&b, "            %s; no new proof is taken under this key\n", k.Status)
		}
	}
	if r, ok := trust.Request(commit.Digest(v.Statement.Digest(v.Ledger))); ok {
		fmt.Fprintf(&b, "Request     %s by %s, on the ledger: %s\n", r.ID, r.Requester, r.Status)
	}
	return b.String()
}

// findingsText says which claims hold, and what is disclosed.
func findingsText(v *verify.Verdict) string {
	var b strings.Builder
	for i, claim := range v.Claims {
		fmt.Fprintf(&b, "Claim %d     %-8s %s\n", i+1, map[bool]string{true: "HOLDS", false: "DOES NOT"}[claim.Holds], claim.Claim)
	}
	for _, d := range v.Disclosed {
		fmt.Fprintf(&b, "Disclosed   %s = %s %s\n", d.Name, d.Value, d.Unit)
	}
	return b.String()
}

// anchorText says where the anchors are, the first few one by one.
func anchorText(chunks []verify.ChunkVerdict) string {
	const shown = 4
	parts := make([]string, 0, shown+1)
	for i, c := range chunks {
		if i == shown {
			parts = append(parts, fmt.Sprintf("and %d more", len(chunks)-shown))
			break
		}
		parts = append(parts, fmt.Sprintf("chunk %d in block %d (%d of %d)", c.Index, c.Height, c.Attested, c.Enrolled))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// readFile reads a whole file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, cli.Usage("reading %s: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, cli.No("%s is longer than %d bytes", path, limit)
	}
	return b, nil
}
