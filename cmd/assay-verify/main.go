//go:build !js

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"time"
	"unicode/utf16"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// Exit codes.
const (
	exitHolds = iota
	exitNo
	exitUsage
)

const usage = `Usage: assay-verify [--ledger ID] [--ceremony TRANSCRIPT] [--json] [--html FILE] BUNDLE TRUST
       assay-verify evidence [--ledger ID] [--channel BLOCK] [--ceremony TRANSCRIPT] [--json] [--html FILE] EVIDENCE
       assay-verify ledger [--ledger ID] [--channel BLOCK] [--accept-config HASH] [--srs SRS] [--json] [--html FILE] BLOCKS GENESIS|TRUST

Assay-verify checks a proof bundle against TRUST, a regulator's export of the ledger, and prints a verdict. It needs no network.
Everything rests on TRUST: compare the ledger id that the verdict names with one that you have from elsewhere, or give it with --ledger.
What comes from a Fabric channel rests on its first block as well: compare that too, or give it with --channel.

With 'evidence' it checks a file that 'assay audit evidence' wrote, by the ledger's own blocks in it.
With 'ledger' it checks all blocks of a Fabric channel, as 'assay-fabric export' wrote them, against the consortium's genesis,
or against TRUST and up to the block that it names.

  --ledger ID            the ledger id that the export, the evidence or the genesis must be of
  --ceremony TRANSCRIPT  the transcript.json of the ceremony that made the keys: checked, and told who contributed
  --channel BLOCK        the Fabric channel's first block, as a file, or the hash of its header
  --chaincode NAME       the contract's name on the Fabric channel, if it is not "assay"
  --accept-config HASH   the hash of a block that changes the channel's configuration, which you know of (may be given again)
  --srs SRS              the SRS whose key is pinned on the ledger, as a file
  --json                 print the verdict as JSON
  --html FILE            write the verdict as a page that prints well, too
  --version              print the program's version

The exit code is 0 if the bundle is valid and every claim holds, or evidence or ledger are sound; 1 if not; 2 if the call cannot be carried out.
`

func main() { os.Exit(run(os.Args[1:], time.Now(), os.Stdout, os.Stderr)) }

func run(args []string, now time.Time, out, notes io.Writer) int {
	check, args := checkBundle, args
	if len(args) > 0 && args[0] == "evidence" {
		check, args = checkEvidence, args[1:]
	} else if len(args) > 0 && args[0] == "ledger" {
		check, args = checkLedger, args[1:]
	}
	c, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usage) //nolint:errcheck // there is nobody else to tell
		return exitHolds
	}
	code := exitHolds
	if err == nil {
		code, err = c.run(check, now, out)
	}
	if err != nil {
		fmt.Fprintf(notes, "assay-verify: %s\n", ledger.Printable(err.Error(), 4<<10)) //nolint:errcheck // there is nobody else to tell
		return exitUsage
	}
	return code
}

// call is what the flags say, and the files named.
type call struct {
	ledger, channel                commit.Digest
	json, version                  bool
	html, ceremony, chaincode, srs string
	accepted                       []commit.Digest
	files                          []string
	flags                          []string // those that were given
}

func parse(args []string) (*call, error) {
	c := &call{}
	f := flag.NewFlagSet("assay-verify", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Func("ledger", "", func(id string) error { return parseDigest(id, &c.ledger) })
	f.Func("channel", "", c.readChannel)
	f.Func("accept-config", "", c.accept)
	f.StringVar(&c.chaincode, "chaincode", "assay", "")
	f.StringVar(&c.ceremony, "ceremony", "", "")
	f.StringVar(&c.srs, "srs", "", "")
	f.BoolVar(&c.json, "json", false, "")
	f.BoolVar(&c.version, "version", false, "")
	f.StringVar(&c.html, "html", "", "")
	for len(args) > 0 { // flags may stand behind files
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if args = f.Args(); len(args) > 0 {
			c.files, args = append(c.files, args[0]), args[1:]
		}
	}
	f.Visit(func(given *flag.Flag) { c.flags = append(c.flags, given.Name) })
	return c, nil
}

// takes refuses another number of files, and flags that are for another kind of check.
func (c *call) takes(files int, what string, flags ...string) error {
	if len(c.files) != files {
		return fmt.Errorf("name %s; %d files are named ('assay-verify --help' shows how)", what, len(c.files))
	}
	for _, given := range c.flags {
		if !slices.Contains(flags, given) && !slices.Contains([]string{"ledger", "json", "html", "version"}, given) {
			return fmt.Errorf("--%s is for another kind of check ('assay-verify --help' shows which)", given)
		}
	}
	return nil
}

func parseDigest(text string, into *commit.Digest) error {
	if err := into.UnmarshalText([]byte(text)); err != nil {
		return err
	}
	if into.IsZero() {
		return errors.New("is all zeros")
	}
	return nil
}

func (c *call) accept(hash string) error {
	var d commit.Digest
	if err := parseDigest(hash, &d); err != nil {
		return err
	}
	c.accepted = append(c.accepted, d)
	return nil
}

// result is a verdict of either kind.
type result struct {
	holds    bool
	document *verdict.Document
	object   any
}

func (c *call) run(check func(*call, time.Time) (*result, error), now time.Time, out io.Writer) (int, error) {
	if c.version && len(c.files) == 0 {
		_, err := fmt.Fprintf(out, "assay-verify %s\n", version())
		return exitHolds, err
	}
	r, err := check(c, now)
	if err != nil {
		return 0, err
	}
	if err := c.print(r, out); err != nil {
		return 0, err
	}
	if !r.holds {
		return exitNo, nil
	}
	return exitHolds, nil
}

func checkBundle(c *call, now time.Time) (*result, error) {
	if err := c.takes(2, "a bundle and an export of the ledger", "ceremony"); err != nil {
		return nil, err
	}
	files := verdict.Files{Ledger: c.ledger, At: now}
	var err error
	if files.Bundle, err = read(c.files[0], verify.MaxBundleBytes); err != nil {
		return nil, err
	}
	if files.Trust, err = read(c.files[1], ledger.MaxTrust); err != nil {
		return nil, err
	}
	if files.Ceremony, err = c.transcript(); err != nil {
		return nil, err
	}
	v := verdict.Check(files)
	return &result{v.Outcome == verdict.Holds, v.Document(), v}, nil
}

// transcript is nil if none is named.
func (c *call) transcript() ([]byte, error) {
	if c.ceremony == "" {
		return nil, nil
	}
	return read(c.ceremony, transcript.MaxFile)
}

func (c *call) print(r *result, out io.Writer) error {
	if c.html != "" {
		if err := os.WriteFile(c.html, []byte(r.document.HTML()), 0o644); err != nil {
			return err
		}
	}
	if !c.json {
		_, err := io.WriteString(out, r.document.Text())
		return err
	}
	line, err := json.Marshal(r.object)
	if err != nil {
		return err
	}
	_, err = out.Write(append(ascii(line), '\n'))
	return err
}

// ascii spells what is not ASCII in a line of JSON with escapes, which say the same: files may hold characters that steer a terminal.
func ascii(line []byte) []byte {
	var b []byte
	for _, r := range string(line) {
		if r >= ' ' && r <= '~' {
			b = append(b, byte(r))
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, "\\u%04x", unit)
		}
	}
	return b
}

// read reads a whole file of at most limit bytes.
func read(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, limit)
	}
	return b, nil
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
