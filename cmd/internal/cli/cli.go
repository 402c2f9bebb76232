// Package cli is what the commands have in common: how a command line is run, what its exit code means, and how results, notes and progress are printed.
//
// Results go to standard output, progress and notes to standard error. With --json every result is one JSON object on a line of its own. The exit code is 0 for yes,
// 1 for no with a reason, 2 for a call that cannot be carried out as it was written. What other machines said is printed without what could steer a terminal.
package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	ExitYes   = 0
	ExitNo    = 1
	ExitUsage = 2
)

// exitError is an error that knows its exit code.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// No is the answer of a command that was carried out: it says why the answer is not yes. A plain error means the same.
func No(format string, args ...any) error { return &exitError{ExitNo, fmt.Errorf(format, args...)} }

// Usage is the error of a call that cannot be carried out: a wrong flag, a file that is not there.
func Usage(format string, args ...any) error {
	return &exitError{ExitUsage, fmt.Errorf(format, args...)}
}

// ExitCode is the code for what Run returned.
func ExitCode(err error) int {
	var coded *exitError
	switch {
	case err == nil:
		return ExitYes
	case errors.As(err, &coded):
		return coded.code
	}
	return ExitNo
}

// Root completes a program's root command. A command gets the printer, through which all its output goes.
func Root(p *Printer, root *cobra.Command, commands ...func(*Printer) *cobra.Command) *cobra.Command {
	root.Version, root.SilenceErrors, root.SilenceUsage = version(), true, true
	root.CompletionOptions = cobra.CompletionOptions{HiddenDefaultCmd: true}
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Notes)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.PersistentFlags().BoolVar(&p.JSON, "json", false, "print results as JSON, one object on a line")
	for _, construct := range commands {
		root.AddCommand(construct(p))
	}
	return root
}

// Run carries out one command line. An error has been printed when it returns.
func Run(ctx context.Context, p *Printer, root *cobra.Command, args []string) error {
	started := false
	refuseStrangers(root)
	onStart(root, func() { started = true })
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return nil
	}
	if !started { // cobra found fault with the arguments
		err = &exitError{ExitUsage, err}
	}
	p.Note("%s: %v", called.CommandPath(), err)
	if ExitCode(err) == ExitUsage {
		p.Note("'%s --help' shows how to call it.", called.CommandPath())
	}
	return err
}

// Main is the main function of a program, from its arguments to its exit code. An interrupt ends the context.
func Main(run func(ctx context.Context, args []string, p *Printer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], &Printer{In: os.Stdin, Out: os.Stdout, Notes: os.Stderr})
	stop()
	os.Exit(ExitCode(err))
}

// refuseStrangers has a group of commands refuse a name that none of them has. Cobra prints its help and calls that a success.
func refuseStrangers(c *cobra.Command) {
	if c.HasParent() && c.HasSubCommands() && !c.Runnable() {
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return Usage("unknown command %q for %q; there are %s", args[0], c.CommandPath(), strings.Join(names(c), ", "))
		}
	}
	for _, sub := range c.Commands() {
		refuseStrangers(sub)
	}
}

func names(c *cobra.Command) (out []string) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			out = append(out, sub.Name())
		}
	}
	return out
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

// Require marks flags without which a command does not run.
func Require(c *cobra.Command, flags ...string) {
	for _, name := range flags {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is not defined
		}
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
