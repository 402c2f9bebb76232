package zk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"

	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// chunkWitness is the native twin of [ChunkCircuit]: the same values, computed
// directly.
type chunkWitness struct {
	digest, challenge, evaluation, fingerprint, output fr.Element

	x, r        []fr.Element
	mask        [2]fr.Element
	linkBlind   fr.Element
	parameters  []fr.Element
	lookupBlind fr.Element
	limbs       []uint16
	limbUses    []uint32
	rows        []big.Int
	salt        fr.Element
}

// newChunkWitness fills in everything that does not depend on a challenge.
// Every blinding value is drawn afresh here, for one attempt at one proof.
func newChunkWitness(records []record.Record, r []fr.Element, p *statement.Parameters) (*chunkWitness, statement.Totals, error) {
	n := len(records)
	w := &chunkWitness{
		x: make([]fr.Element, n), r: r,
		parameters: p.Vector(),
		limbs:      make([]uint16, n*slotLimbs),
		limbUses:   make([]uint32, tableSize),
		rows:       make([]big.Int, tableRows*rowSums),
	}
	for s, rec := range records {
		w.x[s] = rec.Pack()
		if err := w.slot(s, rec, p); err != nil {
			return nil, statement.Totals{}, fmt.Errorf("slot %d: %w", s, err)
		}
	}
	for _, l := range w.limbs {
		w.limbUses[l]++
	}
	totals := p.Sum(records)
	for _, v := range []*fr.Element{&w.mask[0], &w.mask[1], &w.linkBlind, &w.lookupBlind, &w.salt} {
		if err := random(v); err != nil {
			return nil, statement.Totals{}, err
		}
	}
	o := verify.NewOutput(totals, w.salt)
	w.output = o.Commit(verify.ChunkOutput)
	return w, totals, nil
}

// random draws a uniform scalar: 48 bytes leave a bias below 2^-128.
func random(v *fr.Element) error {
	var b [48]byte
	if _, err := rand.Read(b[:]); err != nil {
		return fmt.Errorf("drawing randomness: %w", err)
	}
	v.SetBytes(b[:])
	clear(b[:])
	return nil
}

// box is the pair of corners of a row.
type box struct {
	row          int
	lower, upper [record.Lanes]uint32
}

// boxOf picks the row that a record uses.
func boxOf(rec record.Record, p *statement.Parameters) (box, error) {
	if rec == (record.Record{}) {
		return box{row: absentRow}, nil
	}
	if rec[0] != 1 {
		return box{}, errors.New("presence is neither 0 nor 1")
	}
	var b box
	for i := 1; i < record.Lanes; i++ {
		if rec[i] > maxLane(i) {
			return box{}, fmt.Errorf("lane %d exceeds %d, the most that can be proven about", i, maxLane(i))
		}
		b.upper[i] = maxLane(i)
	}
	for i := 1; i < record.Lanes; i++ {
		if rec[i] > p.Bounds.Hi[i] {
			b.row, b.lower[i] = aboveRow+i-1, p.Bounds.Hi[i]+1
			return b, nil
		}
		if rec[i] < p.Bounds.Lo[i] {
			b.row, b.upper[i] = belowRow+i-1, p.Bounds.Lo[i]-1
			return b, nil
		}
	}
	b.lower, b.upper = p.Bounds.Lo, p.Bounds.Hi
	var index [statement.MaxCurves]int
	for c, lane := range p.Lanes {
		index[c] = p.SegmentIndex(c, rec[lane])
		seg := &p.Segments[c][index[c]]
		b.lower[lane], b.upper[lane] = seg.Start, seg.End
	}
	b.row = boxRow(0, index[0], index[1])
	return b, nil
}

// slot writes a slot's limbs and adds it to its row's sums.
func (w *chunkWitness) slot(s int, rec record.Record, p *statement.Parameters) error {
	b, err := boxOf(rec, p)
	if err != nil {
		return err
	}
	limbs := w.limbs[s*slotLimbs:][:slotLimbs]
	var pick [statement.MaxCurves]uint32
	var packed [2]big.Int
	for i := 1; i < record.Lanes; i++ {
		at, k := laneStart(i), laneLimbs(i)
		writeLimbs(limbs[atUpper+at:][:k], b.upper[i]-rec[i])
		offset := rec[i] - b.lower[i]
		if c := curveOf(p, i); c >= 0 {
			pick[c] = offset
			writeLimbs(limbs[atPick+c*pickLimbs:][:pickLimbs], offset)
			continue
		}
		writeLimbs(limbs[atLower+at:][:k], offset)
		half, shift := 0, i-1
		if i > verify.FirstSums {
			half, shift = 1, i-1-verify.FirstSums
		}
		v := new(big.Int).SetUint64(uint64(offset))
		packed[half].Add(&packed[half], v.Lsh(v, uint(statement.SumBits*shift)))
	}
	product := new(big.Int).Mul(big.NewInt(int64(pick[0])), big.NewInt(int64(pick[1])))
	for k, v := range [rowSums]*big.Int{
		rowCount: big.NewInt(1),
		rowPick0: big.NewInt(int64(pick[0])), rowPick1: big.NewInt(int64(pick[1])),
		rowProduct: product, rowFirst: &packed[0], rowSecond: &packed[1],
	} {
		sum := &w.rows[b.row*rowSums+k]
		sum.Add(sum, v)
	}
	return nil
}

func curveOf(p *statement.Parameters, lane int) int {
	for c, l := range p.Lanes {
		if l == lane {
			return c
		}
	}
	return -1
}

func writeLimbs(limbs []uint16, v uint32) {
	for i := range limbs {
		limbs[i] = uint16(v & (tableSize - 1))
		v >>= limbBits
	}
}

// linked lists the values that the link commitment covers, in wire order; the
// builder appends its own mask to them.
func (w *chunkWitness) linked() []fr.Element {
	v := w.polynomial()
	v = append(v, w.linkBlind)
	return append(v, w.parameters...)
}

// polynomial lists the coefficients of the masked chunk: x, r, and the mask.
func (w *chunkWitness) polynomial() []fr.Element {
	v := make([]fr.Element, 0, 2*len(w.x)+3+len(w.parameters)+1)
	v = append(v, w.x...)
	v = append(v, w.r...)
	return append(v, w.mask[0], w.mask[1])
}

// full lays the witness out as the circuit's fields are declared.
func (w *chunkWitness) full() (witness.Witness, error) {
	public := []fr.Element{w.digest, w.challenge, w.evaluation, w.fingerprint, w.output}
	secret := append(w.linked(), w.lookupBlind)
	secret = append(secret, small(w.limbs)...)
	secret = append(secret, small(w.limbUses)...)
	for i := range w.rows {
		var e fr.Element
		secret = append(secret, *e.SetBigInt(&w.rows[i]))
	}
	return vector(public, append(secret, w.salt))
}

func small[T uint16 | uint32](v []T) []fr.Element {
	out := make([]fr.Element, len(v))
	for i := range v {
		out[i].SetUint64(uint64(v[i]))
	}
	return out
}

func vector(public, secret []fr.Element) (witness.Witness, error) {
	w, err := witness.New(ecc.BN254.ScalarField())
	if err != nil {
		return nil, err
	}
	values := make(chan any, len(public)+len(secret))
	for _, v := range public {
		values <- v
	}
	for _, v := range secret {
		values <- v
	}
	close(values)
	if err := w.Fill(len(public), len(secret), values); err != nil {
		return nil, fmt.Errorf("laying out the witness: %w", err)
	}
	return w, nil
}
