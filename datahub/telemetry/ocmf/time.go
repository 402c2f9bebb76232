package ocmf

import (
	"regexp"
	"strings"
	"time"
)

// Clock is the state of the clock that stamped a reading.
type Clock byte

// The clock's states. NoClock stands for a time without one.
const (
	NoClock        Clock = 0
	Unsynchronised Clock = 'U'
	Informative    Clock = 'I'
	Synchronised   Clock = 'S'
	// Relative is a clock whose durations are right by law, though its start was only informative.
	Relative Clock = 'R'
)

// Time is a reading's time: Unix time in µs, UTC, and how far the clock can be trusted.
type Time struct {
	Micros int64
	Clock  Clock
	Known  bool
}

// Meters write ",000+0200", some ".000+02:00", and some no fraction at all.
var timeText = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d{1,9})?(Z|[+-]\d\d:?\d\d)$`)

func parseTime(text string) (Time, bool) {
	text = strings.Trim(text, " ")
	clock := NoClock
	if stamp, letter, found := strings.Cut(text, " "); found {
		letter = strings.TrimLeft(letter, " ")
		if len(letter) != 1 || !strings.Contains("UISR", letter) {
			return Time{}, false
		}
		text, clock = stamp, Clock(letter[0])
	}
	if !timeText.MatchString(text) {
		return Time{}, false
	}
	layout := "2006-01-02T15:04:05Z0700"
	if text[len(text)-3] == ':' && text[len(text)-1] != 'Z' {
		layout = "2006-01-02T15:04:05Z07:00"
	}
	t, err := time.Parse(layout, text)
	if err != nil {
		return Time{}, false
	}
	return Time{Micros: t.UnixMicro(), Clock: clock, Known: true}, true
}
