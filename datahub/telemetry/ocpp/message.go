package ocpp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/assay-net/assay/datahub/telemetry/ocmf/jsonobject"
)

// Bounds on a message.
const (
	// MaxMessage is in bytes: what fits a frame.
	MaxMessage = 128 << 10
	// MaxMeterValues bounds the meter values of a message, MaxSamples the sampled values of each.
	MaxMeterValues = 1024
	MaxSamples     = 64
	// MaxSigned bounds the signed values of a message that are verified, since some curves take their time. A transaction has two.
	MaxSigned = 16
)

// The actions that are read.
const (
	ActionTransactionEvent = "TransactionEvent"
	ActionMeterValues      = "MeterValues"
)

// ErrAction says that a message is an RPC call of another action.
var ErrAction = errors.New("neither TransactionEvent nor MeterValues")

// Message is a request: one of Transaction and Meter is not nil.
type Message struct {
	raw []byte
	// ID is the RPC call's id, "" for a bare request.
	ID          string
	Transaction *TransactionEvent
	Meter       *MeterValues
}

// Bytes are the message as it was given to Parse.
func (m *Message) Bytes() []byte { return bytes.Clone(m.raw) }

// String names the message without its content.
func (m *Message) String() string {
	if m.Transaction != nil {
		return fmt.Sprintf("OCPP %s %s", ActionTransactionEvent, m.Transaction.EventType)
	}
	return "OCPP " + ActionMeterValues
}

// Parse reads a request, bare or as an RPC call. A bare one is told by its required fields.
func Parse(b []byte) (*Message, error) {
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("parsing OCPP message: %d bytes, at most %d", len(b), MaxMessage)
	}
	if !utf8.Valid(b) {
		return nil, errors.New("parsing OCPP message: not UTF-8")
	}
	m := &Message{raw: bytes.Clone(b)}
	action, payload, err := m.unwrap()
	if err == nil {
		err = m.read(action, payload)
	}
	if err != nil {
		return nil, fmt.Errorf("parsing OCPP message: %w", err)
	}
	return m, nil
}

// unwrap takes an RPC call apart.
func (m *Message) unwrap() (action string, payload json.RawMessage, err error) {
	if jsonobject.KindOf(m.raw) != jsonobject.Array {
		return "", m.raw, nil
	}
	parts, err := jsonobject.Elements(m.raw, 4)
	if err != nil || len(parts) != 4 {
		return "", nil, errors.New("RPC message is not an array of four")
	}
	if kind, _ := jsonobject.Text(parts[0]); jsonobject.KindOf(parts[0]) != jsonobject.Number || kind != "2" {
		return "", nil, errors.New("RPC message is not a call (2)")
	}
	if jsonobject.KindOf(parts[1]) != jsonobject.String || jsonobject.KindOf(parts[2]) != jsonobject.String {
		return "", nil, errors.New("RPC message's id or action is not a string")
	}
	m.ID, _ = jsonobject.Text(parts[1])
	if n := utf8.RuneCountInString(m.ID); n == 0 || n > 36 {
		return "", nil, fmt.Errorf("RPC message's id has %d characters, must be 1 to 36", n)
	}
	action, _ = jsonobject.Text(parts[2])
	if action != ActionTransactionEvent && action != ActionMeterValues {
		return "", nil, fmt.Errorf("action is %w", ErrAction)
	}
	return action, parts[3], nil
}

func (m *Message) read(action string, payload json.RawMessage) (err error) {
	o := newObject("", payload, &err)
	if err != nil {
		return err
	}
	_, event := o.fields["eventType"]
	switch {
	case action == ActionTransactionEvent, action == "" && event:
		m.Transaction = readTransactionEvent(o)
	default:
		m.Meter = readMeterValues(o)
	}
	return err
}
