package ocmf

import (
	"errors"
	"fmt"
)

// Billable says why the records of one charging session may not be billed; nothing means that they may. They must be in the order in
// which the meter signed them. The rules are the format's:
//
//   - every signature is valid by the key;
//   - every reading has the status G, no error flag, and a value in a unit of energy that is exact in mWh;
//   - the session begins with B and ends with one of E, L, R, A and P, once for each register, with no exception between;
//   - one source signed all records, and their pages are T and follow each other without a gap.
//
// Besides, each register that begins also ends, neither a register nor the clock runs backwards, and no key is there twice. The
// clock's state is not among the rules: energy is billed, not time.
func Billable(key PublicKey, records ...*Record) []string {
	if len(records) == 0 {
		return []string{"no record"}
	}
	s := session{}
	for i, r := range records {
		s.record = i
		s.signature(r, key)
		s.follows(records, i)
		for j := range r.Readings {
			s.reading(j, &r.Readings[j])
		}
	}
	if len(s.first) == 0 {
		s.refuse("no reading begins the session")
	} else if !s.ended {
		s.refuse("no reading ends the session")
	}
	s.registers()
	return s.reasons
}

// session is what Billable has seen so far.
type session struct {
	record  int
	reasons []string
	// first and last are each register's first and latest reading in mWh.
	first, last map[string]int64
	ends        map[string]bool
	ended       bool
	since       Time
}

func (s *session) refuse(format string, a ...any) {
	if len(s.reasons) < maxIssues {
		s.reasons = append(s.reasons, fmt.Sprintf(format, a...))
	}
}

func (s *session) signature(r *Record, key PublicKey) {
	if err := r.Verify(key); errors.Is(err, ErrSignature) {
		s.refuse("record %d: signature is not valid", s.record)
	} else if err != nil {
		s.refuse("record %d: signature could not be checked", s.record)
	}
	if r.Ambiguous {
		s.refuse("record %d: a key is there twice", s.record)
	}
	if len(r.Readings) == 0 {
		s.refuse("record %d: no readings", s.record)
	}
}

func (s *session) follows(records []*Record, i int) {
	r := records[i]
	if r.Page.Letter != 'T' {
		s.refuse("record %d: PG is not that of a charging session", i)
	}
	if r.Source() == "" {
		s.refuse("record %d: nothing says who signed", i)
	}
	if i == 0 {
		return
	}
	before := records[i-1]
	if r.Page.Letter != before.Page.Letter || r.Page.Number != before.Page.Number+1 {
		s.refuse("record %d: PG does not follow that of record %d", i, i-1)
	}
	if r.Source() != before.Source() {
		s.refuse("record %d: not from the meter of record %d", i, i-1)
	}
}

func (s *session) reading(j int, d *Reading) {
	at := fmt.Sprintf("record %d, reading %d", s.record, j)
	if d.Status != "G" {
		s.refuse("%s: ST is not G", at)
	}
	if d.Errors != "" {
		s.refuse("%s: EF flags an error", at)
	}
	s.place(at, d)
	if s.since.Known && d.Time.Known && d.Time.Micros < s.since.Micros {
		s.refuse("%s: TM is before that of the reading before", at)
	}
	s.since = d.Time
	v, err := d.MilliWh()
	if err != nil {
		s.refuse("%s: %v", at, err)
		return
	}
	s.value(at, d, v)
}

// place checks the reading's event against those before it. Several registers may begin, and end, at the same moment.
func (s *session) place(at string, d *Reading) {
	register, _ := parseRegister(d.OBIS)
	_, began := s.first[register.name]
	switch {
	case d.Event == "B" && (began || s.ended):
		s.refuse("%s: the session begins a second time", at)
	case d.Event == "B":
	case d.Ends() && s.ends[register.name]:
		s.refuse("%s: the session ends a second time", at)
	case d.Event == "X":
		s.refuse("%s: TX reports an exception", at)
	case d.Event != "C" && d.Event != "S" && d.Event != "T" && !d.Ends():
		s.refuse("%s: TX is not that of a session", at)
	case !began:
		s.refuse("%s: comes before the session's begin", at)
	case s.ended && !d.Ends():
		s.refuse("%s: comes after the session's end", at)
	}
}

func (s *session) value(at string, d *Reading, v int64) {
	if s.first == nil {
		s.first, s.last, s.ends = map[string]int64{}, map[string]int64{}, map[string]bool{}
	}
	register, _ := parseRegister(d.OBIS)
	if d.Event == "B" {
		s.first[register.name] = v
	} else if v < s.last[register.name] {
		s.refuse("%s: RV is below the register's reading before", at)
	}
	s.last[register.name] = v
	if d.Ends() {
		s.ended, s.ends[register.name] = true, true
	}
}

func (s *session) registers() {
	for name := range s.first {
		if s.ended && !s.ends[name] {
			s.refuse("a register that begins does not end")
			return
		}
	}
}
