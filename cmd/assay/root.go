package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// commands are the constructors of all commands, one file each. A command gets the printer, through which all its output goes.
var commands = []func(*printer) *cobra.Command{
	newDemoCommand,
	newImportCommand,
	newVerifyCommand,
	newStatementCommand,
	newLedgerCommand,
	newAuditCommand,
	newEpochCommand,
	newKeysCommand,
}

// stdio is what a command reads from and writes to.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// Exit codes.
const (
	exitYes   = 0
	exitNo    = 1
	exitUsage = 2
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// no is the answer of a command that was carried out: it says why the answer is not yes. A plain error means the same.
func no(format string, args ...any) error { return &exitError{exitNo, fmt.Errorf(format, args...)} }

// usage is the error of a call that cannot be carried out: a wrong flag, a file that is not there.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	var coded *exitError
	switch {
	case err == nil:
		return exitYes
	case errors.As(err, &coded):
		return coded.code
	}
	return exitNo
}

// run carries out one command line. An error has been printed when it returns.
func run(ctx context.Context, args []string, io stdio) error {
	p := &printer{in: io.in, out: io.out, notes: io.err}
	root := newRootCommand(p)
	started := false
	onStart(root, func() { started = true })
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return nil
	}
	if !started { // cobra found fault with the arguments
		err = &exitError{exitUsage, err}
	}
	p.note("%s: %s", called.CommandPath(), printable(err.Error()))
	if exitCode(err) == exitUsage {
		p.note("'%s --help' shows how to call it.", called.CommandPath())
	}
	return err
}

func newRootCommand(p *printer) *cobra.Command {
	root := &cobra.Command{
		Use:   "assay",
		Short: "Prove what a fleet of batteries is worth, without showing a reading",
		Long: `Assay lets a lender learn what a fleet of batteries or charging piles is worth, and a regulator check
that, while nobody but the owner sees a reading.

Exit code: 0 for yes, 1 for no with a reason, 2 for a call that cannot be carried out as written.`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.notes)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "print results as JSON, one object on a line")
	for _, construct := range commands {
		root.AddCommand(construct(p))
	}
	return root
}

// onStart calls started when a command begins to run: its arguments have been accepted by then.
func onStart(c *cobra.Command, started func()) {
	if inner := c.RunE; inner != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			started()
			return inner(c, args)
		}
	}
	for _, sub := range c.Commands() {
		onStart(sub, started)
	}
}

// version is the module's version and the commit it was built from, as far as the build knows them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
