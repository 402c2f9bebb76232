package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/blockfile"
)

func newChannelCommand(p *cli.Printer) *cobra.Command {
	return group("channel", "Join and list channels", "Channel commands work on the organisation's own peer.",
		newChannelJoinCommand(p), newChannelListCommand(p))
}

type channelObject struct {
	Kind    string `json:"kind"`
	Channel string `json:"channel"`
	Peer    string `json:"peer"`
}

func newChannelJoinCommand(p *cli.Printer) *cobra.Command {
	var on connection
	c := &cobra.Command{
		Use:   "join [BLOCK]",
		Short: "Join the organisation's peer to the channel",
		Long: `Join joins the organisation's peer to the channel with the channel's genesis block, by default the one that the profile names. A
peer that has joined is left as it is.`,
		Example: `  assay-fabric channel join channel.block --profile profiles/bank.json --admin-cert admin.pem --admin-key admin.key
  assay-fabric channel join --org greenbank`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error {
				path := s.profile.ChannelGenesis
				if len(args) > 0 {
					path = args[0]
				}
				block, err := readFile(path, blockfile.MaxBlock)
				if err != nil {
					return err
				}
				if err := s.JoinChannel(ctx, block); err != nil {
					return err
				}
				o := channelObject{"joined", s.profile.Channel, s.profile.Peer.Address}
				return p.Result(o, "JOINED  channel %s, peer %s", o.Channel, o.Peer)
			})
		},
	}
	on.flags(c)
	return c
}

func newChannelListCommand(p *cli.Printer) *cobra.Command {
	var on connection
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the channels that the organisation's peer has joined",
		Long:    `List prints the channels that the organisation's peer has joined.`,
		Example: `  assay-fabric channel list --org greenbank`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error {
				names, err := s.Channels(ctx)
				if err != nil {
					return err
				}
				for _, name := range names {
					if err := p.Result(channelObject{"channel", name, s.profile.Peer.Address}, "%s", name); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	on.flags(c)
	return c
}

type peerObject struct {
	Kind       string   `json:"kind"`
	MSPID      string   `json:"msp_id"`
	Address    string   `json:"address"`
	Height     uint64   `json:"height"`
	Chaincodes []string `json:"chaincodes"`
}

func newPeersCommand(p *cli.Printer) *cobra.Command {
	var on connection
	c := &cobra.Command{
		Use:   "peers",
		Short: "List the channel's peers",
		Long: `Peers lists the peers of the channel that the organisation's own peer knows to be alive: whose they are, how many blocks they have, and
which chaincodes they can run.`,
		Example: `  assay-fabric peers --org regulator`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error { return peers(ctx, p, s) })
		},
	}
	on.flags(c)
	return c
}

func peers(ctx context.Context, p *cli.Printer, s *session) error {
	found, err := s.Peers(ctx)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, peer := range found {
		if p.JSON {
			if err := p.Object(peerObject{"peer", peer.MSPID, peer.Address, peer.Height, peer.Chaincodes}); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{peer.MSPID, peer.Address, fmt.Sprint(peer.Height), strings.Join(peer.Chaincodes, ", ")})
	}
	if p.JSON {
		return nil
	}
	return p.Table([]string{"organisation", "address", "height", "chaincodes"}, rows)
}

type heightObject struct {
	Kind     string `json:"kind"`
	Height   uint64 `json:"height"`
	Hash     string `json:"hash"`
	Previous string `json:"previous"`
}

func newHeightCommand(p *cli.Printer) *cobra.Command {
	var on connection
	c := &cobra.Command{
		Use:     "height",
		Short:   "Show how many blocks the organisation's peer has",
		Long:    `Height prints how many blocks of the channel the organisation's peer has, and the hashes of the last two headers.`,
		Example: `  assay-fabric height --org regulator --json`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error {
				info, err := s.Height(ctx)
				if err != nil {
					return err
				}
				o := heightObject{"height", info.Height, hex.EncodeToString(info.Hash), hex.EncodeToString(info.Previous)}
				return p.Result(o, "HEIGHT  %d blocks, last block hash %s", o.Height, o.Hash)
			})
		},
	}
	on.flags(c)
	return c
}

// readFile reads a file of at most limit bytes; a file that is not there or too large is the caller's mistake.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if int64(len(b)) > limit {
		return nil, cli.Usage("%s has more than %d bytes", path, limit)
	}
	return b, nil
}
