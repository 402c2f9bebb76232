package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

func newDeviceCommand(p *cli.Printer) *cobra.Command {
	command := &cobra.Command{
		Use:   "device",
		Short: "Simulate devices, make a maker's CA, look at a device's state",
		Long: `Device is the device's side: simulated batteries and charging piles that talk to a node over real MQTT and TLS, a
maker's CA to certify them, and a look into the folders that they keep.`,
	}
	command.AddCommand(newDeviceSimulateCommand(p), newDeviceMakerCommand(p), newDeviceShowCommand(p))
	return command
}

type deviceMakerObject struct {
	Kind        string `json:"kind"`
	Maker       string `json:"maker"`
	Certificate string `json:"certificate"`
	Key         string `json:"key"`
}

func newDeviceMakerCommand(p *cli.Printer) *cobra.Command {
	var dir string
	command := &cobra.Command{
		Use:   "new-maker ID",
		Short: "Make a maker's CA: a certificate and a key file",
		Long: `New-maker draws a key and makes the CA certificate of a device maker, whose id is ID. DIR receives maker.pem, which a
regulator registers on the ledger ('assay maker register'), and maker.key, readable by its owner alone: whoever has it
can make devices in the maker's name.`,
		Example: `  assay device new-maker voltworks --out voltworks-ca
  assay device simulate --node node --maker voltworks-ca --devices 100`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return newDeviceMaker(p, args[0], dir) },
	}
	command.Flags().StringVar(&dir, "out", "", "directory for the files (default the maker's id)")
	return command
}

func newDeviceMaker(p *cli.Printer, id, dir string) error {
	if err := commit.CheckName(id); err != nil {
		return cli.Usage("ID: %w", err)
	}
	if dir == "" {
		dir = id
	}
	o := deviceMakerObject{"maker_made", id, filepath.Join(dir, "maker.pem"), filepath.Join(dir, "maker.key")}
	for _, path := range []string{o.Certificate, o.Key} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return cli.Usage("%s is there already", path)
		}
	}
	if err := newMakerFiles(id, dir); err != nil {
		return err
	}
	return p.Result(o, "MADE    maker %s: %s and %s", id, o.Certificate, o.Key)
}

type deviceObject struct {
	Kind       string          `json:"kind"`
	Serial     string          `json:"serial"`
	Maker      string          `json:"maker"`
	Class      commit.KeyClass `json:"class"`
	Device     commit.DeviceID `json:"device"`
	Fleet      string          `json:"fleet,omitempty"`
	Chunk      *uint32         `json:"chunk,omitempty"`
	Slot       *uint32         `json:"slot,omitempty"`
	Generation uint32          `json:"generation"`
	Next       uint64          `json:"next_sequence"`
	Waiting    int             `json:"unacknowledged_frames"`
	Attested   *uint64         `json:"last_attested_epoch,omitempty"`
}

func newDeviceShowCommand(p *cli.Printer) *cobra.Command {
	return &cobra.Command{
		Use:   "show DIR",
		Short: "Show the simulated devices that a directory keeps",
		Long: `Show reads the directory of 'assay device simulate --state DIR', also while it is in use: the devices, their seats, and
how many frames the node has not acknowledged. It shows no key, no secret and no reading.`,
		Example: `  assay device show devices
  assay device show devices --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return showDevices(p, args[0]) },
	}
}

func showDevices(p *cli.Printer, dir string) error {
	seen, err := agent.Look(dir)
	if err != nil {
		return cli.Usage("%w", err)
	}
	slices.SortFunc(seen, func(a, b agent.Seen) int { return compareSerials(a.Certificate.Serial, b.Certificate.Serial) })
	var rows [][]string
	for _, s := range seen {
		o := newDeviceObject(s)
		if p.JSON {
			if err := p.Object(o); err != nil {
				return err
			}
			continue
		}
		seat, attested := "-", "-"
		if o.Chunk != nil {
			seat = fmt.Sprintf("%s %d/%d", o.Fleet, *o.Chunk, *o.Slot)
		}
		if o.Attested != nil {
			attested = fmt.Sprint(*o.Attested)
		}
		rows = append(rows, []string{o.Serial, o.Device.String()[:16], seat, fmt.Sprint(o.Next), fmt.Sprint(o.Waiting), attested})
	}
	if p.JSON {
		return nil
	}
	return p.Table([]string{"serial", "device", "fleet chunk/slot", "next frame", "waiting", "attested"}, rows)
}

func newDeviceObject(s agent.Seen) deviceObject {
	c := s.Certificate
	o := deviceObject{
		Kind: "device", Serial: c.Serial, Maker: c.Maker, Class: c.Class, Device: c.Key.DeviceID(), Next: s.Next, Waiting: len(s.Frames),
	}
	if s.Offer != nil {
		o.Fleet, o.Chunk, o.Slot, o.Generation = s.Offer.Fleet, &s.Offer.Chunk, &s.Offer.Slot, s.Offer.Generation
	}
	if r, err := frame.ParseReport(s.Report); err == nil {
		o.Attested = &r.Epoch
	}
	return o
}
