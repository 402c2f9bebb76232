package main

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub"
	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/simulate"
	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// batteries are where the demonstration's records come from.
type batteries interface {
	Title() string
	Count() int
	// Records of the epoch that just ended, one for each battery; the zero
	// record is one that did not report.
	Records() []record.Record
}

func (c *demoCall) batteries(ctx context.Context) (batteries, error) {
	if c.from != "" {
		return c.measured(ctx)
	}
	fleet, err := simulate.New(c.seed, "battery/v1", c.devices)
	if err != nil {
		return nil, cli.Usage("%w", err)
	}
	if err := fleet.Advance(int(demoEpoch.Hours() / 24)); err != nil {
		return nil, err
	}
	return simulated{fleet, c.seed}, nil
}

type simulated struct {
	*simulate.Fleet
	seed uint64
}

func (s simulated) Count() int { return s.Len() }
func (s simulated) Title() string {
	return fmt.Sprintf("%d simulated batteries (seed %d)", s.Len(), s.seed)
}

// measured are real cells from a file.
type measured struct {
	path  string
	cells []health.Cell
}

// Rated capacities of the two public data sets that the formats are known
// from: NASA's 18650 cells, and the pouch cell of SINTEF, whose test currents are C/10 to
// 5C of 6.55 Ah.
const (
	ratedCycles = 2_000_000
	ratedBDF    = 6_550_000
)

func (c *demoCall) measured(ctx context.Context) (batteries, error) {
	o := health.Options{Format: health.Format(c.format), Cell: ""}
	switch o.Format {
	case health.BDF:
		o.Battery.RatedMicroAh, o.Cell = ratedBDF, cellOf(c.from)
	case health.Cycles:
		o.Battery.RatedMicroAh = ratedCycles
	default:
		return nil, cli.Usage("--format %q: must be bdf or cycles", c.format)
	}
	if c.rated != 0 {
		o.Battery.RatedMicroAh = c.rated
	}
	i := &importCall{Printer: c.Printer}
	in, done, err := i.open(c.from)
	if err != nil {
		return nil, err
	}
	defer done() //nolint:errcheck // the file was only read
	result, err := health.Import(ctx, in, o)
	if err != nil {
		return nil, cli.No("%s: %w", c.from, err)
	}
	i.printIssues(result.Issues)
	if len(result.Cells) == 0 {
		return nil, cli.No("%s: no usable record: %s", c.from, reasonFor(result))
	}
	return measured{c.from, result.Cells}, nil
}

func (m measured) Count() int { return len(m.cells) }
func (m measured) Title() string {
	return fmt.Sprintf("%d measured cells of %s", len(m.cells), m.path)
}

func (m measured) Records() []record.Record {
	out := make([]record.Record, len(m.cells))
	for i, c := range m.cells {
		out[i] = c.Record
	}
	return out
}

// demoDevices are the fleet's devices, in the order of their slots.
type demoDevices struct {
	fleet   string
	maker   *device.Maker
	devices []*device.Device
	secrets []commit.Secret
	size    int
}

func newDemoDevices(makerID, fleet string, n, size int) (*demoDevices, error) {
	schema, err := record.Lookup("battery/v1")
	if err != nil {
		return nil, err
	}
	maker, err := device.NewMaker(makerID)
	if err != nil {
		return nil, err
	}
	devices, err := device.NewFleet(maker, device.Config{Serial: "VW", Class: "module", Algorithm: commit.Ed25519, Schema: schema}, n)
	return &demoDevices{fleet: fleet, maker: maker, devices: devices, secrets: make([]commit.Secret, n), size: size}, err
}

func (d *demoDevices) makerCA() ledger.RegisterMaker {
	return ledger.RegisterMaker{ID: d.maker.ID(), Name: "VoltWorks", Certificate: d.maker.Certificate()}
}

func (d *demoDevices) chunks() int { return (len(d.devices) + d.size - 1) / d.size }

// span is the range of devices in a chunk.
func (d *demoDevices) span(chunk uint32) (from, to int) {
	from = int(chunk) * d.size
	return from, min(from+d.size, len(d.devices))
}

// demoConsent is for how many epochs a device's agreement to its seat serves.
const demoConsent = 4

// enrolment puts a chunk's devices into its slots from 0.
func (d *demoDevices) enrolment(place commit.ChunkPlace) (ledger.Enrol, error) {
	from, to := d.span(place.Chunk)
	e := ledger.Enrol{Fleet: d.fleet, Chunk: place.Chunk}
	for i := from; i < to; i++ {
		possession, err := d.devices[i].Possess(seatAt(place, uint32(i-from)), place.Epoch+demoConsent)
		if err != nil {
			return e, err
		}
		e.Devices = append(e.Devices, ledger.EnrolDevice{Slot: uint32(i - from), Certificate: d.devices[i].Certificate().DER(), Possession: possession, Until: place.Epoch + demoConsent})
	}
	return e, nil
}

func seatAt(p commit.ChunkPlace, slot uint32) device.Seat {
	return device.Seat{Ledger: p.Ledger, SRS: p.SRS, Fleet: p.Fleet, Chunk: p.Chunk, Size: p.Size, Slot: slot}
}

// attest has a chunk's devices commit to their records, in parallel as they
// would be.
func (d *demoDevices) attest(srs *commit.SRS, place commit.ChunkPlace, records []record.Record) ([]datahub.Report, error) {
	from, to := d.span(place.Chunk)
	all := make([]*datahub.Report, to-from)
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := from; i < to; i++ {
		if records[i].Absent() {
			continue
		}
		group.Go(func() error {
			slot := uint32(i - from)
			attestation, err := d.attestOne(srs, i, seatAt(place, slot), place.Epoch, records[i])
			all[i-from] = &datahub.Report{Slot: slot, Record: records[i], Attestation: attestation}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	reports := make([]datahub.Report, 0, len(all))
	for _, r := range all {
		if r != nil {
			reports = append(reports, *r)
		}
	}
	return reports, nil
}

func (d *demoDevices) attestOne(srs *commit.SRS, i int, seat device.Seat, epoch uint64, rec record.Record) ([]byte, error) {
	var err error
	if d.secrets[i], err = d.devices[i].Enrol(seat); err != nil {
		return nil, err
	}
	return d.devices[i].Attest(srs, seat.Place(epoch), rec)
}

// members are a chunk's devices as their owner knows them.
func (d *demoDevices) members(chunk uint32) []datahub.Member {
	from, to := d.span(chunk)
	var out []datahub.Member
	for i := from; i < to; i++ {
		out = append(out, datahub.Member{Slot: uint32(i - from), Key: d.devices[i].Public(), Secret: d.secrets[i]})
	}
	return out
}
