package ocpp

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Message encodes the event as an RPC call. What Parse would not take is an error.
func (e *TransactionEvent) Message(id string) (*Message, error) {
	return encode(id, ActionTransactionEvent, e)
}

// Message encodes the values as an RPC call. What Parse would not take is an error.
func (m *MeterValues) Message(id string) (*Message, error) {
	return encode(id, ActionMeterValues, m)
}

func encode(id, action string, request any) (*Message, error) {
	b, err := json.Marshal([]any{2, id, action, request})
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", action, err)
	}
	m, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", action, err)
	}
	return m, nil
}

// NewSigned is the form in which OCPP carries an OCMF record, with the meter's key as DER SubjectPublicKeyInfo; nil sends none.
func NewSigned(record, key []byte) *Signed {
	s := &Signed{Data: base64.StdEncoding.EncodeToString(record), EncodingMethod: encodingOCMF}
	if key != nil {
		s.PublicKey = base64.StdEncoding.EncodeToString([]byte("oca:base16:asn1:" + strings.ToUpper(hex.EncodeToString(key))))
	}
	return s
}
