package ocmf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-net/assay/datahub/telemetry/ocmf/jsonobject"
)

// Reading is one reading of a register.
type Reading struct {
	// Time is TM.
	Time Time
	// Event is TX: B begins a session, C, S (suspended) and T (tariff) are within one, X is an exception, and E, L, R, A and P end
	// it. It is "" in fiscal records.
	Event string
	// Value is RV in Unit (RU), of the register that OBIS (RI) names; Loss is CL, the cable's loss so far, in the same unit.
	Value, Loss Decimal
	Unit, OBIS  string
	// Current is RT: AC or DC.
	Current string
	// Errors is EF: E says that the energy, t that the time is unusable.
	Errors string
	// Status is ST, the meter's; G is good.
	Status string
}

var (
	events   = []string{"B", "C", "S", "T", "X", "E", "L", "R", "A", "P"}
	endings  = []string{"E", "L", "R", "A", "P"}
	statuses = []string{"G", "N", "T", "D", "R", "M", "X", "I", "O", "S", "E", "F"}
)

// Ends says whether the reading ends a session.
func (d *Reading) Ends() bool { return slices.Contains(endings, d.Event) }

// Usable says whether the meter stands by the value: it is there, the meter is good, and no error is flagged.
func (d *Reading) Usable() bool { return d.Value.Known() && d.Status == "G" && d.Errors == "" }

// MilliWh is the value in mWh, exactly: ErrInexact if the meter wrote more digits than that.
func (d *Reading) MilliWh() (int64, error) {
	if !d.Value.Known() {
		return 0, fmt.Errorf("RV: %w", errNotDecimal)
	}
	places, ok := map[string]int{"kWh": 6, "Wh": 3}[d.Unit]
	if !ok {
		return 0, fmt.Errorf("RU: not a unit of energy")
	}
	v, err := d.Value.Exact(places)
	if err != nil {
		return 0, fmt.Errorf("RV: %w", err)
	}
	return v, nil
}

func (r *Record) readReading(i int, text []byte) error {
	at := fmt.Sprintf("RD[%d].", i)
	if jsonobject.KindOf(text) != jsonobject.Object {
		r.issue(at, "not an object, left out")
		return nil
	}
	fields, _, err := r.members(text, strings.TrimSuffix(at, "."))
	if err != nil {
		return err
	}
	d := Reading{}
	if n := len(r.Readings); n > 0 {
		d = r.Readings[n-1]
		if _, named := fields["RI"]; named { // another register: what it reads is not what the one before did
			d.Value, d.Loss = Decimal{}, Decimal{}
		}
	}
	for key, to := range map[string]*string{"TX": &d.Event, "RI": &d.OBIS, "RU": &d.Unit, "RT": &d.Current, "EF": &d.Errors, "ST": &d.Status} {
		if text, there := r.text(fields, at, key); there {
			*to = text
		} else if _, unreadable := fields[key]; unreadable {
			*to = "?" // no value of the format's, and none of the reading before either
		}
	}
	r.readNumber(fields, at, "RV", &d.Value)
	r.readNumber(fields, at, "CL", &d.Loss)
	r.readTime(fields, at, &d.Time)
	r.Readings = append(r.Readings, d)
	r.checkReading(at, &d)
	return nil
}

func (r *Record) readNumber(fields map[string]jsonobject.Member, at, key string, to *Decimal) {
	if _, there := fields[key]; !there {
		return
	}
	*to = Decimal{}
	text, ok := r.text(fields, at, key)
	if !ok {
		return
	}
	d, err := ParseDecimal(text)
	if err != nil {
		r.issue(at+key, "not a decimal number, left out")
		return
	}
	*to = d
}

func (r *Record) readTime(fields map[string]jsonobject.Member, at string, to *Time) {
	if _, there := fields["TM"]; !there {
		if !to.Known {
			r.issue(at+"TM", "missing")
		}
		return
	}
	text, _ := r.text(fields, at, "TM")
	var ok bool
	if *to, ok = parseTime(text); !ok {
		r.issue(at+"TM", "not a time, left out")
	} else if to.Clock == NoClock {
		r.issue(at+"TM", "does not say whether the clock is synchronised")
	}
}

// checkReading reports values that are in none of the format's tables. They stay as they are, and no rule takes them for good.
func (r *Record) checkReading(at string, d *Reading) {
	for _, f := range []struct {
		key, value string
		table      []string
	}{{"TX", d.Event, events}, {"ST", d.Status, statuses}, {"RT", d.Current, []string{"AC", "DC"}}, {"RU", d.Unit, []string{"kWh", "Wh"}}} {
		if f.value != "" && !slices.Contains(f.table, f.value) {
			r.issue(at+f.key, "not a value of the format's")
		}
	}
	if d.Status == "" {
		r.issue(at+"ST", "missing")
	}
	if strings.Trim(d.Errors, "Et") != "" {
		r.issue(at+"EF", "not a flag of the format's")
	}
	if _, ok := parseRegister(d.OBIS); !ok && d.OBIS != "" {
		r.issue(at+"RI", "not an OBIS code")
	}
}
