package gbt32960

import (
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/telemetry"
)

// Readings is what a frame says of the battery: for a report one reading, or none if nothing in it concerns a battery; for any other
// frame, and for the reply to a report, none. Issues say what was left out and why. A report without a time, or with one that cannot be,
// is an error.
//
// Over 200 cells take several frames in the edition of 2016. Of each of these alone the cells are left out: a Joiner puts them together.
// Where there are several packs, their cells stand behind one another in the order of their numbers. A signature is not verified.
func Readings(f *Frame) ([]telemetry.Reading, []string, error) {
	var j Joiner
	readings, issues, err := j.Add(f)
	if err != nil {
		return nil, nil, err
	}
	more, said := j.Flush()
	return append(readings, more...), append(issues, said...), nil
}

// ErrOtherVehicle is in the error for a frame of another vehicle than those before it.
var ErrOtherVehicle = errors.New("frame of another vehicle")

// DefaultHeld is how many times a Joiner holds unless told otherwise, and remembered how many it knows that it gave out.
const (
	DefaultHeld = 4
	remembered  = 64
)

// Joiner puts the frames of one vehicle together by their time, and cells by storage system and first cell. It gives out the readings of a
// time once a later time has begun and all cells are there, or once it holds more than Held times; in the order of their times, except
// for reissues of a time that lies before one given out already. A time that was given out once is not given out again: reissues
// duplicate. Nothing is kept for long: what a restart loses is what Flush would have given.
//
// The zero Joiner is ready to use. It is not safe for concurrent use.
type Joiner struct {
	// Held is the number of times held at most; 0 is DefaultHeld.
	Held  int
	id    ID
	begun bool
	held  []*moment // by time
	given []Time    // the last times given out
}

// Add takes a frame and gives out what is ready. Frames that are no reports are skipped.
func (j *Joiner) Add(f *Frame) ([]telemetry.Reading, []string, error) {
	if err := j.same(f); err != nil {
		return nil, nil, err
	}
	r, issue, err := reportIn(f)
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		return nil, issue, nil
	}
	if slices.Contains(j.given, r.Time) {
		return nil, []string{"report: of a time that was read already, left out"}, nil
	}
	j.moment(r.Time).add(f.Edition, r)
	readings, issues := j.ready()
	return readings, issues, nil
}

func (j *Joiner) same(f *Frame) error {
	if f.Command != RealTime && f.Command != Reissue || f.Reply != IsCommand {
		return nil
	}
	if j.begun && j.id != f.ID {
		return fmt.Errorf("joining frames: %w", ErrOtherVehicle)
	}
	j.id, j.begun = f.ID, true
	return nil
}

// reportIn is the report in a frame, or nil and why there is none.
func reportIn(f *Frame) (*Report, []string, error) {
	if f.Command != RealTime && f.Command != Reissue {
		return nil, nil, nil
	}
	if f.Reply != IsCommand {
		return nil, []string{"report: this is a reply to one, left out"}, nil
	}
	u, err := f.Unit()
	if err != nil {
		return nil, nil, fmt.Errorf("reading a report: %w", err)
	}
	switch u := u.(type) {
	case *Report:
		if _, err := u.Time.UTC(); err != nil {
			return nil, nil, fmt.Errorf("reading a report: %w", err)
		}
		return u, nil, nil
	case *Opaque:
		return nil, []string{"report: left out: " + u.Why}, nil
	}
	return nil, nil, nil
}

func (j *Joiner) moment(t Time) *moment {
	at, found := slices.BinarySearchFunc(j.held, t, func(m *moment, t Time) int { return slices.Compare(m.time[:], t[:]) })
	if !found {
		j.held = slices.Insert(j.held, at, &moment{time: t})
	}
	return j.held[at]
}

func (j *Joiner) ready() (readings []telemetry.Reading, issues []string) {
	limit := j.Held
	if limit <= 0 {
		limit = DefaultHeld
	}
	for len(j.held) > limit || len(j.held) > 1 && !j.held[0].incomplete() {
		readings, issues = j.give(readings, issues)
	}
	return readings, issues
}

// Flush gives out all that is held, complete or not.
func (j *Joiner) Flush() (readings []telemetry.Reading, issues []string) {
	if len(j.held) > 0 {
		readings = make([]telemetry.Reading, 0, len(j.held))
	}
	for len(j.held) > 0 {
		readings, issues = j.give(readings, issues)
	}
	return readings, issues
}

func (j *Joiner) give(readings []telemetry.Reading, issues []string) ([]telemetry.Reading, []string) {
	m := j.held[0]
	j.held = slices.Delete(j.held, 0, 1)
	if len(j.given) == remembered {
		j.given = slices.Delete(j.given, 0, 1)
	}
	j.given = append(j.given, m.time)
	if r, ok := m.finish(); ok {
		readings = append(readings, r)
	}
	return readings, append(issues, m.issues...)
}
