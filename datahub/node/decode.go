package node

import (
	"fmt"
	"sync"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/datahub/telemetry/gbt32960"
	"github.com/assay-net/assay/datahub/telemetry/ocmf"
	"github.com/assay-net/assay/datahub/telemetry/ocpp"
	"github.com/assay-net/assay/zk/commit"
)

// decoders read payloads by kind.
func decoders(meters ocmf.Keys) map[frame.Kind]ingest.Decoder {
	return map[frame.Kind]ingest.Decoder{
		frame.KindReadings: func(_ *ingest.Known, f *frame.Frame) (*telemetry.Decoded, error) {
			readings, err := frame.ParseReadings(f.Payload)
			return &telemetry.Decoded{Readings: readings}, err
		},
		frame.KindMeterings: func(_ *ingest.Known, f *frame.Frame) (*telemetry.Decoded, error) {
			meterings, err := frame.ParseMeterings(f.Payload)
			return &telemetry.Decoded{Meterings: meterings}, err
		},
		frame.KindGBT32960: func(_ *ingest.Known, f *frame.Frame) (*telemetry.Decoded, error) {
			return gbt32960.Upload(f.Payload)
		},
		frame.KindOCPP: func(_ *ingest.Known, f *frame.Frame) (*telemetry.Decoded, error) {
			meterings, issues, err := ocpp.Meterings(f.Payload, ocpp.Options{Keys: meters})
			return &telemetry.Decoded{Meterings: meterings, Issues: issues}, err
		},
		frame.KindOCMF: func(_ *ingest.Known, f *frame.Frame) (*telemetry.Decoded, error) {
			meterings, issues, err := ocmf.Meterings(f.Payload, meters)
			return &telemetry.Decoded{Meterings: meterings, Issues: issues}, err
		},
	}
}

// meterKeys reads the keys of meters that the configuration registers.
func meterKeys(fleets []Fleet) (ocmf.Keys, error) {
	known := map[string]ocmf.PublicKey{}
	for i := range fleets {
		for meter, text := range fleets[i].MeterKeys {
			key, err := ocmf.ParsePublicKey(text)
			if err != nil {
				return nil, fmt.Errorf("fleets[%d].meter_keys.%s: %w", i, meter, err)
			}
			known[meter] = key
		}
	}
	return func(source string) (ocmf.PublicKey, bool) { key, ok := known[source]; return key, ok }, nil
}

// station is what a series of messages of one pile shows and a single one does not: which charging place a transaction is at, and which of a
// meter's records are missing. It is not stored: after a restart it is made anew from the device's last frames.
type station struct {
	ocpp  *ocpp.Station
	pages *ocmf.Counter
}

// stations are known by device. One device's are used by one goroutine at a time.
type stations struct {
	keys    ocmf.Keys
	missing func(id commit.DeviceID, records uint64)

	mu   sync.Mutex
	byID map[commit.DeviceID]*station
}

func (s *stations) of(id commit.DeviceID) *station {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.byID[id]
	if of == nil {
		of = &station{ocpp.NewStation(ocpp.Options{Keys: s.keys}), ocmf.NewCounter()}
		s.byID[id] = of
	}
	return of
}

// decode reads an upload again where the series says more than the message. What the message alone said was checked.
func (s *stations) decode(id commit.DeviceID, f *frame.Frame, alone *telemetry.Decoded) (*telemetry.Decoded, error) {
	if f.Kind != frame.KindOCPP && f.Kind != frame.KindOCMF {
		return alone, nil
	}
	of := s.of(id)
	if f.Kind == frame.KindOCPP {
		meterings, issues, err := of.ocpp.Meterings(f.Payload)
		return &telemetry.Decoded{Meterings: meterings, Issues: issues}, err
	}
	r, err := ocmf.Parse(f.Payload)
	if err != nil {
		return nil, err
	}
	if r.VerifyBy(s.keys) != nil {
		return alone, nil // anybody can write a number
	}
	step, err := of.pages.Add(r)
	if err != nil {
		return nil, err
	}
	if step.Missing > 0 && s.missing != nil {
		s.missing(id, step.Missing)
	}
	return alone, nil
}
