package gbt32960

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

const (
	// HeaderSize is the length of a header, MaxUnit the longest data unit, MaxFrame the longest frame.
	HeaderSize = 24
	MaxUnit    = 65531
	MaxFrame   = HeaderSize + MaxUnit + 1
)

// ID is the identity in a frame: a vehicle's VIN, or a platform's own id, padded with NUL. It is kept as it came.
type ID [17]byte

// NewID is the padded form of a VIN or of a platform's id: 1 to 17 printable ASCII characters.
func NewID(s string) (ID, error) {
	var id ID
	if len(s) == 0 || len(s) > len(id) {
		return id, fmt.Errorf("identity: has %d characters, needs 1 to %d", len(s), len(id))
	}
	if !printable(s) {
		return id, fmt.Errorf("identity: must be printable ASCII")
	}
	copy(id[:], s)
	return id, nil
}

func printable(s string) bool {
	for _, r := range s {
		if r < 0x20 || r > 0x7E {
			return false
		}
	}
	return true
}

// Text is the identity without its padding.
func (id ID) Text() string { return string(bytes.TrimRight(id[:], "\x00")) }

// Header is what stands before the data unit.
type Header struct {
	Edition    Edition
	Command    Command
	Reply      Reply
	ID         ID
	Encryption Encryption
	// Length is the length of the data unit in bytes.
	Length int
}

// ParseHeader reads the header at the start of b, which may go on behind it. It refuses start bytes, replies, encryptions and
// lengths that the edition does not have. Any command is accepted.
func ParseHeader(b []byte) (Header, error) {
	if len(b) < HeaderSize {
		return Header{}, fmt.Errorf("header: needs %d bytes, has %d", HeaderSize, len(b))
	}
	h := Header{
		Edition: Edition(b[0]), Command: Command(b[2]), Reply: Reply(b[3]), ID: ID(b[4:21]),
		Encryption: Encryption(b[21]), Length: int(binary.BigEndian.Uint16(b[22:])),
	}
	if b[1] != b[0] {
		return Header{}, fmt.Errorf("header: start bytes %02X %02X, need 23 23 or 24 24", b[0], b[1])
	}
	return h, h.check()
}

func (h Header) check() error {
	switch {
	case !h.Edition.known():
		return fmt.Errorf("header: start bytes %02X %02X, need 23 23 or 24 24", uint8(h.Edition), uint8(h.Edition))
	case !h.Reply.in(h.Edition):
		return fmt.Errorf("header: reply %02X is not one of %s", uint8(h.Reply), h.Edition)
	case !h.Encryption.in(h.Edition):
		return fmt.Errorf("header: encryption %02X is not one of %s", uint8(h.Encryption), h.Edition)
	case h.Length < 0 || h.Length > MaxUnit:
		return fmt.Errorf("header: data unit of %d bytes, at most %d", h.Length, MaxUnit)
	}
	return nil
}

// Frame is one frame. Data is the data unit as it came: ciphertext where Encryption is not Plain.
type Frame struct {
	Edition    Edition
	Command    Command
	Reply      Reply
	ID         ID
	Encryption Encryption
	Data       []byte
}

// NewFrame is a frame with a unit that is not encrypted.
func NewFrame(e Edition, command Command, reply Reply, id ID, u Unit) (*Frame, error) {
	data, err := EncodeUnit(e, u)
	if err != nil {
		return nil, err
	}
	f := &Frame{Edition: e, Command: command, Reply: reply, ID: id, Encryption: Plain, Data: data}
	return f, f.header().check()
}

func (f *Frame) header() Header {
	return Header{f.Edition, f.Command, f.Reply, f.ID, f.Encryption, len(f.Data)}
}

// Decode reads b, which is one whole frame and nothing else.
func Decode(b []byte) (*Frame, error) {
	h, err := ParseHeader(b)
	if err != nil {
		return nil, err
	}
	if want := HeaderSize + h.Length + 1; len(b) != want {
		return nil, fmt.Errorf("frame: header states %d bytes, has %d", want, len(b))
	}
	if xor(b[2:]) != 0 {
		return nil, fmt.Errorf("frame: check byte is wrong")
	}
	return frameOf(h, b), nil
}

// frameOf copies, so that a frame outlives the buffer it was read in.
func frameOf(h Header, b []byte) *Frame {
	data := append([]byte{}, b[HeaderSize:HeaderSize+h.Length]...)
	return &Frame{h.Edition, h.Command, h.Reply, h.ID, h.Encryption, data}
}

// xor over a frame from byte 2 with its check byte is 0.
func xor(b []byte) byte {
	var x byte
	for _, v := range b {
		x ^= v
	}
	return x
}

// Encode is the frame as bytes.
func (f *Frame) Encode() ([]byte, error) {
	if err := f.header().check(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, HeaderSize+len(f.Data)+1)
	b = append(b, byte(f.Edition), byte(f.Edition), byte(f.Command), byte(f.Reply))
	b = append(b, f.ID[:]...)
	b = append(b, byte(f.Encryption))
	b = binary.BigEndian.AppendUint16(b, uint16(len(f.Data)))
	b = append(b, f.Data...)
	return append(b, xor(b[2:])), nil
}

// String names no identity and no value.
func (f *Frame) String() string {
	return fmt.Sprintf("%s command %02X reply %02X, %s, %d bytes", f.Edition, uint8(f.Command), uint8(f.Reply), f.Encryption, len(f.Data))
}

// Answer is the reply to a command, as platforms give it: the header with the reply's code and the time alone. A clock request and a
// heartbeat have no time of their own: now is sent for a clock request, nothing for a heartbeat.
func (f *Frame) Answer(reply Reply, now Time) (*Frame, error) {
	if f.Reply != IsCommand || reply == IsCommand {
		return nil, fmt.Errorf("answer: needs a command to answer and a reply to give")
	}
	a := &Frame{Edition: f.Edition, Command: f.Command, Reply: reply, ID: f.ID, Encryption: Plain, Data: []byte{}}
	switch {
	case f.Command == ClockRequest:
		a.Data = append(a.Data, now[:]...)
	case f.Encryption == Plain && len(f.Data) >= len(now):
		a.Data = append(a.Data, f.Data[:len(now)]...)
	}
	return a, a.header().check()
}
