package frame

import (
	"fmt"
	"unicode/utf8"

	"github.com/assay-net/assay/zk/commit"
)

const (
	maxAccept = 512
	maxSlot   = commit.MaxSize - 1
)

// Accept is the payload of a frame of kind KindAccept: a device takes the seat that it was offered, and proves with Possession
// (commit.SignPossession) that it holds its key and agrees to be enrolled there, in an epoch not after Until.
type Accept struct {
	Fleet       string
	Chunk, Slot uint32
	Generation  uint32
	Until       uint64
	Possession  []byte
}

type wireAccept struct {
	_                       struct{} `cbor:",toarray"`
	Version                 uint64
	Fleet                   string
	Chunk, Slot, Generation uint32
	Until                   uint64
	Possession              []byte
}

// Marshal encodes the acceptance.
func (a *Accept) Marshal() []byte {
	return encode(wireAccept{Version: version, Fleet: a.Fleet, Chunk: a.Chunk, Slot: a.Slot, Generation: a.Generation, Until: a.Until, Possession: a.Possession})
}

// Matches says whether it is this offer that is accepted. Possession is the caller's to verify.
func (a *Accept) Matches(o *Offer) bool {
	return a.Fleet == o.Fleet && a.Chunk == o.Chunk && a.Slot == o.Slot && a.Generation == o.Generation
}

// ParseAccept decodes an acceptance. It accepts exactly what Marshal writes, with a possession of commit.SignatureBytes,
// which it does not verify.
func ParseAccept(b []byte) (*Accept, error) {
	var w wireAccept
	if err := decode("acceptance", b, maxAccept, &w); err != nil {
		return nil, err
	}
	if err := checkVersion("acceptance", w.Version); err != nil {
		return nil, err
	}
	if err := checkFleet(w.Fleet); err != nil {
		return nil, fmt.Errorf("acceptance: %w", err)
	}
	if w.Slot > maxSlot {
		return nil, fmt.Errorf("acceptance: slot %d: at most %d", w.Slot, maxSlot)
	}
	if len(w.Possession) != commit.SignatureBytes {
		return nil, fmt.Errorf("acceptance: possession has %d bytes, must have %d", len(w.Possession), commit.SignatureBytes)
	}
	return &Accept{w.Fleet, w.Chunk, w.Slot, w.Generation, w.Until, w.Possession}, nil
}

func checkFleet(fleet string) error {
	if len(fleet) == 0 || len(fleet) > commit.MaxFleet || !utf8.ValidString(fleet) {
		return fmt.Errorf("fleet: name has %d bytes, must be UTF-8 of 1 to %d", len(fleet), commit.MaxFleet)
	}
	return nil
}
