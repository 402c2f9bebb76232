package commit

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// Sizes are the numbers of slots that a chunk may have.
var Sizes = []int{64, 256, 1024, 4096}

const (
	// MaxSize is the largest of Sizes.
	MaxSize = 4096
	// MaxFleet is the largest number of bytes of a fleet's name.
	MaxFleet = 128
)

// ChunkPlace says which chunk of which fleet is meant, in which epoch, on which ledger and over which SRS.
type ChunkPlace struct {
	// Ledger is the consortium's id, and SRS the digest of the powers of tau pinned on that ledger.
	Ledger, SRS Digest
	Fleet       string
	// Chunk counts the fleet's chunks from 0. Size is its number of slots, one of Sizes.
	Chunk, Size uint32
	// Epoch is numbered over the whole consortium.
	Epoch uint64
}

// Place is one slot of a ChunkPlace: where and when a device commits.
type Place struct {
	Ledger, SRS Digest
	Fleet       string
	Chunk, Size uint32
	// Slot counts from 0 and is below Size.
	Slot  uint32
	Epoch uint64
}

// At returns the place of one slot. It does not check that the slot is below the chunk's size; Validate does.
func (c ChunkPlace) At(slot uint32) Place {
	return Place{Ledger: c.Ledger, SRS: c.SRS, Fleet: c.Fleet, Chunk: c.Chunk, Size: c.Size, Slot: slot, Epoch: c.Epoch}
}

// ChunkPlace returns the chunk that p is a slot of.
func (p Place) ChunkPlace() ChunkPlace {
	return ChunkPlace{Ledger: p.Ledger, SRS: p.SRS, Fleet: p.Fleet, Chunk: p.Chunk, Size: p.Size, Epoch: p.Epoch}
}

// Validate checks that the size is one of Sizes and the fleet's name valid UTF-8 of 1 to MaxFleet bytes.
func (c ChunkPlace) Validate() error {
	if err := checkFleet(c.Fleet); err != nil {
		return err
	}
	return checkSize(c.Size)
}

// Validate checks what ChunkPlace.Validate does, and that the slot is below the size.
func (p Place) Validate() error {
	if err := p.ChunkPlace().Validate(); err != nil {
		return err
	}
	return checkSlot(p.Slot, p.Size)
}

func checkFleet(fleet string) error {
	if len(fleet) == 0 || len(fleet) > MaxFleet {
		return fmt.Errorf("fleet: name has %d bytes, must have 1 to %d", len(fleet), MaxFleet)
	}
	if !utf8.ValidString(fleet) {
		return fmt.Errorf("fleet: name is not valid UTF-8")
	}
	return nil
}

func checkSize(size uint32) error {
	if !slices.Contains(Sizes, int(size)) {
		return fmt.Errorf("size: a chunk of %d slots is not one of %v", size, Sizes)
	}
	return nil
}

func checkSlot(slot, size uint32) error {
	if slot >= size {
		return fmt.Errorf("slot: %d is not below the chunk's size %d", slot, size)
	}
	return nil
}
