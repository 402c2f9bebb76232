package frame

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// MaxMeterName bounds the bytes of a meter's and of a transaction's name.
const MaxMeterName = 64

type wireMeterings struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Rows    []wireMetering
}

type wireMetering struct {
	_                                                struct{} `cbor:",toarray"`
	TimeMicros                                       int64
	Meter, Transaction                               string
	Event                                            uint8
	Fault                                            bool
	ImportMilliWh, PowerMilliW, RevenueCents, Charge *int64
}

// MarshalMeterings encodes 1 to MaxReadings meterings as the payload of a frame of kind KindMeterings, for a pile whose meter
// does not sign. Signed is not carried: a meter's own signature comes in a frame of kind KindOCMF or KindOCPP.
func MarshalMeterings(meterings []telemetry.Metering) ([]byte, error) {
	if len(meterings) == 0 || len(meterings) > MaxReadings {
		return nil, fmt.Errorf("%d meterings, must be 1 to %d", len(meterings), MaxReadings)
	}
	w := wireMeterings{Version: version, Rows: make([]wireMetering, len(meterings))}
	for i, m := range meterings {
		if err := checkMetering(m); err != nil {
			return nil, fmt.Errorf("metering %d: %w", i, err)
		}
		w.Rows[i] = wireMetering{
			TimeMicros: m.TimeMicros, Meter: m.Meter, Transaction: m.Transaction, Event: uint8(m.Event), Fault: m.Fault,
			ImportMilliWh: optional(m.ImportMilliWh), PowerMilliW: optional(m.PowerMilliW),
			RevenueCents: optional(m.RevenueCents), Charge: optional(m.StateOfCharge),
		}
	}
	out := encode(w)
	if len(out) > MaxPayload {
		return nil, fmt.Errorf("meterings take %d bytes, at most %d", len(out), MaxPayload)
	}
	return out, nil
}

// ParseMeterings decodes the payload of a frame of kind KindMeterings. It accepts exactly what MarshalMeterings writes.
func ParseMeterings(b []byte) ([]telemetry.Metering, error) {
	var w wireMeterings
	if err := decode("meterings", b, MaxPayload, &w); err != nil {
		return nil, err
	}
	if err := checkVersion("meterings", w.Version); err != nil {
		return nil, err
	}
	if len(w.Rows) == 0 || len(w.Rows) > MaxReadings {
		return nil, fmt.Errorf("%d meterings, must be 1 to %d", len(w.Rows), MaxReadings)
	}
	meterings := make([]telemetry.Metering, len(w.Rows))
	for i, r := range w.Rows {
		meterings[i] = telemetry.Metering{
			TimeMicros: r.TimeMicros, Meter: r.Meter, Transaction: r.Transaction, Event: telemetry.Event(r.Event), Fault: r.Fault,
			ImportMilliWh: measured(r.ImportMilliWh), PowerMilliW: measured(r.PowerMilliW),
			RevenueCents: measured(r.RevenueCents), StateOfCharge: measured(r.Charge),
		}
		if err := checkMetering(meterings[i]); err != nil {
			return nil, fmt.Errorf("metering %d: %w", i, err)
		}
	}
	return meterings, nil
}

func optional(m health.Measured) *int64 {
	if !m.Known {
		return nil
	}
	return &m.Value
}

func measured(v *int64) health.Measured {
	if v == nil {
		return health.Measured{}
	}
	return health.Known(*v)
}

func checkMetering(m telemetry.Metering) error {
	for _, name := range []string{m.Meter, m.Transaction} {
		if len(name) > MaxMeterName || !utf8.ValidString(name) {
			return fmt.Errorf("meter or transaction: name has %d bytes, must be UTF-8 of at most %d", len(name), MaxMeterName)
		}
	}
	if m.Event > telemetry.Down {
		return fmt.Errorf("event %d is not known", m.Event)
	}
	if !bounded(m.TimeMicros) {
		return errors.New("time is beyond 2⁵³ µs")
	}
	for i, v := range []health.Measured{m.ImportMilliWh, m.PowerMilliW, m.RevenueCents, m.StateOfCharge} {
		if v.Known && !bounded(v.Value) {
			return fmt.Errorf("value %d is beyond 2⁵³", i)
		}
	}
	return nil
}
