package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/localnet"
)

// defaultDir is the folder of a local network that nobody named.
const defaultDir = "assay-network"

func dirFlag(c *cobra.Command, dir *string) {
	c.Flags().StringVar(dir, "dir", defaultDir, "the network's folder")
}

func newStatusCommand(p *cli.Printer) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "status",
		Short: "Show the processes of a local network",
		Long: `Status shows every process of a local network: orderers, peers and contract services. One that ended although nobody stopped it is
"crashed"; up starts it again. The exit code is 1 unless all run.`,
		Example: `  assay-fabric status
  assay-fabric status --dir /tmp/net --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return status(p, dir) },
	}
	dirFlag(c, &dir)
	return c
}

type processObject struct {
	Kind string `json:"kind"`
	localnet.Process
}

func status(p *cli.Printer, dir string) error {
	n, err := openNetwork(dir)
	if err != nil {
		return err
	}
	processes, err := n.Status()
	if err != nil {
		return err
	}
	down := 0
	var rows [][]string
	for _, process := range processes {
		if process.Condition != localnet.Running {
			down++
		}
		if p.JSON {
			if err := p.Object(processObject{"process", process}); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, processRow(&process))
	}
	if !p.JSON {
		if err := p.Table([]string{"process", "role", "condition", "pid", "since", "memory", "address"}, rows); err != nil {
			return err
		}
	}
	if down > 0 {
		return fmt.Errorf("%d of %d processes do not run", down, len(processes))
	}
	return nil
}

func processRow(process *localnet.Process) []string {
	row := []string{process.Name, string(process.Role), string(process.Condition), "", "", "", process.Address}
	if process.PID > 0 {
		row[3] = strconv.Itoa(process.PID)
	}
	if !process.Started.IsZero() {
		row[4] = process.Started.UTC().Format(time.RFC3339)
	}
	if process.Memory > 0 {
		row[5] = strconv.FormatInt(process.Memory>>20, 10) + " MiB"
	}
	return row
}

func newDownCommand(p *cli.Printer) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "down",
		Short: "Stop a local network and keep its state",
		Long: `Down stops every process of a local network and returns when none is left. Ledgers, keys and ports stay: up goes on from there.
Interrupted, it kills what still runs.`,
		Example: `  assay-fabric down
  assay-fabric down --dir /tmp/net`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return down(c.Context(), p, dir) },
	}
	dirFlag(c, &dir)
	return c
}

type folderObject struct {
	Kind string `json:"kind"`
	Dir  string `json:"dir"`
}

func down(ctx context.Context, p *cli.Printer, dir string) error {
	n, err := openNetwork(dir)
	if err != nil {
		return err
	}
	if err := n.Down(ctx); err != nil {
		return err
	}
	return p.Result(folderObject{"down", n.Dir()}, "DOWN    %s", n.Dir())
}

func newDestroyCommand(p *cli.Printer) *cobra.Command {
	var dir string
	var yes bool
	c := &cobra.Command{
		Use:     "destroy --yes",
		Short:   "Stop a local network and delete its folder",
		Long:    `Destroy stops a local network and deletes its folder with all ledgers and keys. It refuses a folder that is not a network's.`,
		Example: `  assay-fabric destroy --yes --dir /tmp/net`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !yes {
				return cli.Usage("everything in %s would be deleted: say --yes", dir)
			}
			n, err := openNetwork(dir)
			if err != nil {
				return err
			}
			if err := localnet.Destroy(c.Context(), dir); err != nil {
				return err
			}
			return p.Result(folderObject{"destroyed", n.Dir()}, "GONE    %s", n.Dir())
		},
	}
	dirFlag(c, &dir)
	c.Flags().BoolVar(&yes, "yes", false, "delete without asking")
	return c
}

// openNetwork finds a local network; that there is none is the caller's mistake.
func openNetwork(dir string) (*localnet.Network, error) {
	if dir == "" {
		return nil, cli.Usage("no folder named")
	}
	n, err := localnet.Open(dir)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	return n, nil
}
