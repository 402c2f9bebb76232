package gbt32960

// Position is block 05: where the vehicle is.
type Position struct {
	// State has bit 0 set where there is no fix and the last position is repeated, bit 1 for south, bit 2 for west.
	State uint8
	// Datum is 1 WGS84, 2 GCJ-02, 3 other, in the edition of 2025 only.
	Datum               uint8
	Longitude, Latitude uint32
}

// Type is 05.
func (*Position) Type(Edition) byte { return 0x05 }

func (p *Position) code(c *coder, e Edition) {
	c.u8("position state", &p.State)
	if e == Edition2025 {
		c.u8("coordinate system", &p.Datum)
	} else if c.writing && p.Datum != 0 {
		c.fail("position: %s has no coordinate system", e)
	}
	c.u32("longitude", &p.Longitude)
	c.u32("latitude", &p.Latitude)
}

var (
	longitude = quantity{width: 4, bare: true, high: 180_000_000, scale: 1} // µ°
	latitude  = quantity{width: 4, bare: true, high: 90_000_000, scale: 1}
)

// Fixed says that the position is of now.
func (p *Position) Fixed() bool { return p.State&1 == 0 }

// LongitudeMicroDegrees is positive to the east.
func (p *Position) LongitudeMicroDegrees() Value {
	return turned(longitude.of(p.Longitude), p.State&4 != 0)
}

// LatitudeMicroDegrees is positive to the north.
func (p *Position) LatitudeMicroDegrees() Value {
	return turned(latitude.of(p.Latitude), p.State&2 != 0)
}

func turned(v Value, negative bool) Value {
	if negative {
		v.Amount = -v.Amount
	}
	return v
}
