package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/device/misbehave"
	"github.com/assay-net/assay/datahub/device/simulate"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// deviceSimulateCall is one call of assay device simulate.
type deviceSimulateCall struct {
	*cli.Printer
	nodeAt, provisionAt, maker, state, srs, algorithm string
	devices, perFrame, connecting                     int
	rate, speedUp, share                              float64
	duration, patience, drain                         time.Duration
	misbehaving, records                              string
	history                                           bool
	seed                                              uint64

	kinds []misbehave.Kind
}

func newDeviceSimulateCommand(p *cli.Printer) *cobra.Command {
	c := &deviceSimulateCall{Printer: p}
	command := &cobra.Command{
		Use:   "simulate",
		Short: "Run simulated devices against a node, as a load generator or a trial fleet",
		Long: `Simulate runs devices in one process, each with its own key, certificate and MQTT connection over TLS 1.3. They say
hello, take the seats that the node gives them, send signed and sealed readings, keep each frame until the node has
acknowledged it, and attest when an epoch has ended. When the node takes less than --rate, they wait.

The readings come from the ageing model of package datahub/device/simulate. A new device begins with its log of the last
full discharge, so that its capacity is known at once (--history=false leaves it out); then --rate counts. --speed-up
multiplies currents, so that a cycle passes in less time; the node's fleet must then admit faster discharges
(battery.max_rate_C). With --state the devices' keys and what is not acknowledged survive a restart; without, every call
makes new devices, which take new seats.

--misbehave makes a share of the devices do, beside their readings, what a node has to cope with: replay, clone,
oversize, truncated, wrong-signature, bad-clock, flood, garbage, foreign-topic, or all.

Every five seconds a line says how many readings a second the node acknowledged and how long that took; at the end there is
a summary, with the generator's own processor time. The measured time begins once every device has its seat.`,
		Example: `  assay device simulate --node assay-node --devices 1000 --rate 12000 --duration 2m
  assay device simulate --node assay-node --devices 200 --state devices --records own
  assay device simulate --node assay-node --devices 90 --misbehave all --misbehave-share 0.5 --duration 1m
  assay device simulate --provision provision.json --maker voltworks-ca --devices 20 --rate 20 --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error { return c.run(command.Context()) },
	}
	c.flags(command)
	return command
}

func (c *deviceSimulateCall) flags(command *cobra.Command) {
	f := command.Flags()
	f.StringVar(&c.nodeAt, "node", "", "the node's data directory, which holds provision.json")
	f.StringVar(&c.provisionAt, "provision", "", "the node's provision.json, if it is elsewhere")
	f.StringVar(&c.maker, "maker", "", "directory of the maker's CA that certifies the devices, maker.pem and maker.key (default the trial's)")
	f.IntVar(&c.devices, "devices", 10, "number of devices")
	f.Float64Var(&c.rate, "rate", 10, "readings per second of all devices together")
	f.IntVar(&c.perFrame, "readings-per-frame", 10, fmt.Sprintf("readings of a frame, at most %d", frame.MaxReadings))
	f.Float64Var(&c.speedUp, "speed-up", 1, "how much faster batteries are cycled and piles are used")
	f.DurationVar(&c.duration, "duration", 0, "how long to send, from when every device has its seat (default until interrupted)")
	f.BoolVar(&c.history, "history", true, "begin with the log of a full discharge; not with --speed-up")
	f.StringVar(&c.state, "state", "", "directory that keeps the devices' keys and frames (default in memory)")
	f.StringVar(&c.records, "records", "proposed", "what devices attest to: the node's proposal if it is plausible (proposed), or their own record (own)")
	f.StringVar(&c.misbehaving, "misbehave", "", "ways to misbehave, separated by commas, or all")
	f.Float64Var(&c.share, "misbehave-share", 0.1, "share of the devices that do")
	f.Uint64Var(&c.seed, "seed", 1, "seed of the batteries' ageing and of their readings")
	f.StringVar(&c.algorithm, "algorithm", string(commit.Ed25519), "kind of the devices' keys: ed25519 or p-256")
	f.StringVar(&c.srs, "srs", "", "file with the powers of tau, to attest with (default the key cache's)")
	f.IntVar(&c.connecting, "connecting", 16, "how many devices connect at the same time")
	f.DurationVar(&c.patience, "patience", 2*time.Minute, "how long to wait for every device's seat before starting without the rest")
	f.DurationVar(&c.drain, "drain", 30*time.Second, "how long to wait at the end for acknowledgements")
}

const maxSimulatedDevices = 100_000

func (c *deviceSimulateCall) check() (err error) {
	switch {
	case (c.nodeAt == "") == (c.provisionAt == ""):
		return cli.Usage("give one of --node and --provision")
	case c.devices < 1 || c.devices > maxSimulatedDevices:
		return cli.Usage("--devices is %d, must be 1 to %d", c.devices, maxSimulatedDevices)
	case !(c.rate > 0 && c.rate <= 10_000_000):
		return cli.Usage("--rate is %g, must be above 0 and at most 10000000", c.rate)
	case c.perFrame < 1 || c.perFrame > frame.MaxReadings:
		return cli.Usage("--readings-per-frame is %d, must be 1 to %d", c.perFrame, frame.MaxReadings)
	case !(c.share >= 0 && c.share <= 1):
		return cli.Usage("--misbehave-share is %g, must be 0 to 1", c.share)
	case c.records != "own" && c.records != "proposed":
		return cli.Usage("--records is %q, must be own or proposed", c.records)
	case c.algorithm != string(commit.Ed25519) && c.algorithm != string(commit.P256):
		return cli.Usage("--algorithm is %q, must be %s or %s", c.algorithm, commit.Ed25519, commit.P256)
	case c.connecting < 1 || c.duration < 0 || c.patience < 0 || c.drain < 0:
		return cli.Usage("--connecting must be at least 1, and no duration negative")
	}
	if c.kinds, err = misbehave.Parse(c.misbehaving); err != nil {
		return cli.Usage("--misbehave: %w", err)
	}
	if c.provisionAt == "" {
		c.provisionAt = filepath.Join(c.nodeAt, "provision.json")
	}
	return nil
}

func (c *deviceSimulateCall) run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return err
	}
	p, err := readProvision(c.provisionAt)
	if err != nil {
		return err
	}
	if c.records == "own" && p.schema.Name != "battery/v1" {
		return cli.Usage("--records own is for batteries: simulated piles keep no records")
	}
	physics, err := simulate.New(c.seed, p.Schema, c.devices)
	if err != nil {
		return cli.Usage("%w", err)
	}
	load, err := c.newLoad(ctx, p, physics)
	if err != nil {
		return err
	}
	defer load.close()
	return load.run(ctx)
}
