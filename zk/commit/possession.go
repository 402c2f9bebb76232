package commit

import (
	"crypto"
	"fmt"
)

// A device agrees to its seat before it is enrolled in it: it signs ledger, fleet, chunk and slot with its own key. Certificates
// are public once a device is enrolled anywhere; without this signature whoever saw one could enrol the device first,
// somewhere else, and keep it out of its owner's fleet. The signature says nothing about when: a slot is used once,
// so it serves for one enrolment.

func possessionBytes(ledger Digest, device DeviceID, fleet string, chunk, slot uint32) []byte {
	t := NewTranscript(tagPossession, ledger)
	t.Bytes(device[:])
	t.Bytes([]byte(fleet))
	t.Uint(uint64(chunk))
	t.Uint(uint64(slot))
	return t.buf
}

// SignPossession signs that the device whose key this is agrees to a seat.
func SignPossession(ledger Digest, fleet string, chunk, slot uint32, key crypto.Signer) ([]byte, error) {
	public, err := NewPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	return Sign(key, possessionBytes(ledger, public.DeviceID(), fleet, chunk, slot))
}

// CheckPossessions verifies the signatures of a chunk's devices, one for each of them in the same order. The error names
// the lowest slot whose signature is wrong.
func CheckPossessions(ledger Digest, fleet string, chunk uint32, devices []SlotKey, signatures [][]byte) error {
	if len(signatures) != len(devices) {
		return fmt.Errorf("%d signatures for %d devices", len(signatures), len(devices))
	}
	slots, each := make([]uint32, len(devices)), make([]signed, len(devices))
	for i := range devices {
		d := &devices[i]
		slots[i] = d.Slot
		each[i] = signed{&d.Key, possessionBytes(ledger, d.Key.DeviceID(), fleet, chunk, d.Slot), signatures[i]}
	}
	if err := checkSignatures(slots, each); err != nil {
		return fmt.Errorf("possession: %w", err)
	}
	return nil
}
