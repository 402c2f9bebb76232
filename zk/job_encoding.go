package zk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

// Encodings of a chunk's job and of what comes back. Numbers are big-endian, points
// compressed, scalars reduced; every value has one encoding.
//
//	job     version, ledger, SRS, commitment, chunk, size, statement's length,
//	        statement, then each slot's lanes, then each slot's blinding scalar
//	result  version, chunk proof, population, count, lane sums, exact value, salt
const (
	jobVersion    = 1
	resultVersion = 1

	jobHead   = 1 + 32 + 32 + commit.PointBytes + 4 + 4 + 4
	slotBytes = 4*record.Lanes + commit.ScalarBytes
	// MaxChunkJobBytes bounds an encoded job: the largest chunk about the longest statement.
	MaxChunkJobBytes = jobHead + statement.MaxBytes + commit.MaxSize*slotBytes

	exactBytes = (statement.ExactBits + 7) / 8
	// ChunkResultBytes is the length of every encoded result.
	ChunkResultBytes = 1 + verify.ChunkProofBytes + 8*(2+record.Lanes-1) + exactBytes + commit.ScalarBytes
)

// Marshal encodes the job. It is in the clear: seal it before it leaves the process.
func (j *ChunkJob) Marshal() ([]byte, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	s := j.Statement.Canonical()
	b := make([]byte, 0, jobHead+len(s)+int(j.Place.Size)*slotBytes)
	point := j.Commitment.Bytes()
	b = append(b, jobVersion)
	b = append(b, j.Place.Ledger[:]...)
	b = append(b, j.Place.SRS[:]...)
	b = append(b, point[:]...)
	b = binary.BigEndian.AppendUint32(b, j.Place.Chunk)
	b = binary.BigEndian.AppendUint32(b, j.Place.Size)
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	b = append(b, s...)
	for slot, rec := range j.Chunk.Records {
		if err := checkSlotRecord(slot, rec); err != nil {
			return nil, err
		}
		for _, lane := range rec {
			b = binary.BigEndian.AppendUint32(b, lane)
		}
	}
	for i := range j.Chunk.R {
		r := j.Chunk.R[i].Bytes()
		b = append(b, r[:]...)
	}
	return b, nil
}

// checkSlotRecord names the slot and shows nothing of the record.
func checkSlotRecord(slot int, rec record.Record) error {
	if rec.Fits() != nil {
		return fmt.Errorf("chunk job: slot %d: a lane does not fit %d bits", slot, record.LaneBits)
	}
	if rec[record.Presence] != 1 && !rec.Absent() {
		return fmt.Errorf("chunk job: slot %d: neither a record nor empty", slot)
	}
	return nil
}

// ParseChunkJob reads a job. Lengths are checked before anything is decoded; the
// place follows from the statement, so that the two never contradict each other.
func ParseChunkJob(b []byte) (*ChunkJob, error) {
	if len(b) < jobHead || len(b) > MaxChunkJobBytes {
		return nil, fmt.Errorf("chunk job: %d bytes, want %d to %d", len(b), jobHead, MaxChunkJobBytes)
	}
	if b[0] != jobVersion {
		return nil, fmt.Errorf("chunk job: version is %d, want %d", b[0], jobVersion)
	}
	numbers := b[jobHead-12:]
	chunk, size, length := binary.BigEndian.Uint32(numbers), binary.BigEndian.Uint32(numbers[4:]), binary.BigEndian.Uint32(numbers[8:])
	if !slices.Contains(commit.Sizes, int(size)) {
		return nil, fmt.Errorf("chunk job: size is %d, want one of %v", size, commit.Sizes)
	}
	if length > statement.MaxBytes || len(b) != jobHead+int(length)+int(size)*slotBytes {
		return nil, fmt.Errorf("chunk job: %d bytes do not hold a statement of %d bytes and %d slots", len(b), length, size)
	}
	j := &ChunkJob{Chunk: &Chunk{Index: chunk, Records: make([]record.Record, size), R: make([]fr.Element, size)}}
	var err error
	if j.Commitment, err = commit.ParsePoint(b[65:][:commit.PointBytes]); err != nil {
		return nil, fmt.Errorf("chunk job: commitment: %w", err)
	}
	if j.Statement, err = statement.Parse(b[jobHead:][:length]); err != nil {
		return nil, fmt.Errorf("chunk job: %w", err)
	}
	ledger := commit.Digest(b[1:33])
	j.Place = verify.ChunkPlace{
		Ledger: ledger, SRS: commit.Digest(b[33:65]), Statement: j.Statement.Digest(ledger),
		Fleet: j.Statement.Fleet, Chunk: chunk, Size: size, Epoch: j.Statement.Epoch,
	}
	if err := j.slots(b[jobHead+int(length):]); err != nil {
		return nil, err
	}
	return j, j.check()
}

// slots reads records and blinding scalars, of which there are as many as the chunk has slots.
func (j *ChunkJob) slots(b []byte) error {
	n := len(j.Chunk.Records)
	lanes, scalars := b[:n*4*record.Lanes], b[n*4*record.Lanes:]
	var err error
	for slot := range n {
		rec := &j.Chunk.Records[slot]
		for i := range rec {
			rec[i], lanes = binary.BigEndian.Uint32(lanes), lanes[4:]
		}
		if err := checkSlotRecord(slot, *rec); err != nil {
			return err
		}
		if j.Chunk.R[slot], err = commit.ParseScalar(scalars[slot*commit.ScalarBytes:][:commit.ScalarBytes]); err != nil {
			return fmt.Errorf("chunk job: slot %d: blinding %w", slot, err)
		}
	}
	return nil
}

// ChunkResult is what a chunk's prover returns. The opening is the owner's secret.
type ChunkResult struct {
	Proof  *verify.ChunkProof
	Opened *Opened
}

// Marshal encodes the result in ChunkResultBytes bytes. It is in the clear: seal it
// before it leaves the process.
func (r *ChunkResult) Marshal() ([]byte, error) {
	t := r.Opened.Totals
	if err := checkTotals(t); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, ChunkResultBytes), resultVersion)
	b = append(b, r.Proof.Marshal()...)
	b = binary.BigEndian.AppendUint64(b, t.Population)
	b = binary.BigEndian.AppendUint64(b, t.Count)
	for _, sum := range t.Sums[1:] {
		b = binary.BigEndian.AppendUint64(b, sum)
	}
	b = append(b, t.Exact.FillBytes(make([]byte, exactBytes))...)
	salt := r.Opened.Output.Salt.Bytes()
	return append(b, salt[:]...), nil
}

// checkTotals asks for totals that pack without spilling into one another.
func checkTotals(t statement.Totals) error {
	if t.Population > commit.MaxSize || t.Count > t.Population {
		return fmt.Errorf("chunk result: more devices than the %d slots of a chunk", commit.MaxSize)
	}
	for i, sum := range t.Sums {
		if sum >= 1<<statement.SumBits || (i == 0 && sum != 0) {
			return fmt.Errorf("chunk result: sum of lane %d does not fit %d bits", i, statement.SumBits)
		}
	}
	if t.Exact == nil || t.Exact.Sign() < 0 || t.Exact.BitLen() > statement.ExactBits {
		return fmt.Errorf("chunk result: exact value does not fit %d bits", statement.ExactBits)
	}
	return nil
}

// ParseChunkResult reads a result. Its opening is packed anew from the totals; whether
// that is the proof's, and whether the proof holds, [ChunkJob.Verify] says.
func ParseChunkResult(b []byte) (*ChunkResult, error) {
	if len(b) != ChunkResultBytes {
		return nil, fmt.Errorf("chunk result: %d bytes, want %d", len(b), ChunkResultBytes)
	}
	if b[0] != resultVersion {
		return nil, fmt.Errorf("chunk result: version is %d, want %d", b[0], resultVersion)
	}
	proof, err := verify.ParseChunkProof(b[1:][:verify.ChunkProofBytes])
	if err != nil {
		return nil, fmt.Errorf("chunk result: %w", err)
	}
	b = b[1+verify.ChunkProofBytes:]
	var t statement.Totals
	t.Population, t.Count, b = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:]), b[16:]
	for i := 1; i < record.Lanes; i++ {
		t.Sums[i], b = binary.BigEndian.Uint64(b), b[8:]
	}
	t.Exact, b = new(big.Int).SetBytes(b[:exactBytes]), b[exactBytes:]
	if err := checkTotals(t); err != nil {
		return nil, err
	}
	salt, err := commit.ParseScalar(b)
	if err != nil {
		return nil, errors.New("chunk result: salt is not reduced modulo the field's order")
	}
	return &ChunkResult{proof, &Opened{Totals: t, Output: verify.NewOutput(t, salt), T: proof.T}}, nil
}
