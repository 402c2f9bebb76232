package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/node"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/zk/commit"
)

func newIngestCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{Use: "ingest", Short: "Look at what a node did not accept"}
	quarantine := &cobra.Command{
		Use:   "quarantine",
		Short: "Frames that were not accepted, with the reason",
		Long:  `A frame that fails a check is kept, encrypted, with the reason, up to a bound for each device. It can be looked at, tried again, and deleted.`,
	}
	quarantine.AddCommand(newQuarantineList(p), newQuarantineReplay(p), newQuarantineDelete(p))
	command.AddCommand(quarantine, newClusterKeys(p))
	return command
}

// quarantineCall is one call of assay ingest quarantine.
type quarantineCall struct {
	nodeCall
	device, reason, after string
	limit                 int
	payload, all          bool
}

func (c *quarantineCall) filterFlags(command *cobra.Command) {
	f := command.Flags()
	f.StringVar(&c.device, "device", "", "only this device's, 64 hexadecimal digits")
	f.StringVar(&c.reason, "reason", "", "only those with this reason, such as signature or clock")
}

func (c *quarantineCall) filter(ids []string) (store.Filter, error) {
	f := store.Filter{Reason: c.reason, After: c.after, Limit: c.limit, IDs: ids}
	if c.device != "" {
		f.Device = new(commit.DeviceID)
		if err := f.Device.UnmarshalText([]byte(c.device)); err != nil {
			return f, cli.Usage("--device: %w", err)
		}
	}
	return f, nil
}

func newClusterKeys(p *cli.Printer) *cobra.Command {
	var out string
	command := &cobra.Command{
		Use:   "cluster-keys --out FILE",
		Short: "Draw a node's keys for a NATS cluster",
		Long: `Cluster-keys writes the secret keys with which a node uses a NATS cluster to FILE (broker.keys in its configuration), and prints the public ones as
the environment that deploy/nats/nats-server.conf takes them from.`,
		Example: `  assay ingest cluster-keys --out /etc/assay/nats.keys > nats.env`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			keys, err := ingest.NewClusterKeys()
			if err != nil {
				return err
			}
			public, err := keys.Environment()
			if err != nil {
				return err
			}
			if err := durable.CreateFile(out, keys.Encode()); err != nil {
				return err
			}
			for _, line := range public {
				name, value, _ := strings.Cut(line, "=")
				if err := p.Result(struct {
					Kind  string `json:"kind"`
					Name  string `json:"name"`
					Value string `json:"value"`
				}{"environment", name, value}, "%s", line); err != nil {
					return err
				}
			}
			return nil
		},
	}
	command.Flags().StringVar(&out, "out", "", "file for the secret keys; it must not exist")
	cli.Require(command, "out")
	return command
}

func newQuarantineList(p *cli.Printer) *cobra.Command {
	c := &quarantineCall{nodeCall: nodeCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:   "list --config OWNER.yaml",
		Short: "List quarantined frames",
		Long: `List prints the frames in the quarantine, oldest first. Of an acknowledged one there is no other copy: its device was told that it is dealt with.
Of the others the sender was told nothing, and the oldest are dropped when there are too many.`,
		Example: `  assay ingest quarantine list --config owner.yaml
  assay ingest quarantine list --config owner.yaml --reason signature --json --payload`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.list(command.Context()) },
	})
	c.filterFlags(command)
	command.Flags().IntVar(&c.limit, "limit", 100, "how many to list")
	command.Flags().StringVar(&c.after, "after", "", "go on after this id")
	command.Flags().BoolVar(&c.payload, "payload", false, "show what arrived, in hexadecimal (with --json)")
	return command
}

type quarantineObject struct {
	Kind         string          `json:"kind"`
	ID           string          `json:"id"`
	Device       commit.DeviceID `json:"device"`
	Fleet        string          `json:"fleet,omitempty"`
	Received     time.Time       `json:"received"`
	Reason       string          `json:"reason"`
	Detail       string          `json:"detail"`
	Bytes        int             `json:"bytes"`
	Acknowledged bool            `json:"acknowledged"`
	Replay       bool            `json:"replay"`
	Payload      string          `json:"payload,omitempty"`
}

func (c *quarantineCall) list(ctx context.Context) error {
	f, err := c.filter(nil)
	if err != nil {
		return err
	}
	return c.with(ctx, func(_ *node.Config, s *node.Storage) error {
		found, err := s.Store.QuarantineList(ctx, f)
		if err != nil {
			return err
		}
		var rows [][]string
		for _, q := range found {
			if c.JSON {
				if err := c.Object(c.object(&q)); err != nil {
					return err
				}
				continue
			}
			rows = append(rows, []string{q.ID, q.Received.Format(time.DateTime), q.Device.String()[:16], q.Reason,
				map[bool]string{true: "yes", false: "no"}[q.Acknowledged], fmt.Sprint(q.Size), cli.Printable(q.Detail)})
		}
		if c.JSON {
			return nil
		}
		if len(rows) == 0 {
			return c.Line("The quarantine is empty.")
		}
		return c.Table([]string{"id", "received (UTC)", "device", "reason", "acknowledged", "bytes", "detail"}, rows)
	})
}

func (c *quarantineCall) object(q *store.Quarantined) quarantineObject {
	o := quarantineObject{Kind: "quarantined", ID: q.ID, Device: q.Device, Fleet: q.Fleet, Received: q.Received, Reason: q.Reason, Detail: cli.Printable(q.Detail),
		Bytes: q.Size, Acknowledged: q.Acknowledged, Replay: q.Replay}
	if c.payload {
		o.Payload = hex.EncodeToString(q.Payload)
	}
	return o
}

func newQuarantineReplay(p *cli.Printer) *cobra.Command {
	c := &quarantineCall{nodeCall: nodeCall{Printer: p}}
	command := c.flags(&cobra.Command{
		Use:   "replay --config OWNER.yaml {ID… | --all | --device ID | --reason CODE}",
		Short: "Have frames tried again by the running node",
		Long: `Replay marks frames; the node tries them again within seconds, by today's rules, and those that pass leave the quarantine.
They are stored; the totals of a device that has sent more since are not counted anew, so readings in them count for nothing there. Use it after mending what kept them out: a maker that was not registered, a decoder, a wrong clock setting.`,
		Example: `  assay ingest quarantine replay --config owner.yaml --reason clock`,
		RunE:    func(command *cobra.Command, ids []string) error { return c.replay(command.Context(), ids) },
	})
	c.filterFlags(command)
	command.Flags().BoolVar(&c.all, "all", false, "all of them")
	return command
}

func (c *quarantineCall) replay(ctx context.Context, ids []string) error {
	if len(ids) == 0 && !c.all && c.device == "" && c.reason == "" {
		return cli.Usage("name frames by ID, --device or --reason, or use --all")
	}
	f, err := c.filter(ids)
	if err != nil {
		return err
	}
	return c.with(ctx, func(_ *node.Config, s *node.Storage) error {
		n, err := s.Store.QuarantineMark(ctx, f)
		if err != nil {
			return err
		}
		return c.done("MARKED", "quarantine_marked", n)
	})
}

func newQuarantineDelete(p *cli.Printer) *cobra.Command {
	c := &quarantineCall{nodeCall: nodeCall{Printer: p}}
	return c.flags(&cobra.Command{
		Use:     "delete --config OWNER.yaml ID…",
		Short:   "Delete quarantined frames",
		Example: `  assay ingest quarantine delete --config owner.yaml 0193a1…`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, ids []string) error {
			return c.with(command.Context(), func(_ *node.Config, s *node.Storage) error {
				n, err := s.Store.QuarantineDelete(command.Context(), ids)
				if err != nil {
					return err
				}
				return c.done("DELETED", "quarantine_deleted", n)
			})
		},
	})
}

func (c *quarantineCall) done(word, kind string, n int) error {
	return c.Result(struct {
		Kind   string `json:"kind"`
		Frames int    `json:"frames"`
	}{kind, n}, "%s  %d frames", word, n)
}
