package ocpp

import (
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/ocmf"
)

// TransactionEvent says that a charging session begins, goes on or ends. The customer's token is checked and not kept.
type TransactionEvent struct {
	EventType     string    `json:"eventType"`
	Timestamp     time.Time `json:"timestamp"`
	TriggerReason string    `json:"triggerReason"`
	// SeqNo numbers the events of a transaction; order by it, not by arrival.
	SeqNo int64 `json:"seqNo"`
	// Offline says that it happened while the station had no connection.
	Offline bool `json:"offline,omitempty"`
	Info    Info `json:"transactionInfo"`
	// EVSE is nil where it is not named.
	EVSE        *EVSE        `json:"evse,omitempty"`
	MeterValues []MeterValue `json:"meterValue,omitempty"`
}

// Info is about a transaction.
type Info struct {
	ID            string `json:"transactionId"`
	ChargingState string `json:"chargingState,omitempty"`
	StoppedReason string `json:"stoppedReason,omitempty"`
}

// EVSE is one charging place of a station, counted from 1.
type EVSE struct {
	ID          int64 `json:"id"`
	ConnectorID int64 `json:"connectorId,omitempty"`
}

// MeterValues are values outside a transaction's events. EVSE 0 is the station's main meter.
type MeterValues struct {
	EVSE   int64        `json:"evseId"`
	Values []MeterValue `json:"meterValue"`
}

// MeterValue is what was sampled at one moment.
type MeterValue struct {
	Timestamp time.Time `json:"timestamp"`
	Samples   []Sample  `json:"sampledValue"`
}

// Sample is one value. What is left out is "", and stands for what the method of that name says.
type Sample struct {
	Value     ocmf.Decimal `json:"value"`
	Context   string       `json:"context,omitempty"`
	Measurand string       `json:"measurand,omitempty"`
	Phase     string       `json:"phase,omitempty"`
	Location  string       `json:"location,omitempty"`
	Unit      *Unit        `json:"unitOfMeasure,omitempty"`
	Signed    *Signed      `json:"signedMeterValue,omitempty"`
}

// Unit is a unit and the power of ten that the value is to be multiplied with, which may be negative.
type Unit struct {
	Unit       string `json:"unit,omitempty"`
	Multiplier int64  `json:"multiplier,omitempty"`
}

// Signed is a value with its meter's signature. For OCMF the record says its method itself, and SigningMethod is empty; PublicKey may
// be empty too.
type Signed struct {
	Data           string `json:"signedMeterData"`
	SigningMethod  string `json:"signingMethod"`
	EncodingMethod string `json:"encodingMethod"`
	PublicKey      string `json:"publicKey"`
}

func readTransactionEvent(o *object) *TransactionEvent {
	e := &TransactionEvent{
		EventType:     o.one("eventType", true, eventTypes),
		Timestamp:     o.time("timestamp"),
		TriggerReason: o.one("triggerReason", true, triggerReasons),
		Offline:       o.boolean("offline"),
	}
	e.SeqNo, _ = o.natural("seqNo", true)
	o.natural("numberOfPhasesUsed", false)
	o.integer("cableMaxCurrent", false)
	o.integer("reservationId", false)
	if info, there := o.child("transactionInfo", true); there {
		e.Info = Info{
			ID:            info.text("transactionId", true, 36),
			ChargingState: info.one("chargingState", false, chargingStates),
			StoppedReason: info.one("stoppedReason", false, stoppedReasons),
		}
		info.integer("timeSpentCharging", false)
		info.integer("remoteStartId", false)
		info.done()
	}
	if evse, there := o.child("evse", false); there {
		e.EVSE = &EVSE{}
		e.EVSE.ID, _ = evse.natural("id", true)
		e.EVSE.ConnectorID, _ = evse.natural("connectorId", false)
		evse.done()
	}
	checkToken(o)
	e.MeterValues = readMeterValueList(o, false)
	o.done()
	return e
}

func checkToken(o *object) {
	token, there := o.child("idToken", false)
	if !there {
		return
	}
	token.text("idToken", true, 36)
	token.one("type", true, idTokenTypes)
	for i, text := range token.list("additionalInfo", false, MaxSamples) {
		more := newObject(fmt.Sprintf("idToken.additionalInfo[%d]", i), text, o.err)
		more.text("additionalIdToken", true, 36)
		more.text("type", true, 50)
		more.done()
	}
	token.done()
}

func readMeterValues(o *object) *MeterValues {
	m := &MeterValues{}
	m.EVSE, _ = o.natural("evseId", true)
	m.Values = readMeterValueList(o, true)
	o.done()
	return m
}

func readMeterValueList(o *object, required bool) []MeterValue {
	var values []MeterValue
	for i, text := range o.list("meterValue", required, MaxMeterValues) {
		v := newObject(fmt.Sprintf("meterValue[%d]", i), text, o.err)
		m := MeterValue{Timestamp: v.time("timestamp")}
		for j, text := range v.list("sampledValue", true, MaxSamples) {
			m.Samples = append(m.Samples, readSample(newObject(fmt.Sprintf("%s.sampledValue[%d]", v.path, j), text, o.err)))
		}
		v.done()
		if *o.err != nil {
			return nil
		}
		values = append(values, m)
	}
	return values
}

func readSample(o *object) Sample {
	s := Sample{
		Value:     o.decimal("value", true),
		Context:   o.one("context", false, readingContexts),
		Measurand: o.one("measurand", false, measurands),
		Phase:     o.one("phase", false, phases),
		Location:  o.one("location", false, locations),
	}
	if unit, there := o.child("unitOfMeasure", false); there {
		s.Unit = &Unit{Unit: unit.text("unit", false, 20)}
		s.Unit.Multiplier, _ = unit.integer("multiplier", false)
		unit.done()
	}
	if signed, there := o.child("signedMeterValue", false); there {
		s.Signed = &Signed{
			Data:           signed.text("signedMeterData", true, 2500),
			SigningMethod:  signed.text("signingMethod", true, 50),
			EncodingMethod: signed.text("encodingMethod", true, 50),
			PublicKey:      signed.text("publicKey", true, 2500),
		}
		signed.done()
	}
	o.done()
	return s
}
