package main

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/statement"
)

func newStatementCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "statement",
		Short: "Work with statements, the questions that proofs answer",
	}
	command.AddCommand(newStatementCheckCommand(p))
	return command
}

func newStatementCheckCommand(p *cli.Printer) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a statement and print it in words",
		Long: `Check reads a statement (JSON in any layout; - is standard input), checks every field and bound, and prints
it in words, with the claims in the integers that the circuit works on. With --json it prints the canonical form.
The exit code is 1 if the statement would be refused, with the field and the bound.`,
		Example: `  assay statement check out/statement.json`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return checkStatement(p, args[0]) },
	}
}

type statementObject struct {
	Kind      string               `json:"kind"`
	Valid     bool                 `json:"valid"`
	Statement *statement.Statement `json:"statement"`
}

func checkStatement(p *cli.Printer, path string) error {
	var b []byte
	var err error
	if path == "-" {
		b, err = io.ReadAll(io.LimitReader(p.In, statement.MaxBytes+1))
	} else {
		b, err = readFile(path, statement.MaxBytes)
	}
	if err != nil {
		return err
	}
	s, err := statement.Read(bytes.NewReader(b))
	if err != nil {
		return cli.No("%s: %w", path, err)
	}
	if p.JSON {
		return p.Object(statementObject{"statement", true, s})
	}
	return p.Line("%s", cli.Printable(s.Text()))
}

// prettyStatement is a statement for people, which statement.Read takes.
func prettyStatement(s *statement.Statement) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, s.Canonical(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
