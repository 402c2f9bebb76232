package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/durable"
)

// exportFlags are what export is called with.
type exportFlags struct {
	from, to uint64
	toLast   bool
	out      string
}

func newExportCommand(p *cli.Printer) *cobra.Command {
	var on connection
	var f exportFlags
	c := &cobra.Command{
		Use:   "export --out FILE",
		Short: "Write blocks of the channel to a file",
		Long: `Export writes blocks of the channel to a file, as the organisation's peer has them: for a regulator, who checks hashes, the orderers'
signatures and what is in them, offline. The file appears when it is whole.`,
		Example: `  assay-fabric export --org regulator --out blocks.bin
  assay-fabric export --org regulator --from 100 --to 199 --out blocks.bin`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			f.toLast = !c.Flags().Changed("to")
			return on.with(c.Context(), func(ctx context.Context, s *session) error { return export(ctx, p, s, f) })
		},
	}
	flags := c.Flags()
	flags.Uint64Var(&f.from, "from", 0, "the first block")
	flags.Uint64Var(&f.to, "to", 0, "the last block (default the last there is)")
	flags.StringVar(&f.out, "out", "", "the file to write")
	cli.Require(c, "out")
	on.flags(c)
	return c
}

type exportObject struct {
	Kind   string `json:"kind"`
	File   string `json:"file"`
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

func export(ctx context.Context, p *cli.Printer, s *session, f exportFlags) error {
	if f.toLast {
		info, err := s.Height(ctx)
		if err != nil {
			return err
		}
		f.to = info.Height - 1
	}
	if f.from > f.to {
		return cli.Usage("--from is %d, behind the last block, %d", f.from, f.to)
	}
	o := exportObject{Kind: "export", File: f.out, From: f.from, To: f.to}
	if err := o.write(ctx, p, s); err != nil {
		return err
	}
	return p.Result(o, "WRITTEN %s: blocks %d to %d, %d bytes, SHA-256 %s", o.File, o.From, o.To, o.Bytes, o.SHA256)
}

// write puts the file in place once it is whole.
func (o *exportObject) write(ctx context.Context, p *cli.Printer, s *session) (err error) {
	dir := filepath.Dir(o.File)
	part, err := os.CreateTemp(dir, ".blocks-*")
	if err != nil {
		return cli.Usage("%w", err)
	}
	defer func() {
		if err != nil {
			part.Close()           //nolint:errcheck // there is an error already
			os.Remove(part.Name()) //nolint:errcheck // as well
		}
	}()
	show := p.Progress("blocks", int(o.To-o.From+1))
	digest := sha256.New()
	w := bufio.NewWriterSize(io.MultiWriter(part, digest), 1<<20)
	if err = s.Export(ctx, w, o.From, o.To, func(n uint64) { show(int(n)) }); err != nil {
		return err
	}
	for _, finish := range []func() error{w.Flush, part.Sync} {
		if err = finish(); err != nil {
			return fmt.Errorf("writing %s: %w", o.File, err)
		}
	}
	if o.Bytes, err = part.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	if err = part.Close(); err != nil {
		return err
	}
	o.SHA256 = hex.EncodeToString(digest.Sum(nil))
	if err = os.Rename(part.Name(), o.File); err != nil {
		return err
	}
	return durable.SyncDir(dir)
}
