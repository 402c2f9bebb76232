package ocmf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/assay-net/assay/datahub/telemetry/ocmf/jsonobject"
)

// Bounds on a record.
const (
	// MaxRecord is in bytes. Real records have 500 to 3,000.
	MaxRecord = 64 << 10
	// MaxMembers bounds the keys of one JSON object, MaxReadings the readings of a record.
	MaxMembers  = 256
	MaxReadings = 1024
	// MaxName bounds what may name a meter, a gateway or a charge point, in bytes.
	MaxName   = 100
	maxIssues = 64
)

// Record is one OCMF record.
type Record struct {
	raw, signed []byte

	// Version is FV; Gateway and Meter say who measured.
	Version string
	Gateway Gateway
	Meter   Meter
	// Page is the record's place in its meter's series.
	Page Page
	// User is who charged.
	User User
	// PointType and Point name the charge point, Controller its firmware, Tariff a text about the price.
	PointType, Point, Controller, Tariff string
	// Readings are in the record's order, with what they leave out filled in.
	Readings []Reading
	// Signature is how the record is signed.
	Signature Signature
	// Issues say what in the record is not as the format has it, by the name of the key and never with a value. Ambiguous says that
	// a key is there twice, which another reader may take the other way.
	Issues    []string
	Ambiguous bool
}

// Gateway is who signs for the meter.
type Gateway struct{ ID, Serial, Version string }

// Meter is what measures.
type Meter struct{ Vendor, Model, Serial, Firmware string }

// User is whom the session is assigned to: a person's data. Assigned is false where it was not said.
type User struct {
	Assigned          bool
	Level, Type, Data string
	Flags             []string
}

// Parse reads a record. White space around it is no part of it.
func Parse(b []byte) (*Record, error) {
	if len(b) > MaxRecord {
		return nil, fmt.Errorf("parsing OCMF record: %d bytes, at most %d", len(b), MaxRecord)
	}
	r := &Record{raw: bytes.Clone(b)}
	payload, signature, err := sections(bytes.Trim(r.raw, " \t\r\n"))
	if err != nil {
		return nil, fmt.Errorf("parsing OCMF record: %w", err)
	}
	r.signed = payload
	if err := r.readPayload(payload); err != nil {
		return nil, fmt.Errorf("parsing OCMF record: payload: %w", err)
	}
	if err := r.readSignature(signature); err != nil {
		return nil, fmt.Errorf("parsing OCMF record: signature: %w", err)
	}
	return r, nil
}

// sections cuts a record at its pipes. The payload has all bytes between two, white space beside the JSON too: they are signed.
func sections(text []byte) (payload, signature []byte, err error) {
	rest, found := bytes.CutPrefix(text, []byte("OCMF|"))
	if !found {
		return nil, nil, errors.New("header is not OCMF|")
	}
	end, err := jsonobject.Length(rest)
	if err != nil {
		return nil, nil, fmt.Errorf("payload: %w", err)
	}
	gap, _, found := bytes.Cut(rest[end:], []byte("|"))
	if !found || len(bytes.Trim(gap, " \t\r\n")) > 0 {
		return nil, nil, errors.New("payload is not followed by a pipe and a signature")
	}
	end += len(gap)
	payload, rest = rest[:end], rest[end+1:]
	if end, err = jsonobject.Length(rest); err != nil {
		return nil, nil, fmt.Errorf("signature: %w", err)
	}
	switch after := bytes.Trim(rest[end:], " \t\r\n"); {
	case len(after) == 0:
		return payload, rest[:end], nil
	case after[0] == '|':
		return nil, nil, errors.New("more than three sections: a public key has no place in a record")
	default:
		return nil, nil, errors.New("signature is followed by more bytes")
	}
}

// Bytes are the record as it was given to Parse.
func (r *Record) Bytes() []byte { return bytes.Clone(r.raw) }

// Signed are the bytes that the signature covers: those between the first pipe and the second.
func (r *Record) Signed() []byte { return bytes.Clone(r.signed) }

// Digest is SHA-256 of the signed bytes: what tells one record from another, whatever its signature looks like.
func (r *Record) Digest() [32]byte { return sha256.Sum256(r.signed) }

// Source names who signed: by the meter's serial number, else the gateway's, else the charge point; "" if the record names none.
func (r *Record) Source() string {
	switch {
	case r.Meter.Serial != "":
		return r.Meter.Serial
	case r.Gateway.Serial != "":
		return r.Gateway.Serial
	case r.PointType != "" && r.Point != "":
		return r.PointType + " " + r.Point
	}
	return ""
}

// String names the record without its content.
func (r *Record) String() string {
	return fmt.Sprintf("OCMF record with %d readings", len(r.Readings))
}

func (r *Record) issue(key, what string) {
	if len(r.Issues) < maxIssues {
		r.Issues = append(r.Issues, key+": "+what)
	}
}

// members are an object's, with the last of those that are there twice.
func (r *Record) members(text []byte, at string) (map[string]jsonobject.Member, []string, error) {
	list, err := jsonobject.Members(text, MaxMembers)
	if err != nil {
		return nil, nil, err
	}
	byName := make(map[string]jsonobject.Member, len(list))
	names := make([]string, 0, len(list))
	for _, m := range list {
		if _, twice := byName[m.Name]; twice {
			r.Ambiguous = true
			r.issue(at, "a key is there twice, the last one counts")
		} else {
			names = append(names, m.Name)
		}
		byName[m.Name] = m
	}
	return byName, names, nil
}

// text is a field's value, without the padding that meters add; a number counts as its text.
func (r *Record) text(fields map[string]jsonobject.Member, at, key string) (string, bool) {
	m, there := fields[key]
	if !there {
		return "", false
	}
	text, ok := jsonobject.Text(m.Value)
	if !ok {
		r.issue(at+key, "neither text nor number, left out")
		return "", false
	}
	return strings.Trim(text, " \t\r\n"), true
}

func (r *Record) readSignature(text []byte) error {
	fields, _, err := r.members(text, "signature")
	if err != nil {
		return err
	}
	algorithm, stated := r.text(fields, "", "SA")
	if !stated || algorithm == "" {
		algorithm = "ECDSA-secp256r1-SHA256"
	}
	if _, err := curveOf(algorithm); err != nil {
		r.issue("SA", "not an algorithm of the format")
	}
	r.Signature.Algorithm = algorithm
	encoding, _ := r.text(fields, "", "SE")
	if form, stated := r.text(fields, "", "SM"); stated && form != "application/x-der" {
		r.issue("SM", "not application/x-der")
	}
	data, stated := r.text(fields, "", "SD")
	if !stated {
		r.issue("SD", "missing")
		return nil
	}
	if r.Signature.Data, err = decodeSignature(data, encoding); err != nil {
		r.issue("SD", err.Error())
	}
	return nil
}

func (r *Record) readPayload(text []byte) error {
	if !utf8.Valid(text) {
		r.issue("payload", "not UTF-8")
	}
	fields, names, err := r.members(text, "payload")
	if err != nil {
		return err
	}
	for key, to := range map[string]*string{
		"FV": &r.Version, "GI": &r.Gateway.ID, "GS": &r.Gateway.Serial, "GV": &r.Gateway.Version,
		"MV": &r.Meter.Vendor, "MM": &r.Meter.Model, "MS": &r.Meter.Serial, "MF": &r.Meter.Firmware,
		"IL": &r.User.Level, "IT": &r.User.Type, "ID": &r.User.Data,
		"CT": &r.PointType, "CI": &r.Point, "CF": &r.Controller, "TT": &r.Tariff,
	} {
		*to, _ = r.text(fields, "", key)
	}
	r.boundNames()
	r.checkFields(fields, names)
	return r.readReadings(fields)
}

// boundNames leaves out names that are too long to be one: they are remembered, and shown to the owner.
func (r *Record) boundNames() {
	for key, name := range map[string]*string{"MS": &r.Meter.Serial, "GS": &r.Gateway.Serial, "CT": &r.PointType, "CI": &r.Point} {
		if len(*name) > MaxName {
			r.issue(key, fmt.Sprintf("longer than %d bytes, left out", MaxName))
			*name = ""
		}
	}
}

func (r *Record) readReadings(fields map[string]jsonobject.Member) error {
	m, there := fields["RD"]
	if !there || jsonobject.KindOf(m.Value) != jsonobject.Array {
		r.issue("RD", "no list of readings")
		return nil
	}
	elements, err := jsonobject.Elements(m.Value, MaxReadings)
	if err != nil {
		return fmt.Errorf("RD: %w", err)
	}
	for i, e := range elements {
		if err := r.readReading(i, e); err != nil {
			return fmt.Errorf("RD[%d]: %w", i, err)
		}
	}
	return nil
}
