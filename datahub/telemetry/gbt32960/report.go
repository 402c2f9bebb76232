package gbt32960

import "fmt"

// Report is the unit of commands RealTime and Reissue: what a vehicle says of one moment.
type Report struct {
	Time Time
	// Blocks are in the order in which they came. The same type may come twice.
	Blocks []Block
	// Signature closes a report of the edition of 2025. Nil where there is none.
	Signature *Signature
	// Rest is what could not be read, from the type byte of the first block that could not, and Unread says why. A report with a Rest
	// has no Signature: where it would start is not known.
	Rest   []byte
	Unread string
}

// Block is a part of a report: *Vehicle, *Motors, *FuelCell, *Hydrogen, *Stacks, *Engine, *Position, *Extremes, *Alarms, *CellVoltages,
// *ParallelUnits, *Temperatures, *Supercapacitor, *SupercapacitorExtremes or *Private.
type Block interface {
	// Type is the byte that introduces the block in an edition, and 0 where the edition has no such block.
	Type(e Edition) byte
	code(c *coder, e Edition)
}

const signatureMark = 0xFF

// blockOf dispatches on the edition first: 06, 07 and 08 changed their meaning between them.
func blockOf(e Edition, kind byte) Block {
	if kind >= 0x80 && kind < signatureMark {
		return &Private{Kind: kind}
	}
	if e == Edition2016 {
		return blockOf2016(kind)
	}
	switch kind {
	case 0x01:
		return &Vehicle{}
	case 0x02:
		return &Motors{}
	case 0x03:
		return &Hydrogen{}
	case 0x04:
		return &Engine{}
	case 0x05:
		return &Position{}
	case 0x06:
		return &Alarms{}
	case 0x07:
		return &ParallelUnits{}
	case 0x08:
		return &Temperatures{}
	case 0x30:
		return &Stacks{}
	case 0x31:
		return &Supercapacitor{}
	case 0x32:
		return &SupercapacitorExtremes{}
	}
	return nil
}

func blockOf2016(kind byte) Block {
	switch kind {
	case 0x01:
		return &Vehicle{}
	case 0x02:
		return &Motors{}
	case 0x03:
		return &FuelCell{}
	case 0x04:
		return &Engine{}
	case 0x05:
		return &Position{}
	case 0x06:
		return &Extremes{}
	case 0x07:
		return &Alarms{}
	case 0x08:
		return &CellVoltages{}
	case 0x09:
		return &Temperatures{}
	}
	return nil
}

func (r *Report) code(c *coder, e Edition) {
	c.fixed("report time", r.Time[:])
	if c.writing {
		r.write(c, e)
		return
	}
	for c.err == nil && c.left() > 0 {
		start := c.at
		if err := r.readBlock(c, e); err != nil {
			r.Rest = append([]byte(nil), c.b[start:]...)
			r.Unread = err.Error()
			c.at = len(c.b)
		}
	}
}

// readBlock reads a block or the signature. Its error does not fail the report.
func (r *Report) readBlock(c *coder, e Edition) error {
	kind := c.b[c.at]
	part := &coder{b: c.b, at: c.at + 1}
	if e == Edition2025 && kind == signatureMark {
		s := new(Signature)
		s.covers(c.b[:c.at])
		s.code(part)
		if part.left() > 0 {
			part.fail("signature: %d bytes behind its end", part.left())
		}
		if part.err == nil {
			r.Signature, c.at = s, part.at
		}
		return part.err
	}
	b := blockOf(e, kind)
	if b == nil {
		return fmt.Errorf("block %02X: %s does not state its length", kind, e)
	}
	b.code(part, e)
	if part.err != nil {
		return fmt.Errorf("block %02X: %w", kind, part.err)
	}
	r.Blocks, c.at = append(r.Blocks, b), part.at
	return nil
}

func (r *Report) write(c *coder, e Edition) {
	for _, b := range r.Blocks {
		kind := b.Type(e)
		if kind == 0 {
			c.fail("report: %s has no block %T", e, b)
			return
		}
		c.u8("block type", &kind)
		b.code(c, e)
	}
	switch {
	case len(r.Rest) > 0 && r.Signature != nil:
		c.fail("report: cannot have a signature and a part that is not read")
	case r.Signature != nil && e != Edition2025:
		c.fail("report: %s has no signatures", e)
	case r.Signature != nil:
		mark := uint8(signatureMark)
		c.u8("signature mark", &mark)
		r.Signature.code(c)
	}
	c.fixed("rest", r.Rest)
}

// trusted is the number of blocks that were surely read as they were meant. A private block without the length that it should have
// swallows what follows it and makes other blocks out of its content; what gives that away is a report that does not come
// to its end.
func (r *Report) trusted() int {
	if r.Rest == nil {
		return len(r.Blocks)
	}
	for i, b := range r.Blocks {
		if _, private := b.(*Private); private {
			return i
		}
	}
	return len(r.Blocks)
}

// Private is a block whose meaning its maker keeps: Kind is 80 to FE.
type Private struct {
	Kind  uint8
	Bytes []byte
}

// Type is the private block's own.
func (p *Private) Type(Edition) byte {
	if p.Kind < 0x80 || p.Kind == signatureMark {
		return 0
	}
	return p.Kind
}

func (p *Private) code(c *coder, _ Edition) { c.counted("private block", &p.Bytes) }
