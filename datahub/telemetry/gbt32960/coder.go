package gbt32960

import (
	"encoding/binary"
	"fmt"
)

// coder walks over a layout in one of two directions, so that reading and writing cannot drift apart. After the first error
// it does nothing more.
type coder struct {
	b       []byte // what is read, or what was written
	at      int    // reading: how far
	writing bool
	err     error
}

func (c *coder) left() int { return len(c.b) - c.at }

func (c *coder) fail(format string, a ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, a...)
	}
}

// take is the next n bytes, or nil.
func (c *coder) take(n int, what string) []byte {
	if c.err == nil && n > c.left() {
		c.fail("%s: needs %d bytes, %d are left", what, n, c.left())
	}
	if c.err != nil {
		return nil
	}
	c.at += n
	return c.b[c.at-n : c.at]
}

// fixed is a field whose length does not depend on anything.
func (c *coder) fixed(what string, p []byte) {
	switch {
	case c.err != nil:
	case c.writing:
		c.b = append(c.b, p...)
	default:
		copy(p, c.take(len(p), what))
	}
}

func (c *coder) u8(what string, v *uint8) {
	if c.writing {
		c.fixed(what, []byte{*v})
	} else if p := c.take(1, what); p != nil {
		*v = p[0]
	}
}

func (c *coder) u16(what string, v *uint16) {
	if c.writing {
		c.fixed(what, binary.BigEndian.AppendUint16(nil, *v))
	} else if p := c.take(2, what); p != nil {
		*v = binary.BigEndian.Uint16(p)
	}
}

func (c *coder) u32(what string, v *uint32) {
	if c.writing {
		c.fixed(what, binary.BigEndian.AppendUint32(nil, *v))
	} else if p := c.take(4, what); p != nil {
		*v = binary.BigEndian.Uint32(p)
	}
}

// counted is a length of two bytes and as many bytes.
func (c *coder) counted(what string, p *[]byte) {
	n := uint16(min(len(*p), 1<<16-1))
	if c.writing && len(*p) > MaxUnit {
		c.fail("%s: has %d bytes, at most %d", what, len(*p), MaxUnit)
	}
	c.u16(what+" length", &n)
	if c.writing {
		c.fixed(what, *p)
	} else if q := c.take(int(n), what); len(q) > 0 {
		*p = append([]byte(nil), q...)
	}
}

// Absent says that instead of a number of entries a count held one of the two codes. There are no entries then.
type Absent uint8

// What a count says.
const (
	Present Absent = iota
	CountAbnormal
	CountInvalid
)

// count is a count of one or two bytes. Entries of which each needs least bytes have to fit into what is left.
func (c *coder) count(what string, width, least int, absent *Absent, n int) int {
	top := 1<<(8*width) - 1 // all ones
	if c.writing {
		c.writeCount(what, width, top, *absent, n)
		return n
	}
	n = 0
	for _, v := range c.take(width, what+" count") {
		n = n<<8 | int(v)
	}
	switch {
	case c.err != nil:
		return 0
	case n == top:
		*absent = CountInvalid
		return 0
	case n == top-1:
		*absent = CountAbnormal
		return 0
	case n*least > c.left():
		c.fail("%s: %d entries need %d bytes, %d are left", what, n, n*least, c.left())
		return 0
	}
	return n
}

func (c *coder) writeCount(what string, width, top int, absent Absent, n int) {
	raw := n
	switch {
	case absent > CountInvalid || absent != Present && n > 0:
		c.fail("%s: has %d entries and is stated to be absent", what, n)
	case absent == CountInvalid:
		raw = top
	case absent == CountAbnormal:
		raw = top - 1
	case n > top-2:
		c.fail("%s: has %d entries, at most %d", what, n, top-2)
	}
	if width == 2 {
		v := uint16(raw)
		c.u16(what, &v)
	} else {
		v := uint8(raw)
		c.u8(what, &v)
	}
}

// list is a count and as many entries of at least least bytes.
func list[T any](c *coder, what string, width, least int, absent *Absent, items *[]T, each func(*T)) {
	n := c.count(what, width, least, absent, len(*items))
	if !c.writing && n > 0 {
		*items = make([]T, n)
	}
	for i := range *items {
		if c.err != nil {
			return
		}
		each(&(*items)[i])
	}
}

func (c *coder) list8(what string, width int, absent *Absent, items *[]uint8) {
	list(c, what, width, 1, absent, items, func(v *uint8) { c.u8(what, v) })
}

func (c *coder) list16(what string, width int, absent *Absent, items *[]uint16) {
	list(c, what, width, 2, absent, items, func(v *uint16) { c.u16(what, v) })
}

func (c *coder) list32(what string, absent *Absent, items *[]uint32) {
	list(c, what, 1, 4, absent, items, func(v *uint32) { c.u32(what, v) })
}
