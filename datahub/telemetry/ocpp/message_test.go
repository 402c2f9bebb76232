package ocpp

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
)

type vector struct {
	Message string
	Valid   bool
}

func loadVectors(t testing.TB) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/messages.json")
	var file struct{ Messages []vector }
	if err == nil {
		err = json.Unmarshal(b, &file)
	}
	if err != nil || len(file.Messages) == 0 {
		t.Fatal(err)
	}
	return file.Messages
}

// The tables of lorenzodonini/ocpp-go, MIT: testdata/README.md.
func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t) {
		m, err := Parse([]byte(v.Message))
		if (err == nil) != v.Valid {
			t.Errorf("%s: %v, want valid %v", v.Message, err, v.Valid)
		}
		if err == nil && !bytes.Equal(m.Bytes(), []byte(v.Message)) {
			t.Error("message did not keep its bytes")
		}
	}
}

const (
	at     = `"2024-03-01T08:00:00Z"`
	sample = `{"value":12345.600}`
	values = `{"evseId":1,"meterValue":[{"timestamp":` + at + `,"sampledValue":[` + sample + `]}]}`
	event  = `{"eventType":"Updated","timestamp":` + at + `,"triggerReason":"MeterValuePeriodic","seqNo":4,"transactionInfo":{"transactionId":"tx"},` +
		`"evse":{"id":1,"connectorId":1},"meterValue":[{"timestamp":` + at + `,"sampledValue":[` + sample + `]}]}`
)

func TestParse(t *testing.T) {
	for name, text := range map[string]string{
		"values": values, "event": event, "white space": " " + values + "\n",
		"call": `[2,"id-1","MeterValues",` + values + `]`, "call of an event": `[2, "id-1", "TransactionEvent", ` + event + `]`,
		"custom data anywhere":       edit(t, edit(t, values, `{"value"`, `{"customData":{"vendorId":"v","any":[{"thing":null}]},"value"`), `{"evseId"`, `{"customData":{"vendorId":"v"},"evseId"`),
		"whole number with decimals": edit(t, event, `"seqNo":4`, `"seqNo":4.0e0`),
		"time with an offset":        edit(t, values, at, `"2024-03-01T16:00:00.123456+08:00"`),
		"longest transaction id":     edit(t, event, `"tx"`, `"`+strings.Repeat("é", 36)+`"`),
	} {
		m, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(m.Bytes()) != text || (m.Transaction == nil) == (m.Meter == nil) {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":                 {"", "not a JSON value"},
		"no request":              {`{}`, "evseId: missing"},
		"null":                    {edit(t, values, sample, `{"value":null}`), "meterValue[0].sampledValue[0].value: of the wrong JSON type"},
		"value as text":           {edit(t, values, "12345.600", `"12345.600"`), "value: of the wrong JSON type"},
		"value too long":          {edit(t, values, "12345.600", strings.Repeat("1", 65)), "value: number of 65 bytes, at most 64"},
		"unknown field":           {edit(t, values, `"value"`, `"reading":1,"value"`), `meterValue[0].sampledValue[0]: field "reading" is not in the schema`},
		"another case":            {edit(t, values, `"value"`, `"Value"`), "missing"},
		"a field twice":           {edit(t, values, `"value"`, `"value":1,"value"`), "has a field twice"},
		"custom data unnamed":     {edit(t, values, `"value"`, `"customData":{"a":1},"value"`), "customData.vendorId: missing"},
		"custom data not object":  {edit(t, values, `"value"`, `"customData":1,"value"`), "customData: of the wrong JSON type"},
		"no samples":              {edit(t, values, sample, ""), "sampledValue: empty"},
		"no values":               {`{"evseId":1,"meterValue":[]}`, "meterValue: empty"},
		"evse negative":           {edit(t, values, `"evseId":1`, `"evseId":-1`), "evseId: negative"},
		"evse not whole":          {edit(t, values, `"evseId":1`, `"evseId":1.5`), "evseId: not an integer"},
		"no time zone":            {edit(t, values, at, `"2024-03-01T08:00:00"`), "timestamp: not a date-time"},
		"no such day":             {edit(t, values, at, `"2024-02-30T08:00:00Z"`), "timestamp: not a date-time"},
		"context":                 {edit(t, values, `{"value"`, `{"context":"Transaction","value"`), "context: not a value of OCPP 2.0.1"},
		"transaction id too long": {edit(t, event, `"tx"`, `"`+strings.Repeat("x", 37)+`"`), "transactionInfo.transactionId: longer than 36 characters"},
		"unit too long":           {edit(t, values, `{"value"`, `{"unitOfMeasure":{"unit":"`+strings.Repeat("W", 21)+`"},"value"`), "unitOfMeasure.unit: longer than 20"},
		"no sequence number":      {edit(t, event, `"seqNo":4,`, ""), "seqNo: missing"},
		"sequence number huge":    {edit(t, event, `"seqNo":4`, `"seqNo":1e30`), "seqNo: not an integer"},
		"token":                   {edit(t, event, `"evse"`, `"idToken":{"idToken":"1","type":"Card"},"evse"`), "idToken.type: not a value"},
		"token's more":            {edit(t, event, `"evse"`, `"idToken":{"idToken":"1","type":"Local","additionalInfo":[{"type":"a"}]},"evse"`), "additionalIdToken: missing"},
		"signed without method":   {edit(t, values, `{"value"`, `{"signedMeterValue":{"signedMeterData":"","encodingMethod":"","publicKey":""},"value"`), "signingMethod: missing"},
		"signed too long":         {edit(t, values, `{"value"`, `{"signedMeterValue":{"signedMeterData":"`+strings.Repeat("A", 2501)+`","signingMethod":"","encodingMethod":"","publicKey":""},"value"`), "signedMeterData: longer than 2500"},
		"too many samples":        {edit(t, values, sample, strings.Repeat(sample+",", MaxSamples)+sample), "more than 64"},
		"bytes after":             {values + "x", "bytes after"},
		"answer":                  {`[3,"id",{}]`, "array of four"},
		"not a call":              {`[4,"id","MeterValues",` + values + `]`, "not a call"},
		"call 2.0":                {`[2.0,"id","MeterValues",` + values + `]`, "not a call"},
		"id a number":             {`[2,1,"MeterValues",` + values + `]`, "not a string"},
		"id too long":             {`[2,"` + strings.Repeat("i", 37) + `","MeterValues",` + values + `]`, "37 characters"},
		"five parts":              {`[2,"id","MeterValues",` + values + `,1]`, "array of four"},
		"event as values":         {`[2,"id","MeterValues",` + event + `]`, "evseId: missing"},
		"not UTF-8":               {edit(t, event, `"tx"`, "\"\xff\""), "not UTF-8"},
		"too long":                {strings.Repeat(" ", MaxMessage) + values, "at most 131072"},
	} {
		if _, err := Parse([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func TestOtherActionsAreTold(t *testing.T) {
	if _, err := Parse([]byte(`[2,"id","Heartbeat",{}]`)); !errors.Is(err, ErrAction) {
		t.Error(err)
	}
}

func TestErrorsSayNoValues(t *testing.T) {
	for _, text := range []string{
		edit(t, values, "12345.600", `"Secret"`), edit(t, event, `"tx"`, `"`+strings.Repeat("Secret", 9)+`"`), edit(t, event, `"Updated"`, `"Secret"`),
		edit(t, values, at, `"Secret"`), `[2,"id","Secret",{}]`,
	} {
		if _, err := Parse([]byte(text)); err == nil || strings.Contains(err.Error(), "Secret") {
			t.Error(err)
		}
	}
}
