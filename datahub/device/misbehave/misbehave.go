// Package misbehave makes simulated devices do what a node has to cope with: what breaks, what attackers try, and what a copied key
// leads to. Beside it each device goes on sending its readings as it should, so that a node that drops too much is noticed too.
package misbehave

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// Kind is one way to misbehave.
type Kind string

// The kinds.
const (
	Replay         Kind = "replay"          // sends frames again that were sent long ago
	Clone          Kind = "clone"           // sends other content under a sequence that is used, as a copy of the device would
	Oversize       Kind = "oversize"        // sends more bytes than a frame may have
	Truncated      Kind = "truncated"       // sends half a frame
	WrongSignature Kind = "wrong-signature" // sends frames whose signature is not the device's
	BadClock       Kind = "bad-clock"       // sends readings that are ten years old
	Flood          Kind = "flood"           // sends each frame a hundred times
	Garbage        Kind = "garbage"         // sends random bytes
	ForeignTopic   Kind = "foreign-topic"   // sends in another device's name
)

// Kinds lists all of them.
var Kinds = []Kind{Replay, Clone, Oversize, Truncated, WrongSignature, BadClock, Flood, Garbage, ForeignTopic}

// Parse reads a list separated by commas; "all" is all of them.
func Parse(list string) ([]Kind, error) {
	if list == "" {
		return nil, nil
	}
	if list == "all" {
		return slices.Clone(Kinds), nil
	}
	var out []Kind
	for _, name := range strings.Split(list, ",") {
		k := Kind(strings.TrimSpace(name))
		if !slices.Contains(Kinds, k) {
			return nil, fmt.Errorf("%q is no way to misbehave, known are %v and all", name, Kinds)
		}
		out = append(out, k)
	}
	return out, nil
}

const (
	every      = 3  // a device misbehaves after every third frame
	seldom     = 20 // what costs the connection, after every twentieth
	remembered = 16
	floods     = 100
	tenYears   = 10 * 365 * 24 * time.Hour
)

// Sent is a frame that a device has just sent: agent.Sent.
type Sent interface {
	Device() commit.DeviceID
	Wire() []byte
	Frame() (*frame.Frame, error)
	Sign(*frame.Frame) error
	Seal(*frame.Frame) []byte
	Publish(as commit.DeviceID, b []byte) error
}

// Device is one device's way to misbehave. It is used by one agent.
type Device struct {
	kind   Kind
	frames int
	before [][]byte
	did    func(Kind)
}

// New makes a device misbehave. did is told about every message that was sent wrongly.
func New(kind Kind, did func(Kind)) *Device { return &Device{kind: kind, did: did} }

// Shift is by how much the times of the next frame's readings are wrong.
func (d *Device) Shift() time.Duration {
	if d.kind != BadClock {
		return 0
	}
	if d.frames++; d.frames%every != 0 {
		return 0
	}
	d.did(d.kind)
	return -tenYears
}

// Meddle is for agent.Options, after each frame.
func (d *Device) Meddle(s Sent) {
	if d.kind == BadClock {
		return
	}
	d.frames++
	often := every
	if d.kind == ForeignTopic || d.kind == Flood || d.kind == Oversize {
		often = seldom
	}
	if d.kind == Replay {
		if d.before = append(d.before, s.Wire()); len(d.before) > remembered {
			d.before = d.before[1:]
		}
	}
	if d.frames%often != 0 {
		return
	}
	for _, m := range d.messages(s) {
		if s.Publish(m.as, m.bytes) != nil {
			return // the connection is gone, and the agent makes another
		}
		d.did(d.kind)
	}
}

type message struct {
	as    commit.DeviceID
	bytes []byte
}

func (d *Device) messages(s Sent) []message {
	as := s.Device()
	switch d.kind {
	case Replay:
		return []message{{as, d.before[0]}}
	case Oversize:
		return []message{{as, random(frame.MaxFrame + 1)}}
	case Truncated:
		return []message{{as, s.Wire()[:len(s.Wire())/2]}}
	case Garbage:
		return []message{{as, random(300)}}
	case Flood:
		return slices.Repeat([]message{{as, s.Wire()}}, floods)
	case ForeignTopic:
		as[0] ^= 1
		return []message{{as, s.Wire()}}
	}
	f, err := s.Frame()
	if err != nil {
		return nil
	}
	if d.kind == WrongSignature {
		f.Signature[0] ^= 1
		return []message{{as, s.Seal(f)}}
	}
	// A clone says the same as far as one can see, at another time.
	f.SentMicros++
	if s.Sign(f) != nil {
		return nil
	}
	return []message{{as, s.Seal(f)}}
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) //nolint:errcheck // crypto/rand.Read never fails: it ends the process instead
	return b
}
