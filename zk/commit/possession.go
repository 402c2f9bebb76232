package commit

import (
	"crypto"
	"fmt"
)

// A device agrees to its seat before it is enrolled in it: it signs ledger, fleet, chunk and slot with its own key. Certificates
// are public once a device is enrolled anywhere; without this signature whoever saw one could enrol the device first,
// somewhere else, and keep it out of its owner's fleet. A slot is used once, so the signature serves for one enrolment,
// and it serves until the end of an epoch that it names, so that an owner cannot put signatures by and enrol the device
// years later, when it is another's.

// Possession is a device's agreement to its seat.
type Possession struct {
	// Until is the last epoch in which the device may be enrolled with it.
	Until     uint64
	Signature []byte
}

func possessionBytes(ledger Digest, device DeviceID, fleet string, chunk, slot uint32, until uint64) []byte {
	t := NewTranscript(tagPossession, ledger)
	t.Bytes(device[:])
	t.Bytes([]byte(fleet))
	t.Uint(uint64(chunk))
	t.Uint(uint64(slot))
	t.Uint(until)
	return t.buf
}

// SignPossession signs that the device whose key this is agrees to be enrolled in a seat, in an epoch not after until.
func SignPossession(ledger Digest, fleet string, chunk, slot uint32, until uint64, key crypto.Signer) ([]byte, error) {
	public, err := NewPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	return Sign(key, possessionBytes(ledger, public.DeviceID(), fleet, chunk, slot, until))
}

// CheckPossessions verifies the signatures of a chunk's devices, one for each of them in the same order. The error names
// the lowest slot whose signature is wrong. Whether Until has passed is for the caller to say, who knows the epoch.
func CheckPossessions(ledger Digest, fleet string, chunk uint32, devices []SlotKey, possessions []Possession) error {
	if len(possessions) != len(devices) {
		return fmt.Errorf("%d possessions for %d devices", len(possessions), len(devices))
	}
	slots, each := make([]uint32, len(devices)), make([]signed, len(devices))
	for i := range devices {
		d := &devices[i]
		slots[i] = d.Slot
		p := &possessions[i]
		each[i] = signed{&d.Key, possessionBytes(ledger, d.Key.DeviceID(), fleet, chunk, d.Slot, p.Until), p.Signature}
	}
	if err := checkSignatures(slots, each); err != nil {
		return fmt.Errorf("possession: %w", err)
	}
	return nil
}
