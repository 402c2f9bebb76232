package gbt32960

import (
	"fmt"
	"time"
)

// Time is a time as it is sent: year since 2000, month, day, hour, minute and second, in UTC+8.
type Time [6]byte

var beijing = time.FixedZone("UTC+8", 8*60*60)

// NewTime is t in full seconds, in the years 2000 to 2099 of UTC+8.
func NewTime(t time.Time) (Time, error) {
	t = t.In(beijing)
	year := t.Year() - 2000
	if year < 0 || year > 99 {
		return Time{}, fmt.Errorf("time: must lie in the years 2000 to 2099")
	}
	return Time{byte(year), byte(t.Month()), byte(t.Day()), byte(t.Hour()), byte(t.Minute()), byte(t.Second())}, nil
}

// UTC is the time that is meant. Six bytes that are no time are refused.
func (t Time) UTC() (time.Time, error) {
	v := time.Date(2000+int(t[0]), time.Month(t[1]), int(t[2]), int(t[3]), int(t[4]), int(t[5]), 0, beijing)
	// time.Date carries a 31st of April over into May: what is no time does not come back the same.
	if back, err := NewTime(v); err != nil || back != t {
		return time.Time{}, fmt.Errorf("time: six bytes that are no time between 2000 and 2099")
	}
	return v.UTC(), nil
}
