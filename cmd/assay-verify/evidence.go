//go:build !js

package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/assay-net/assay/cmd/assay-verify/exhibit"
	"github.com/assay-net/assay/datahub/evidence"
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/blockfile"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

func checkEvidence(c *call, now time.Time) (*result, error) {
	if err := c.takes(1, "one file of evidence", "ceremony", "channel", "chaincode"); err != nil {
		return nil, err
	}
	files := exhibit.Files{Ledger: c.ledger, Channel: c.channel, Chaincode: c.chaincode, At: now}
	var err error
	if files.Evidence, err = read(c.files[0], evidence.MaxBytes); err != nil {
		return nil, err
	}
	if files.Ceremony, err = c.transcript(); err != nil {
		return nil, err
	}
	x := exhibit.Check(files)
	return &result{x.Sound, x.Document(), x}, nil
}

func checkLedger(c *call, now time.Time) (*result, error) {
	if err := c.takes(2, "a file of blocks, and a genesis or an export of the ledger", "channel", "chaincode", "accept-config", "srs"); err != nil {
		return nil, err
	}
	founding, err := read(c.files[1], ledger.MaxTrust)
	if err != nil {
		return nil, err
	}
	blocks, err := os.Open(c.files[0])
	if err != nil {
		return nil, err
	}
	defer blocks.Close() //nolint:errcheck // it was only read
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	files := exhibit.ChannelFiles{Blocks: blocks, Founding: founding, Ledger: c.ledger, Channel: c.channel, Chaincode: c.chaincode, Accepted: c.accepted, At: now}
	if c.srs != "" {
		files.SRS = c.readSRS
	}
	x := exhibit.CheckChannel(ctx, files)
	return &result{x.Sound, x.Document(), x}, nil
}

func (c *call) readSRS(digest commit.Digest) (*commit.SRS, error) {
	f, err := os.Open(c.srs)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return commit.ReadSRS(f, digest)
}

// readChannel takes the hash of a channel's first block, or the block.
func (c *call) readChannel(given string) error {
	if parseDigest(given, &c.channel) == nil {
		return nil
	}
	b, err := read(given, blockfile.MaxBlock)
	if err != nil {
		return err
	}
	if c.channel, err = audit.ChannelGenesis(b); err != nil {
		return fmt.Errorf("%s: %w", given, err)
	}
	return nil
}
