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
	"time"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// Exit codes.
const (
	exitHolds = iota
	exitNo
	exitUsage
)

const usage = `Usage: assay-verify [--ledger ID] [--json] [--html FILE] BUNDLE TRUST

Assay-verify checks a proof bundle against TRUST, a regulator's export of the ledger, and prints a verdict. It needs no network.
Everything rests on TRUST: compare the ledger id that the verdict names with one that you have from elsewhere, or give it with --ledger.

  --ledger ID   the ledger id that the export must be of
  --json        print the verdict as JSON
  --html FILE   write the verdict as a page that prints well, too
  --version     print the program's version

The exit code is 0 if the bundle is valid and every claim holds, 1 if not, 2 if the call cannot be carried out.
`

func main() { os.Exit(run(os.Args[1:], time.Now(), os.Stdout, os.Stderr)) }

type call struct {
	ledger              commit.Digest
	json, version       bool
	html, bundle, trust string
}

func run(args []string, now time.Time, out, notes io.Writer) int {
	c, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, usage) //nolint:errcheck // there is nobody else to tell
		return exitHolds
	}
	code := exitHolds
	if err == nil {
		code, err = c.run(now, out)
	}
	if err != nil {
		fmt.Fprintf(notes, "assay-verify: %s\n", ledger.Printable(err.Error(), 4<<10)) //nolint:errcheck // there is nobody else to tell
		return exitUsage
	}
	return code
}

func parse(args []string) (*call, error) {
	c := &call{}
	f := flag.NewFlagSet("assay-verify", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Func("ledger", "", func(id string) error {
		if err := c.ledger.UnmarshalText([]byte(id)); err != nil {
			return err
		}
		if c.ledger.IsZero() {
			return errors.New("is all zeros")
		}
		return nil
	})
	f.BoolVar(&c.json, "json", false, "")
	f.BoolVar(&c.version, "version", false, "")
	f.StringVar(&c.html, "html", "", "")
	var files []string
	for len(args) > 0 { // flags may stand behind files
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		if args = f.Args(); len(args) > 0 {
			files, args = append(files, args[0]), args[1:]
		}
	}
	if c.version && len(files) == 0 {
		return c, nil
	}
	if len(files) != 2 {
		return nil, fmt.Errorf("name a bundle and an export of the ledger; %d files are named ('assay-verify --help' shows how)", len(files))
	}
	c.bundle, c.trust = files[0], files[1]
	return c, nil
}

func (c *call) run(now time.Time, out io.Writer) (int, error) {
	if c.version {
		_, err := fmt.Fprintf(out, "assay-verify %s\n", version())
		return exitHolds, err
	}
	files := verdict.Files{Ledger: c.ledger, At: now}
	var err error
	if files.Bundle, err = read(c.bundle, verify.MaxBundleBytes); err != nil {
		return 0, err
	}
	if files.Trust, err = read(c.trust, ledger.MaxTrust); err != nil {
		return 0, err
	}
	v := verdict.Check(files)
	if err := c.print(v, out); err != nil {
		return 0, err
	}
	if v.Outcome != verdict.Holds {
		return exitNo, nil
	}
	return exitHolds, nil
}

func (c *call) print(v *verdict.Verdict, out io.Writer) error {
	d := v.Document()
	if c.html != "" {
		if err := os.WriteFile(c.html, []byte(d.HTML()), 0o644); err != nil {
			return err
		}
	}
	if !c.json {
		_, err := io.WriteString(out, d.Text())
		return err
	}
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = out.Write(append(line, '\n'))
	return err
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
