package gbt32960

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
)

const (
	// MaxUploadFrames is how many frames an upload may hold.
	MaxUploadFrames = 1024
	// maxExpansion is how many bytes of memory a byte of an upload may decode to. Everything but probes stays below it.
	maxExpansion = 10
	// maxIssues bounds the different issues of an upload.
	maxIssues = 64
)

// Upload reads one or more whole frames, one behind the other and nothing between them: what one vehicle sent, as its gateway hands it
// over. Reports of one time are put together wherever they stand; readings are in the order of their times, and unlike a Joiner's need
// nothing from the upload before. The frames of a battery of more than 200 cells therefore belong in one upload.
//
// What is decoded takes at most 10 times the memory of what was received, and a few kilobytes for issues: where probes alone would take
// more, since each is a byte in a frame and 16 in memory, only their extremes are given.
func Upload(b []byte) (*telemetry.Decoded, error) {
	j := Joiner{Held: MaxUploadFrames + 1}
	var d telemetry.Decoded
	room := maxExpansion * len(b)
	for n := 0; len(b) > 0; n++ {
		if n == MaxUploadFrames {
			return nil, fmt.Errorf("upload: more than %d frames", MaxUploadFrames)
		}
		f, rest, err := first(b)
		if err != nil {
			return nil, fmt.Errorf("upload, frame %d: %w", n+1, err)
		}
		issues, err := j.keep(f)
		if err != nil {
			return nil, fmt.Errorf("upload, frame %d: %w", n+1, err)
		}
		d.Issues, b = append(d.Issues, issues...), rest
	}
	readings, issues := j.Flush()
	if size(readings) > room {
		for i := range readings {
			readings[i].ProbesMilliC = nil
		}
		issues = append(issues, "probes: far more of them than of anything else, left out but for their extremes")
	}
	d.Readings, d.Issues = readings, counted(append(d.Issues, issues...))
	return &d, nil
}

// size is how much memory readings take.
func size(readings []telemetry.Reading) int {
	values := 0
	for i := range readings {
		values += cap(readings[i].CellsMicroV) + cap(readings[i].ProbesMilliC)
	}
	return cap(readings)*int(unsafe.Sizeof(telemetry.Reading{})) + values*int(unsafe.Sizeof(health.Measured{}))
}

// counted says each issue once, and how often it came: what is wrong with a vehicle is often wrong in every report.
func counted(issues []string) []string {
	var once []string
	times := make(map[string]int)
	for _, s := range issues {
		if times[s]++; times[s] == 1 {
			once = append(once, s)
		}
	}
	if more := len(once) - maxIssues; more > 0 {
		once = append(slices.Clone(once[:maxIssues]), fmt.Sprintf("%d other issues", more))
	}
	for i, s := range once {
		if times[s] > 1 {
			once[i] = fmt.Sprintf("%s (%d times)", s, times[s])
		}
	}
	return once
}

// keep is Add without giving anything out.
func (j *Joiner) keep(f *Frame) ([]string, error) {
	if err := j.same(f); err != nil {
		return nil, err
	}
	r, issues, err := reportIn(f)
	if r != nil {
		j.moment(r.Time).add(f.Edition, r)
	}
	return issues, err
}

// first is the frame at the start of b, and what follows it.
func first(b []byte) (*Frame, []byte, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, nil, err
	}
	n := min(len(b), HeaderSize+h.Length+1)
	f, err := Decode(b[:n])
	return f, b[n:], err
}
