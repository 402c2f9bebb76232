package transcript

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Bounds of a roster.
const (
	MinOwners    = 3 // with fewer, an owner knows the other's totals from the sum
	MaxOwners    = 16
	MinThreshold = 2   // with one, a single owner and the regulator open every owner's input
	MaxPartyName = 255 // bytes
)

// Roster is who takes part in a session. All names differ: who held two places would hold two keys.
type Roster struct {
	Owners    []string `json:"owners"`    // in ascending order: a set of owners is written in one way
	Regulator string   `json:"regulator"` // without it nothing is opened
	Receiver  string   `json:"receiver"`  // learns the totals; it holds no part of the key that inputs are encrypted with
	Threshold int      `json:"threshold"` // owners who, with the regulator, can open: 2 to all of them
}

// Role is what a party is in a session.
type Role string

// The roles of a session.
const (
	Owner     Role = "owner"
	Regulator Role = "regulator"
	Receiver  Role = "receiver"
)

// Check says which field is out of bounds.
func (r *Roster) Check() error {
	if n := len(r.Owners); n < MinOwners || n > MaxOwners {
		return fmt.Errorf("owners: %d, want %d to %d", n, MinOwners, MaxOwners)
	}
	if r.Threshold < MinThreshold || r.Threshold > len(r.Owners) {
		return fmt.Errorf("threshold: %d, want %d to the number of owners, %d", r.Threshold, MinThreshold, len(r.Owners))
	}
	for i, p := range r.Parties() {
		if err := checkName(p); err != nil {
			return fmt.Errorf("party %d: %w", i, err)
		}
	}
	for i := 1; i < len(r.Owners); i++ {
		if r.Owners[i-1] >= r.Owners[i] {
			return fmt.Errorf("owners: %s and %s are not in ascending order", r.Owners[i-1], r.Owners[i])
		}
	}
	if r.Regulator == r.Receiver || slices.Contains(r.Owners, r.Regulator) || slices.Contains(r.Owners, r.Receiver) {
		return fmt.Errorf("regulator %s, receiver %s: a party has two places", r.Regulator, r.Receiver)
	}
	return nil
}

// checkName takes letters, digits and the few marks that organisations' names have: a name is part of file names and log lines.
func checkName(name string) error {
	if len(name) == 0 || len(name) > MaxPartyName {
		return fmt.Errorf("name: %d bytes, want 1 to %d", len(name), MaxPartyName)
	}
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '_' && c != '.' && c != '@') {
			return fmt.Errorf("name: byte %d is none of a-z A-Z 0-9, nor after the first - _ . @", i)
		}
	}
	return nil
}

// Parties are the owners, the regulator and the receiver.
func (r *Roster) Parties() []string {
	return append(slices.Clone(r.Owners), r.Regulator, r.Receiver)
}

// KeyHolders are those whose parts make the key that inputs are encrypted with: the owners and the regulator.
func (r *Roster) KeyHolders() []string { return append(slices.Clone(r.Owners), r.Regulator) }

// Role of a party; empty for a stranger.
func (r *Roster) Role(party string) Role {
	switch {
	case party == r.Regulator:
		return Regulator
	case party == r.Receiver:
		return Receiver
	case slices.Contains(r.Owners, party):
		return Owner
	}
	return ""
}

// Point is an owner's place, from 1, which is where its share of the owners' key is evaluated; 0 for others.
func (r *Roster) Point(owner string) int { return slices.Index(r.Owners, owner) + 1 }

func (r *Roster) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Owners)))
	for _, p := range r.Parties() {
		b = append(b, field([]byte(p))...)
	}
	return binary.BigEndian.AppendUint32(b, uint32(r.Threshold))
}
