// Package record defines what a device says about itself in one epoch: eight small integers, called lanes, and the
// schemas that give seven of them a name, a unit and bounds.
//
// Lane 0 is presence: 1 when the device reported, 0 in a slot that nobody reported for, and then every other lane is 0
// too. A Record is packed into one element of the BN254 scalar field, 31 bits a lane, and that element is what a device
// commits to.
//
// The package promises that
//   - Pack and Unpack are inverse to one another on every record whose lanes are below 2^31, and Unpack refuses every field
//     element that is not such a packing;
//   - Format and Parse move between stored integers and decimal text in the lane's physical unit without rounding. No
//     floating-point number is involved anywhere;
//   - Schema.Check accepts exactly the records whose presence is 1 and whose lanes lie within the schema's bounds.
//
// It does not say whether a record is true, and Pack does not look at a schema: check a record before it is committed to,
// because one record that is out of bounds makes its whole chunk unprovable.
package record

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

const (
	// Lanes is the number of integers in a record. Lane 0 is presence.
	Lanes = 8
	// LaneBits is the stride of the packing: lane i occupies bits 31·i to 31·i+30 of the packed element.
	LaneBits = 31
	// Presence is the index of the presence lane.
	Presence = 0
)

// Capacity gives each lane its size: Capacity[i] is the number of bits that a circuit range-checks for lane i. A schema's Max is below 1<<Capacity[i].
var Capacity = [Lanes]uint{1, 30, 20, 30, 20, 30, 20, 20}

// Record holds the lanes in stored units. Record[0] is 1 when the device reported; the zero Record is an absent slot.
type Record [Lanes]uint32

// Absent reports whether r is the record of a slot that nobody reported for.
func (r Record) Absent() bool { return r == Record{} }

// Fits returns an error naming the first lane that is too large for its place in the packing. Beyond that size a lane
// would spill into its neighbour, and two records would have one packing.
func (r Record) Fits() error {
	for i, v := range r {
		if v >= 1<<LaneBits {
			return fmt.Errorf("lane %d: %d does not fit %d bits", i, v, LaneBits)
		}
	}
	return nil
}

// Pack returns Σ lane_i·2^(31·i). The result stands for r alone only if r.Fits() is nil.
func (r Record) Pack() fr.Element {
	var x, shift fr.Element
	shift.SetUint64(1 << LaneBits)
	for i := Lanes - 1; i >= 0; i-- {
		var lane fr.Element
		lane.SetUint64(uint64(r[i]))
		x.Mul(&x, &shift)
		x.Add(&x, &lane)
	}
	return x
}

var errNotPacked = errors.New("field element is not a packed record: it has more than 248 bits")

// Unpack is the inverse of Pack. It refuses every element that is not the packing of a record whose lanes are below
// 2^31. The lanes it returns are not checked against any schema.
func Unpack(x fr.Element) (Record, error) {
	words := x.Bits() // little-endian, out of Montgomery form
	if words[3]>>(Lanes*LaneBits-192) != 0 {
		return Record{}, errNotPacked
	}
	var r Record
	for i := range r {
		bit := uint(i * LaneBits)
		v := words[bit/64] >> (bit % 64)
		if bit%64 > 64-LaneBits {
			v |= words[bit/64+1] << (64 - bit%64)
		}
		r[i] = uint32(v & (1<<LaneBits - 1))
	}
	return r, nil
}
