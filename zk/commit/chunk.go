package commit

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
)

// SlotKey says which device is enrolled in a slot.
type SlotKey struct {
	Slot uint32
	Key  PublicKey
}

// Checked is what an anchor records besides the commitment.
type Checked struct {
	// Attested is the number of devices that attested.
	Attested int
	// Bitmap has one bit per slot, 1 where the device attested: slot s is bit s%8, counted from the least significant,
	// of byte s/8.
	Bitmap []byte
	// Root is the RFC 6962 tree head over the encoded attestations in slot order.
	Root Digest
}

// Has reports whether the device in the slot attested. Slots beyond the bitmap did not.
func (c *Checked) Has(slot uint32) bool {
	return int(slot/8) < len(c.Bitmap) && c.Bitmap[slot/8]>>(slot%8)&1 == 1
}

// CheckChunk does every check that an endorser owes before it endorses an anchor. The place's SRS must be this one and
// large enough; no slot and no device is enrolled twice; attestations come in ascending slot order, so none comes
// twice; each is well-formed, for this place and its slot, by the device enrolled there; each signature and each proof
// of representation verifies; and the commitments add up to claimed, which is finite. An enrolled device without an
// attestation is absent, and a chunk of which all are is refused: it has no commitment.
//
// What it accepts and what error it returns depend on its arguments only. Errors name the slot, the lowest if there are
// several. It uses as many goroutines as GOMAXPROCS.
func CheckChunk(srs *SRS, place ChunkPlace, enrolled []SlotKey, attestations [][]byte, claimed bn254.G1Affine) (*Checked, error) {
	if err := srs.checkPlace(place); err != nil {
		return nil, err
	}
	keys, err := keysBySlot(place.Size, enrolled)
	if err != nil {
		return nil, err
	}
	if len(attestations) == 0 || len(attestations) > len(enrolled) {
		return nil, fmt.Errorf("%d attestations, must be 1 to the %d enrolled", len(attestations), len(enrolled))
	}
	if err := checkPoint(&claimed); err != nil {
		return nil, fmt.Errorf("claimed commitment: %w", err)
	}
	proven, err := checkEach(srs, place, keys, attestations)
	if err != nil {
		return nil, err
	}
	checked := &Checked{Attested: len(proven), Bitmap: make([]byte, place.Size/8)}
	for i := range proven {
		slot := proven[i].Slot
		checked.Bitmap[slot/8] |= 1 << (slot % 8)
	}
	if checked.Root, err = MerkleRoot(attestations); err != nil {
		return nil, err
	}
	if err := checkProofs(srs, place, proven, checked.Root); err != nil {
		return nil, err
	}
	if err := checkSum(proven, claimed); err != nil {
		return nil, err
	}
	return checked, nil
}

// keysBySlot arranges the enrolled keys. Enrolments come from the ledger, whose rules already keep slots and devices
// apart; counting one device twice would be worth enough to check again.
func keysBySlot(size uint32, enrolled []SlotKey) ([]*PublicKey, error) {
	keys := make([]*PublicKey, size)
	slots := make(map[DeviceID]uint32, len(enrolled))
	for i := range enrolled {
		slot, key := enrolled[i].Slot, &enrolled[i].Key
		if err := checkSlot(slot, size); err != nil {
			return nil, fmt.Errorf("enrolled %w", err)
		}
		if key.Algorithm() == "" {
			return nil, fmt.Errorf("slot %d: enrolled without a key", slot)
		}
		if keys[slot] != nil {
			return nil, fmt.Errorf("slot %d: two devices are enrolled", slot)
		}
		if other, ok := slots[key.id]; ok {
			return nil, fmt.Errorf("slot %d: device %s is enrolled in slot %d too", slot, key.id, other)
		}
		keys[slot], slots[key.id] = key, slot
	}
	return keys, nil
}

// checkEach parses every attestation and checks all but its proof of representation.
func checkEach(srs *SRS, place ChunkPlace, keys []*PublicKey, attestations [][]byte) ([]proven, error) {
	each := make([]proven, len(attestations))
	errs := make([]error, len(attestations))
	inParallel(len(attestations), func(i int) { each[i], errs[i] = readAttestation(srs, place, keys, attestations[i]) })
	slots, signatures := make([]uint32, len(each)), make([]signed, len(each))
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("attestation %d: %w", i, err)
		}
		a := &each[i]
		if i > 0 && a.Slot <= slots[i-1] {
			return nil, fmt.Errorf("slot %d: attestation follows that of slot %d, must be ascending", a.Slot, slots[i-1])
		}
		slots[i] = a.Slot
		signatures[i] = signed{keys[a.Slot], a.message, a.Signature}
	}
	return each, checkSignatures(slots, signatures)
}

func readAttestation(srs *SRS, place ChunkPlace, keys []*PublicKey, encoded []byte) (proven, error) {
	a, err := ParseAttestation(encoded)
	if err != nil {
		return proven{}, err
	}
	if int(a.Slot) >= len(keys) || keys[a.Slot] == nil {
		return proven{}, fmt.Errorf("slot %d: no device is enrolled", a.Slot)
	}
	p := place.At(a.Slot)
	if err := a.checkMade(p, *keys[a.Slot]); err != nil {
		return proven{}, fmt.Errorf("slot %d: %w", a.Slot, err)
	}
	g, h := srs.Bases(place.Size, a.Slot)
	return proven{
		Attestation: a,
		message:     a.SigningBytes(place.Ledger, place.SRS),
		challenge:   representationChallenge(p, a.Device, &g, &h, &a.C, &a.Proof.R),
	}, nil
}

func checkSum(each []proven, claimed bn254.G1Affine) error {
	var sum bn254.G1Jac
	for i := range each {
		sum.AddMixed(&each[i].C)
	}
	var got bn254.G1Affine
	if got.FromJacobian(&sum); !got.Equal(&claimed) {
		return errors.New("attested commitments do not add up to the claimed one")
	}
	return nil
}

// inParallel calls do(0) … do(n−1) on GOMAXPROCS goroutines. A panic in one is the caller's, who may recover.
func inParallel(n int, do func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var group sync.WaitGroup
	panicked := make(chan any, workers)
	for w := range workers {
		group.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panicked <- p
				}
			}()
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	group.Wait()
	select {
	case p := <-panicked:
		panic(p)
	default:
	}
}
