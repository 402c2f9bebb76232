package gbt32960

// Activation asks a platform to register the key of a vehicle's security chip, in the edition of 2025.
type Activation struct {
	Time Time
	// Chip is the security chip's id, padded with spaces.
	Chip [16]byte
	// Key is the vehicle's public key. The standard does not state its form.
	Key []byte
	VIN ID
	// Signature covers everything before it. It has no mark before it, unlike that of a report.
	Signature Signature
}

func (a *Activation) code(c *coder, e Edition) {
	start := c.at
	c.fixed("activation time", a.Time[:])
	c.fixed("activation chip", a.Chip[:])
	c.counted("activation key", &a.Key)
	c.fixed("activation VIN", a.VIN[:])
	if !c.writing && c.err == nil {
		a.Signature.covers(c.b[start:c.at])
	}
	a.Signature.code(c)
}

// ActivationReply is the answer to an activation. Public sources disagree about Info: counted from 0, it is
// 0 done, 1 chip in use, 2 VIN in use; others count from 1. It is kept as it came.
type ActivationReply struct {
	// Result is 1 for done and 2 for failed.
	Result, Info uint8
}

func (a *ActivationReply) code(c *coder, _ Edition) {
	c.u8("activation result", &a.Result)
	c.u8("activation info", &a.Info)
}

// Key is a key as a key exchange carries it. It prints as a placeholder. The standard does not state how it is wrapped.
type Key []byte

func (Key) String() string { return "(key)" }

// GoString keeps the key out of %#v.
func (Key) GoString() string { return "(key)" }

// MarshalText keeps the key out of what is marshalled.
func (Key) MarshalText() ([]byte, error) { return []byte("(key)"), nil }

// KeyExchange hands over the key by which units are encrypted from one time to another, in the edition of 2025.
type KeyExchange struct {
	Algorithm       Encryption
	Key             Key
	ValidFrom, Till Time
}

func (k *KeyExchange) code(c *coder, _ Edition) {
	c.u8("key exchange algorithm", (*uint8)(&k.Algorithm))
	c.counted("key exchange key", (*[]byte)(&k.Key))
	c.fixed("key exchange start", k.ValidFrom[:])
	c.fixed("key exchange end", k.Till[:])
}
