package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/datahub/store"
)

// storeCall is one call of assay store.
type storeCall struct {
	nodeCall
	fleet  string
	before uint64
	yes    bool
}

func newStoreCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{Use: "store", Short: "Keys of what a node keeps, and their destruction"}
	command.AddCommand(newStoreKeys(p), newStoreShred(p), newStoreIdentity(p))
	return command
}

func newStoreKeys(p *cli.Printer) *cobra.Command {
	c := &storeCall{nodeCall: nodeCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:     "keys --config OWNER.yaml [--fleet FLEET]",
		Short:   "List the data keys by fleet and period",
		Example: `  assay store keys --config owner.yaml`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return c.forFleets(command.Context(), func(s *store.Store, fleet string) error {
				keys, err := s.Keys(command.Context(), fleet)
				if err != nil {
					return err
				}
				return c.list(keys)
			})
		},
	})
	command.Flags().StringVar(&c.fleet, "fleet", "", "only this fleet")
	return command
}

func newStoreShred(p *cli.Printer) *cobra.Command {
	c := &storeCall{nodeCall: nodeCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:   "shred --config OWNER.yaml --fleet FLEET --before EPOCH --yes",
		Short: "Make everything of past periods unreadable, for good",
		Long: `Shred destroys the keys of a fleet's periods that end before an epoch: in the key store first, then in the database. Frames, records and
what anchors of those epochs commit to cannot be read any more, by anyone, from backups either, and nothing can be proven about those epochs. Anchors on
the ledger stay. A period that is not over is refused.`,
		Example: `  assay store keys --config owner.yaml
  assay store shred --config owner.yaml --fleet swapco-fleet --before 120 --yes`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.shred(command.Context()) },
	})
	command.Flags().StringVar(&c.fleet, "fleet", "", "the fleet")
	command.Flags().Uint64Var(&c.before, "before", 0, "the first epoch that stays readable")
	command.Flags().BoolVar(&c.yes, "yes", false, "I know that there is no way back")
	cli.Require(command, "fleet", "before")
	return command
}

func newStoreIdentity(p *cli.Printer) *cobra.Command {
	return &cobra.Command{
		Use:   "new-identity FILE",
		Short: "Draw a machine key for a key store in files (keys.file.identity)",
		Long: `New-identity writes a new machine key, an age identity, to a file that only its owner may read. The key store's folder is sealed to it: keep it
somewhere else than the folder and its backups. An existing file is left as it is.`,
		Example: `  assay store new-identity /etc/assay/machine.key`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := file.CreateIdentity(args[0]); err != nil {
				return err
			}
			if p.JSON {
				return p.Object(struct {
					Kind string `json:"kind"`
					File string `json:"file"`
				}{"identity", args[0]})
			}
			return p.Line("IDENTITY  %s", args[0])
		},
	}
}

func (c *storeCall) shred(ctx context.Context) error {
	if !c.yes {
		return cli.Usage("--yes: say that you know that there is no way back")
	}
	found := false
	err := c.forFleets(ctx, func(s *store.Store, fleet string) error {
		found = true
		keys, err := s.Shred(ctx, fleet, c.before)
		if errors.Is(err, store.ErrCurrent) {
			return cli.No("%w", err)
		}
		if err != nil {
			return err
		}
		if len(keys) == 0 && !c.JSON {
			return c.Line("No period of fleet %s ends before epoch %d, or all were shredded.", fleet, c.before)
		}
		return c.list(keys)
	})
	if err == nil && !found {
		return cli.Usage("--fleet %q: the configuration has no such fleet", c.fleet)
	}
	return err
}

func (c *storeCall) forFleets(ctx context.Context, do func(s *store.Store, fleet string) error) error {
	return c.with(ctx, func(config *node.Config, s *node.Storage) error {
		for i := range config.Fleets {
			if id := config.Fleets[i].ID; c.fleet == "" || c.fleet == id {
				if err := do(s.Store, id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

type dataKeyObject struct {
	Kind     string     `json:"kind"`
	Fleet    string     `json:"fleet"`
	Period   uint64     `json:"period"`
	First    uint64     `json:"first_epoch"`
	Last     uint64     `json:"last_epoch"`
	Created  time.Time  `json:"created"`
	Shredded *time.Time `json:"shredded"`
}

func (c *storeCall) list(keys []store.DataKey) error {
	var rows [][]string
	for _, k := range keys {
		o := dataKeyObject{"data_key", k.Fleet, k.Period, k.First, k.Last, k.Created, nil}
		state := "readable"
		if !k.Shredded.IsZero() {
			o.Shredded, state = &k.Shredded, "shredded "+k.Shredded.Format(time.DateTime)
		}
		if c.JSON {
			if err := c.Object(o); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{k.Fleet, fmt.Sprint(k.Period), fmt.Sprintf("%d–%d", k.First, k.Last), k.Created.Format(time.DateTime), state})
	}
	if c.JSON || len(rows) == 0 {
		return nil
	}
	return c.Table([]string{"fleet", "period", "epochs", "created (UTC)", "state"}, rows)
}
