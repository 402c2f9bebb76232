package ocmf

import (
	"errors"
	"fmt"
	"strings"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// Keys finds the key of a meter by Record.Source, among those that its owner registered.
type Keys func(source string) (PublicKey, bool)

// Meterings parses a record, verifies it with its meter's key and decodes it. A record that does not verify gives no meterings; one
// whose meter has no key gives meterings that are not Signed. The issues say why anything was left out.
func Meterings(b []byte, keys Keys) ([]telemetry.Metering, []string, error) {
	r, err := Parse(b)
	if err != nil {
		return nil, nil, err
	}
	err = r.VerifyBy(keys)
	if err != nil {
		r.issue("signature", err.Error())
	}
	if errors.Is(err, ErrSignature) {
		return nil, r.Issues, nil
	}
	meterings, issues := r.Meterings(err == nil)
	return meterings, issues, nil
}

// ErrNoKey says that nobody registered a key for a record's meter.
var ErrNoKey = errors.New("no key is registered for the meter")

// VerifyBy is Verify with the key that is registered for the record's source; ErrNoKey if there is none.
func (r *Record) VerifyBy(keys Keys) error {
	if keys == nil {
		return ErrNoKey
	}
	key, found := keys(r.Source())
	if !found {
		return ErrNoKey
	}
	return r.Verify(key)
}

// Meterings are the record's readings, those of one moment together, and its issues with those of decoding. signed is the outcome
// of Verify. Of several registers of imported energy only one is taken, the one that says best what the vehicle got and does not
// start anew with each session; values that are no energy to the vehicle, or that the meter does not stand by, are left out. The
// Transaction of a record that holds a whole session is its source and page; a session of several records has no name of its own.
func (r *Record) Meterings(signed bool) ([]telemetry.Metering, []string) {
	c := conversion{Record: r, signed: signed}
	c.chooseRegister()
	if r.Page.Letter == 'T' && r.whole() {
		c.transaction = r.Source() + " " + r.Page.String()
	}
	for i := range r.Readings {
		c.add(i, &r.Readings[i])
	}
	return c.meterings, r.Issues
}

// whole says whether the record has both ends of a session.
func (r *Record) whole() bool {
	begins, ends := false, false
	for i := range r.Readings {
		begins = begins || r.Readings[i].Event == "B"
		ends = ends || r.Readings[i].Ends()
	}
	return begins && ends
}

// conversion is a record on its way to meterings.
type conversion struct {
	*Record
	signed      bool
	register    register
	transaction string
	meterings   []telemetry.Metering
}

func (c *conversion) chooseRegister() {
	for i := range c.Readings {
		if reg, _ := parseRegister(c.Readings[i].OBIS); reg.rank > c.register.rank {
			c.register = reg
		}
	}
}

func (c *conversion) add(i int, d *Reading) {
	at := fmt.Sprintf("RD[%d].", i)
	if !d.Time.Known || strings.Contains(d.Errors, "t") {
		c.issue(at+"TM", "without a usable time the reading is left out")
		return
	}
	if d.Time.Clock == Unsynchronised || d.Time.Clock == Informative {
		c.issue(at+"TM", "the clock is not synchronised")
	}
	m := telemetry.Metering{
		TimeMicros: d.Time.Micros, Meter: c.Source(), Transaction: c.transaction, Event: d.event(),
		Fault: d.Event == "X" || d.Status != "G" || d.Errors != "",
	}
	m.ImportMilliWh = c.energy(at, d)
	m.Signed = c.signed && m.ImportMilliWh.Known
	if n := len(c.meterings); n > 0 && c.meterings[n-1].TimeMicros == m.TimeMicros && c.meterings[n-1].Event == m.Event {
		last := &c.meterings[n-1]
		if !last.ImportMilliWh.Known {
			last.ImportMilliWh, last.Signed = m.ImportMilliWh, m.Signed
		}
		last.Fault = last.Fault || m.Fault
		return
	}
	c.meterings = append(c.meterings, m)
}

func (c *conversion) energy(at string, d *Reading) health.Measured {
	reg, readable := parseRegister(d.OBIS)
	switch {
	case !d.Value.Known():
		return health.Measured{}
	case !d.Usable():
		c.issue(at+"RV", "the meter does not stand by the value, left out")
		return health.Measured{}
	case reg.name != c.register.name:
		c.issue(at+"RI", "not the register of energy to the vehicle, left out")
		return health.Measured{}
	case !readable:
		c.issue(at+"RI", "does not say which register, taken as energy to the vehicle")
	}
	v, err := d.MilliWh()
	if err != nil {
		c.issue(at+"RV", err.Error()+": left out")
		return health.Measured{}
	}
	return health.Known(v)
}

func (d *Reading) event() telemetry.Event {
	switch {
	case d.Event == "B":
		return telemetry.Begin
	case d.Ends():
		return telemetry.End
	case d.Event == "X":
		return telemetry.Exception
	}
	return telemetry.Periodic
}
