package main

import (
	"context"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/client"
)

// nodeStep is a command that takes a request or a query one step further, at the node of whoever may.
type nodeStep[M proto.Message] struct {
	use, short, long, example string
	// kind is request or query. said is what is printed of what became of it.
	kind string
	said func(M) string
	// reasons says what --reason is for; without it there is none.
	reasons  string
	required bool
	call     func(ctx context.Context, node *client.Client, id string, reasons []string) (M, error)
}

func (s nodeStep[M]) command(p *cli.Printer) *cobra.Command {
	c := &apiCall{Printer: p}
	var reasons []string
	command := &cobra.Command{
		Use: s.use, Short: s.short, Long: s.long, Example: s.example, Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return c.about(command.Context(), s.kind, args[0], func(ctx context.Context, node *client.Client) error {
				m, err := s.call(ctx, node, args[0], reasons)
				if err != nil {
					return err
				}
				if p.JSON {
					return printMessage(p, s.kind, m)
				}
				return p.Line("%s", s.said(m))
			})
		},
	}
	if s.reasons != "" {
		command.Flags().StringArrayVar(&reasons, "reason", nil, s.reasons)
	}
	if s.required {
		cli.Require(command, "reason")
	}
	c.flags(command.Flags())
	return command
}
