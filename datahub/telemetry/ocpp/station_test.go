package ocpp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

// session is a transaction's events, the second without its EVSE as the standard allows.
func session(t testing.TB) []string {
	started := edit(t, edit(t, edit(t, event, `"Updated"`, `"Started"`), `"seqNo":4`, `"seqNo":0`), `{"value"`, `{"context":"Transaction.Begin","value"`)
	updated := edit(t, edit(t, edit(t, strings.ReplaceAll(event, "08:00", "08:15"), `"seqNo":4`, `"seqNo":1`), "12345.600", "12350.600"), `"evse":{"id":1,"connectorId":1},`, "")
	ended := edit(t, edit(t, edit(t, edit(t, strings.ReplaceAll(event, "08:00", "08:30"), `"Updated"`, `"Ended"`), `"seqNo":4`, `"seqNo":2`), "12345.600", "12360.600"), `{"value"`, `{"context":"Transaction.End","value"`)
	return []string{started, updated, ended}
}

func TestStationFollowsASession(t *testing.T) {
	s := NewStation(Options{})
	var got []telemetry.Metering
	for _, text := range session(t) {
		m, issues, err := s.Meterings([]byte(text))
		if err != nil || len(issues) != 0 {
			t.Fatal(issues, err)
		}
		got = append(got, m...)
	}
	minute := int64(time.Minute / time.Microsecond)
	want := []telemetry.Metering{
		{TimeMicros: beginMicros, Meter: "evse/1", Transaction: "tx", Event: telemetry.Begin, ImportMilliWh: health.Known(12345600)},
		{TimeMicros: beginMicros + 15*minute, Meter: "evse/1", Transaction: "tx", ImportMilliWh: health.Known(12350600)},
		{TimeMicros: beginMicros + 30*minute, Meter: "evse/1", Transaction: "tx", Event: telemetry.End, ImportMilliWh: health.Known(12360600)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestTrapEventWithoutItsEVSE(t *testing.T) {
	got, issues := decode(t, session(t)[1], Options{})
	if len(got) != 0 || !contains(issues, "EVSE is not known") {
		t.Error(got, issues)
	}
}

func TestSessionWithoutValuesHasItsEnds(t *testing.T) {
	bare := event[:strings.Index(event, `,"meterValue"`)] + "}"
	for eventType, want := range map[string]telemetry.Event{"Started": telemetry.Begin, "Ended": telemetry.End} {
		got, _ := decode(t, edit(t, bare, "Updated", eventType), Options{})
		if d := cmp.Diff([]telemetry.Metering{{TimeMicros: beginMicros, Meter: "evse/1", Transaction: "tx", Event: want}}, got); d != "" {
			t.Error(d)
		}
	}
	if got, _ := decode(t, bare, Options{}); len(got) != 0 {
		t.Error(got)
	}
}

func TestFaults(t *testing.T) {
	bare := event[:strings.Index(event, `,"meterValue"`)] + "}"
	for name, text := range map[string]string{
		"abnormal":     edit(t, bare, "MeterValuePeriodic", "AbnormalCondition"),
		"ground fault": edit(t, edit(t, bare, `"tx"`, `"tx","stoppedReason":"GroundFault"`), "Updated", "Ended"),
	} {
		got, _ := decode(t, text, Options{})
		if len(got) != 1 || !got[0].Fault {
			t.Error(name, got)
		}
	}
}

func TestTrapOrderIsBySeqNoNotByArrival(t *testing.T) {
	texts := append(session(t), values)
	var messages []*Message
	for _, i := range []int{2, 3, 0, 1} {
		m, err := Parse([]byte(texts[i]))
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	Order(messages)
	var got []string
	for _, m := range messages {
		got = append(got, string(m.Bytes()))
	}
	if d := cmp.Diff([]string{values, texts[0], texts[1], texts[2]}, got); d != "" {
		t.Error(d)
	}
}

func TestTrapOfflineEventsComeLate(t *testing.T) {
	s := NewStation(Options{})
	texts := session(t)
	texts[1] = edit(t, texts[1], `"seqNo":1`, `"seqNo":1,"offline":true`)
	for _, step := range []struct {
		text  int
		issue string
	}{{0, ""}, {2, "1 events are missing, or late"}, {1, "comes late"}, {1, "came before"}, {2, "came before"}} {
		got, issues, err := s.Meterings([]byte(texts[step.text]))
		if err != nil || len(got) != 1 || (len(issues) == 0) != (step.issue == "") || !contains(issues, step.issue) || contains(issues, "reset") {
			t.Error(step, got, issues, err)
		}
	}
}

func TestSequenceNumbers(t *testing.T) {
	s := NewStation(Options{})
	for i, step := range []struct {
		seqNo int64
		issue string
	}{{5, "first event did not come"}, {6, ""}, {100, "93 events are missing"}, {99, "comes late"}, {99, "came before"}, {37, "comes late"}, {36, "much too late"}, {6, "much too late"},
		{1 << 50, "events are missing"}, {1<<50 + 1, ""}, {100, "much too late"}} {
		_, issues, err := s.Meterings([]byte(edit(t, event, `"seqNo":4`, fmt.Sprintf(`"seqNo":%d`, step.seqNo))))
		if err != nil || (len(issues) == 0) != (step.issue == "") || !contains(issues, step.issue) {
			t.Error(i, step, issues, err)
		}
	}
}

func TestTrapRegisterIsReset(t *testing.T) {
	s := NewStation(Options{})
	for i, step := range []struct {
		value, minute string
		reset         bool
	}{{"100", "00", false}, {"110", "01", false}, {"5", "02", true}, {"6", "03", false}, {"1", "02", false}} {
		text := edit(t, edit(t, values, "12345.600", step.value), "08:00", "08:"+step.minute)
		if _, issues, err := s.Meterings([]byte(text)); err != nil || contains(issues, "reset") != step.reset {
			t.Error(i, issues, err)
		}
	}
}

func TestStationIsBounded(t *testing.T) {
	s := NewStation(Options{})
	for i := range 2 * MaxTransactions {
		text := edit(t, edit(t, event, `"tx"`, fmt.Sprintf(`"tx%d"`, i)), `"id":1`, fmt.Sprintf(`"id":%d`, i+1))
		if _, _, err := s.Meterings([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.transactions) != MaxTransactions || len(s.registers) != MaxTransactions {
		t.Error(len(s.transactions), len(s.registers))
	}
}
