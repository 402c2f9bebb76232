package transcript

import (
	"encoding/binary"
	"fmt"
)

// Bounds of an opening.
const (
	MaxUsed        = 256
	MaxCiphertexts = 2
	MinInputs      = 3 // of fewer, an owner knows another's totals from the sum
	maxParams      = 64
	maxUnix        = 1 << 40 // seconds
)

// Opening is what all parties agree on before the first makes a key.
type Opening struct {
	Roster      Roster `json:"roster"`
	Params      string `json:"params"`       // parameter set of the encryption
	Query       Digest `json:"query"`        // of the query's document
	Used        int    `json:"used"`         // numbers in an input: a 1, to count inputs by, and the query's totals
	Ciphertexts int    `json:"ciphertexts"`  // 1 or 2: plaintext moduli that the totals need
	Minimum     int    `json:"minimum"`      // inputs that the result must be of: 3 (and no fewer than the threshold) to all owners
	InputsUntil int64  `json:"inputs_until"` // Unix seconds: until then the receiver waits for every owner's answer, and longer if parties are ready late
	Expires     int64  `json:"expires"`      // Unix seconds: after that nothing more is recorded, and every secret of the session destroyed
}

// Check says which field is out of bounds.
func (o *Opening) Check() error {
	if err := o.Roster.Check(); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	if n := len(o.Params); n == 0 || n > maxParams {
		return fmt.Errorf("params: %d bytes, want 1 to %d", n, maxParams)
	}
	if o.Used < 2 || o.Used > MaxUsed {
		return fmt.Errorf("used: %d, want 2 to %d: the count of inputs and at least one total", o.Used, MaxUsed)
	}
	if o.Ciphertexts < 1 || o.Ciphertexts > MaxCiphertexts {
		return fmt.Errorf("ciphertexts: %d, want 1 to %d", o.Ciphertexts, MaxCiphertexts)
	}
	if least, most := max(MinInputs, o.Roster.Threshold), len(o.Roster.Owners); o.Minimum < least || o.Minimum > most {
		return fmt.Errorf("minimum: %d inputs, want %d to %d", o.Minimum, least, most)
	}
	if o.InputsUntil <= 0 || o.Expires > maxUnix || o.InputsUntil >= o.Expires {
		return fmt.Errorf("inputs until %d, expires %d: want 0 < inputs until < expires <= %d", o.InputsUntil, o.Expires, int64(maxUnix))
	}
	return nil
}

// Encode writes a checked opening in its only form.
func (o *Opening) Encode() []byte {
	b := o.Roster.append(nil)
	b = append(b, field([]byte(o.Params))...)
	b = append(b, o.Query[:]...)
	for _, n := range []int64{int64(o.Used), int64(o.Ciphertexts), int64(o.Minimum), o.InputsUntil, o.Expires} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// ID is the name of the session that this opening opens where the ledger recorded it. The record's name differs for each: the same opening twice is two sessions, with two keys.
func (o *Opening) ID(record string) ID {
	return ID(Hash("assay/mpc/session/1", o.Encode(), []byte(record)))
}
