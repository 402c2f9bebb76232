package gbt32960

import "fmt"

// Unit is what a frame carries: *Empty, *Login, *Logout, *PlatformLogin, *Report, *Activation, *ActivationReply, *KeyExchange,
// *Acknowledgement or *Opaque.
type Unit interface {
	code(c *coder, e Edition)
}

// Empty is the unit of a heartbeat and of a clock request.
type Empty struct{}

func (*Empty) code(*coder, Edition) {}

// Acknowledgement is the unit of a reply that keeps only the time. The reply to a clock request has the platform's.
type Acknowledgement struct{ Time Time }

func (a *Acknowledgement) code(c *coder, _ Edition) { c.fixed("time", a.Time[:]) }

// Opaque is a unit that was not read: Why says why.
type Opaque struct {
	Bytes []byte
	Why   string
}

func (o *Opaque) code(c *coder, _ Edition) { c.fixed("unit", o.Bytes) }

// Unit reads what is inside a frame. A unit that is encrypted, or of a command that is not known here, is an *Opaque and no error. A
// reply may hold the time alone or echo the whole command: both are read. What is no such echo is an *Opaque too.
func (f *Frame) Unit() (Unit, error) {
	if f.Encryption != Plain {
		return f.opaque("the unit is encrypted: " + f.Encryption.String()), nil
	}
	if f.Reply == IsCommand || f.Edition == Edition2025 && f.Command == ActivationResult {
		return f.read()
	}
	switch len(f.Data) {
	case 0:
		return &Empty{}, nil
	case len(Time{}):
		return &Acknowledgement{Time(f.Data)}, nil
	}
	if u, err := f.read(); err == nil {
		return u, nil
	}
	return f.opaque("a reply that holds neither the time alone nor what it answers"), nil
}

func (f *Frame) opaque(why string) *Opaque {
	return &Opaque{append([]byte(nil), f.Data...), why}
}

func (f *Frame) read() (Unit, error) {
	u := unitOf(f.Edition, f.Command)
	if u == nil {
		return f.opaque(fmt.Sprintf("%s does not say what a unit of command %02X holds", f.Edition, uint8(f.Command))), nil
	}
	c := &coder{b: f.Data}
	u.code(c, f.Edition)
	if c.left() > 0 {
		c.fail("unit: %d bytes behind its end", c.left())
	}
	if c.err != nil {
		return nil, fmt.Errorf("reading the unit of command %02X: %w", uint8(f.Command), c.err)
	}
	return u, nil
}

func unitOf(e Edition, command Command) Unit {
	switch command {
	case VehicleLogin:
		return &Login{}
	case RealTime, Reissue:
		return &Report{}
	case VehicleLogout, PlatformSignOut:
		return &Logout{}
	case PlatformSignIn:
		return &PlatformLogin{}
	case Heartbeat, ClockRequest:
		return &Empty{}
	}
	if e != Edition2025 {
		return nil
	}
	switch command {
	case ActivationAsked:
		return &Activation{}
	case ActivationResult:
		return &ActivationReply{}
	case KeyExchanged:
		return &KeyExchange{}
	}
	return nil
}

// EncodeUnit is a unit as bytes, in the clear.
func EncodeUnit(e Edition, u Unit) ([]byte, error) {
	c := &coder{writing: true, b: []byte{}}
	if !e.known() {
		return nil, fmt.Errorf("unit: edition %02X is not known", uint8(e))
	}
	u.code(c, e)
	if c.err == nil && len(c.b) > MaxUnit {
		c.fail("unit: has %d bytes, at most %d", len(c.b), MaxUnit)
	}
	if c.err != nil {
		return nil, fmt.Errorf("writing a unit: %w", c.err)
	}
	return c.b, nil
}
