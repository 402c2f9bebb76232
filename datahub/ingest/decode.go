package ingest

import (
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/frame"
)

func defaultDecoders() map[frame.Kind]Decoder {
	return map[frame.Kind]Decoder{
		frame.KindReadings:  decodeReadings,
		frame.KindMeterings: decodeMeterings,
	}
}

func decodeReadings(_ *Known, f *frame.Frame) (*telemetry.Decoded, error) {
	readings, err := frame.ParseReadings(f.Payload)
	if err != nil {
		return nil, err
	}
	return &telemetry.Decoded{Readings: readings}, nil
}

func decodeMeterings(_ *Known, f *frame.Frame) (*telemetry.Decoded, error) {
	meterings, err := frame.ParseMeterings(f.Payload)
	if err != nil {
		return nil, err
	}
	return &telemetry.Decoded{Meterings: meterings}, nil
}
