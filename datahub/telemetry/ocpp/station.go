package ocpp

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/datahub/telemetry/ocmf"
)

const (
	// MaxTransactions bounds the transactions, and the EVSEs' registers, that a Station remembers; the one that was silent for longest
	// makes room.
	MaxTransactions = 256
	window          = 64
)

// Station decodes one charging station's messages in the order in which they come, and remembers what they leave out: the EVSE of a
// transaction. It also reports what only the series shows: events that are missing, late or sent twice, registers that were reset, and
// records that a meter signed and that never came. It is not safe for concurrent use.
type Station struct {
	options      Options
	transactions []transaction
	registers    []register
	pages        *ocmf.Counter
}

// transaction is one that is remembered, the one heard of last at the end.
type transaction struct {
	id      string
	meter   string // "" if never named
	highest int64
	seen    uint64 // bit n: highest−n came
}

// register is the latest reading of a meter.
type register struct {
	meter           string
	micros, milliWh int64
}

// NewStation is a station of which nothing is known. Pages continue after last, from Pages of an earlier Station.
func NewStation(o Options, last ...ocmf.Last) *Station {
	return &Station{options: o, pages: ocmf.NewCounter(last...)}
}

// Pages are the latest pages of the station's meters.
func (s *Station) Pages() []ocmf.Last { return s.pages.Last() }

// Meterings parses the next message and decodes it.
func (s *Station) Meterings(b []byte) ([]telemetry.Metering, []string, error) {
	m, err := Parse(b)
	if err != nil {
		return nil, nil, err
	}
	meterings, issues := s.Add(m)
	return meterings, issues, nil
}

// Add decodes the next message.
func (s *Station) Add(m *Message) ([]telemetry.Metering, []string) {
	c := &conversion{options: s.options}
	switch {
	case m.Transaction != nil:
		t := s.transaction(m.Transaction)
		s.sequence(c, t, m.Transaction)
		c.meter, c.transaction = t.meter, t.id
		c.event(m.Transaction)
	case m.Meter.EVSE == 0:
		c.issue("evseId", "0 is the station's main meter, not a vehicle's, and left out")
	default:
		c.meter = meterName(m.Meter.EVSE)
		c.values(m.Meter.Values)
	}
	slices.SortStableFunc(c.meterings, func(a, b telemetry.Metering) int { return cmp.Compare(a.TimeMicros, b.TimeMicros) })
	s.checkPages(c)
	s.checkRegisters(c)
	return c.meterings, c.issues
}

func meterName(evse int64) string { return fmt.Sprintf("evse/%d", evse) }

// transaction finds an event's transaction or begins to remember it.
func (s *Station) transaction(e *TransactionEvent) *transaction {
	t := transaction{id: e.Info.ID, highest: -1}
	if at := slices.IndexFunc(s.transactions, func(t transaction) bool { return t.id == e.Info.ID }); at >= 0 {
		t = s.transactions[at]
		s.transactions = slices.Delete(s.transactions, at, at+1)
	} else if len(s.transactions) == MaxTransactions {
		s.transactions = slices.Delete(s.transactions, 0, 1)
	}
	if e.EVSE != nil && e.EVSE.ID > 0 {
		t.meter = meterName(e.EVSE.ID)
	}
	s.transactions = append(s.transactions, t)
	return &s.transactions[len(s.transactions)-1]
}

// sequence reports how an event follows those of its transaction that came before.
func (s *Station) sequence(c *conversion, t *transaction, e *TransactionEvent) {
	ahead := e.SeqNo - t.highest
	switch {
	case t.seen == 0:
		if e.EventType != Started {
			c.issue("seqNo", "the transaction's first event did not come, or came before this station was followed")
		}
		t.seen = 1
	case ahead > 0:
		if ahead > 1 {
			c.issue("seqNo", fmt.Sprintf("%d events are missing, or late", ahead-1))
		}
		t.seen = t.seen<<min(ahead, window) | 1
	case -ahead >= window:
		c.issue("seqNo", "an event that is much too late")
		return
	case t.seen>>-ahead&1 == 1:
		c.issue("seqNo", "an event that came before")
		return
	default:
		c.issue("seqNo", "an event that comes late")
		t.seen |= 1 << -ahead
		return
	}
	t.highest = e.SeqNo
}

// checkPages reports signed records that are missing. Only those that verified are followed.
func (s *Station) checkPages(c *conversion) {
	for _, r := range c.records {
		step, err := s.pages.Add(r)
		switch {
		case err != nil:
			c.issue("", err.Error())
		case step.Continuity == ocmf.Gap:
			c.issue("PG", fmt.Sprintf("%d records that the meter signed are missing", step.Missing))
		case step.Continuity == ocmf.Reset:
			c.issue("PG", "the meter counts its records from a lower number again")
		case step.Continuity == ocmf.Conflict:
			c.issue("PG", "the meter signed another record with the same number")
		}
	}
}

// checkRegisters reports registers that fell. A late value is older than the latest and says nothing about a reset.
func (s *Station) checkRegisters(c *conversion) {
	for _, m := range c.meterings {
		if !m.ImportMilliWh.Known {
			continue
		}
		now := register{m.Meter, m.TimeMicros, m.ImportMilliWh.Value}
		at := slices.IndexFunc(s.registers, func(r register) bool { return r.meter == m.Meter })
		if at < 0 && len(s.registers) == MaxTransactions {
			s.registers = slices.Delete(s.registers, 0, 1)
		}
		if at >= 0 {
			last := s.registers[at]
			if now.micros < last.micros {
				continue
			}
			if now.milliWh < last.milliWh {
				c.issue(m.Meter, "the register fell: it was reset")
			}
			s.registers = slices.Delete(s.registers, at, at+1)
		}
		s.registers = append(s.registers, now)
	}
}
