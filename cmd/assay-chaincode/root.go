package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// stdio is what a command writes to.
type stdio struct{ out, err io.Writer }

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// usageError is the error of a call that cannot be carried out: a wrong flag, a file that is not there.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func exitCode(err error) int {
	var u usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &u):
		return exitUsage
	}
	return exitFailed
}

// run carries out one command line. An error has been printed when it returns.
func run(ctx context.Context, args []string, io stdio) error {
	root := newRootCommand(io)
	started := false
	for _, c := range root.Commands() {
		if inner := c.RunE; inner != nil {
			c.RunE = func(c *cobra.Command, args []string) error {
				started = true
				return inner(c, args)
			}
		}
	}
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return nil
	}
	if !started { // fault was found with the arguments
		err = usageError{err}
	}
	fmt.Fprintf(io.err, "%s: %v\n", called.CommandPath(), err) //nolint:errcheck // there is nobody else to tell
	if exitCode(err) == exitUsage {
		fmt.Fprintf(io.err, "'%s --help' shows how to call it.\n", called.CommandPath()) //nolint:errcheck // as above
	}
	return err
}

func newRootCommand(io stdio) *cobra.Command {
	root := &cobra.Command{
		Use:   "assay-chaincode",
		Short: "Run the ledger's contract for a Fabric peer",
		Long: `assay-chaincode runs the ledger's contract as a service, which one organisation's Fabric peer calls, and keeps the
list of what the organisation has consented to.

Every flag can also be given as an environment variable: --tls-cert as ASSAY_CHAINCODE_TLS_CERT. The flag counts
where both are given.

Exit code: 0 for success, 1 for a failure with a reason, 2 for a call that cannot be carried out as written.`,
		Version:           version(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetOut(io.out)
	root.SetErr(io.err)
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	for _, command := range []*cobra.Command{newServeCommand(io), newAgreeCommand(io), newAgreedCommand(io)} {
		command.PreRunE = func(c *cobra.Command, _ []string) error { return fromEnvironment(c.Flags(), os.LookupEnv) }
		root.AddCommand(command)
	}
	return root
}

// require marks flags without which a command does not run.
func require(c *cobra.Command, names ...string) {
	for _, name := range names {
		if err := c.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is not defined
		}
	}
}

// object prints a result as one line of JSON.
func object(out io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	_, err = out.Write(append(line, '\n'))
	return err
}

// version is the module's version and the commit it was built from, as far as the build knows them.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
