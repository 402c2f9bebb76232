package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// logPoll is how often a log that is followed is looked at.
const logPoll = 200 * time.Millisecond

func newLogsCommand(p *cli.Printer) *cobra.Command {
	var dir string
	var follow bool
	c := &cobra.Command{
		Use:   "logs NAME",
		Short: "Print what a process of a local network says",
		Long: `Logs prints the log of one process of a local network, as the process wrote it; status lists the names. With --follow it goes on
until it is interrupted.`,
		Example: `  assay-fabric logs orderer1
  assay-fabric logs orderer1 --follow`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return logs(c.Context(), p, dir, args[0], follow) },
	}
	dirFlag(c, &dir)
	c.Flags().BoolVarP(&follow, "follow", "f", false, "go on as the log grows")
	return c
}

func logs(ctx context.Context, p *cli.Printer, dir, name string, follow bool) error {
	n, err := openNetwork(dir)
	if err != nil {
		return err
	}
	path, err := n.Log(name)
	if err != nil {
		return cli.Usage("%w", err)
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		p.Note("%s has not said anything yet", name)
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // opened for reading
	for {
		if _, err := io.Copy(p.Out, f); err != nil || !follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(logPoll):
		}
		if err := rewindIfCut(f); err != nil {
			return err
		}
	}
}

// rewindIfCut goes back to the start of a log that was begun anew.
func rewindIfCut(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && info.Size() < at {
		_, err = f.Seek(0, io.SeekStart)
	}
	return err
}
