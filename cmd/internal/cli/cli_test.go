package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestStrangers: what a group of commands does not have is an error, at every depth, and a group by itself shows its help.
func TestStrangers(t *testing.T) {
	for args, want := range map[string]struct {
		code int
		said string
	}{
		"keys":              {ExitYes, "Available Commands"},
		"keys list":         {ExitYes, "listed"},
		"keys nonsense":     {ExitUsage, `unknown command "nonsense" for "root keys"; there are list, old`},
		"keys old nonsense": {ExitUsage, `there are one`},
		"nonsense":          {ExitUsage, "unknown command"},
	} {
		var out bytes.Buffer
		p := &Printer{Out: &out, Notes: &out}
		root, keys, old := &cobra.Command{Use: "root", SilenceErrors: true, SilenceUsage: true}, &cobra.Command{Use: "keys"}, &cobra.Command{Use: "old"}
		run := func(*cobra.Command, []string) error { return p.Line("listed") }
		old.AddCommand(&cobra.Command{Use: "one", RunE: run})
		keys.AddCommand(&cobra.Command{Use: "list", RunE: run}, &cobra.Command{Use: "hidden", Hidden: true, RunE: run}, old)
		root.AddCommand(keys)
		root.SetOut(&out)
		code := ExitCode(Run(context.Background(), p, root, strings.Fields(args)))
		if code != want.code || !strings.Contains(out.String(), want.said) {
			t.Errorf("%s: %d\n%s", args, code, out.String())
		}
	}
}
