package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	now    uint64
	force  bool
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
		Use:   "shred --config OWNER.yaml --fleet FLEET --before EPOCH [--now EPOCH] [--force] --yes",
		Short: "Make everything of past periods unreadable, for good",
		Long: `Shred destroys the keys of a fleet's periods that end before an epoch: in the key store first, then in the database. Frames, records and
what anchors of those epochs commit to cannot be read any more, by anyone, from backups either, and nothing can be proven about those epochs. Anchors on
the ledger stay.

Refused is a period that is not over, one with an epoch that is being closed, and one that holds the newest snapshot of a device of which there are frames
after it: the device's totals would begin at zero. --force does not refuse the last two. A device that has sent nothing since its last snapshot loses its
totals without being asked about.

Which epoch is the current one is known from the fleet's frames and closings; of a fleet that has fallen silent --now says it. The fleet need not be in
the configuration any more; --fleet "" are frames of strangers in quarantine.`,
		Example: `  assay store keys --config owner.yaml
  assay store shred --config owner.yaml --fleet swapco-fleet --before 120 --yes`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.shred(command.Context()) },
	})
	command.Flags().StringVar(&c.fleet, "fleet", "", "the fleet")
	command.Flags().Uint64Var(&c.before, "before", 0, "the first epoch that stays readable")
	command.Flags().Uint64Var(&c.now, "now", 0, "the ledger's epoch, where the fleet has fallen silent")
	command.Flags().BoolVar(&c.force, "force", false, "also what is being closed, and what devices' totals go on from")
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
			return p.Result(struct {
				Kind string `json:"kind"`
				File string `json:"file"`
			}{"identity", args[0]}, "IDENTITY  %s", args[0])
		},
	}
}

func (c *storeCall) shred(ctx context.Context) error {
	if !c.yes {
		return cli.Usage("--yes: say that you know that there is no way back")
	}
	return c.with(ctx, func(config *node.Config, s *node.Storage) error {
		fleets, err := s.Store.Fleets(ctx)
		if err != nil {
			return err
		}
		configured := slices.ContainsFunc(config.Fleets, func(f node.Fleet) bool { return f.ID == c.fleet })
		if !configured && !slices.Contains(fleets, c.fleet) {
			return cli.Usage("--fleet %q: neither the configuration nor the store has such a fleet", c.fleet)
		}
		keys, err := s.Store.Shred(ctx, c.fleet, c.before, store.ShredOptions{Now: c.now, Force: c.force})
		if errors.Is(err, store.ErrCurrent) {
			return errors.Join(c.list(keys), cli.No("%w", err))
		}
		if err != nil {
			return err
		}
		if len(keys) == 0 && !c.JSON {
			return c.Line("No period of fleet %s ends before epoch %d, or all were shredded.", c.fleet, c.before)
		}
		return c.list(keys)
	})
}

// forFleets goes through the fleets that the store has keys of.
func (c *storeCall) forFleets(ctx context.Context, do func(s *store.Store, fleet string) error) error {
	return c.with(ctx, func(_ *node.Config, s *node.Storage) error {
		fleets, err := s.Store.Fleets(ctx)
		for _, fleet := range fleets {
			if c.fleet == "" || c.fleet == fleet {
				err = errors.Join(err, do(s.Store, fleet))
			}
		}
		return err
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
