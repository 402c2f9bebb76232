package collective

import (
	"bytes"
	"strings"
	"testing"
)

// encodings are one of each kind, from a session of insecure parameters, and their readers.
func encodings(t testing.TB) map[string]struct {
	data []byte
	read func([]byte) ([]byte, error)
} {
	s := newSession(t, insecure(), 3, 2)
	p, shape := s.p, fuzzShape
	in := must(p.Encrypt(s.key, s.owners[0].ctx, shape, integers(1, -2, 3), [32]byte{1}))
	sum := s.sum(t, shape, integers(1, 2, 3), integers(1, 2, 3), integers(1, 2, 3))
	shares := s.shares(t, sum, 1, 3)
	type codec = struct {
		data []byte
		read func([]byte) ([]byte, error)
	}
	return map[string]codec{
		"secret":            {s.receiver.Marshal(), again(UnmarshalSecret)},
		"public part":       {s.owners[0].part.Marshal(), again(p.UnmarshalPublicPart)},
		"public key":        {s.towards.Marshal(), again(p.UnmarshalPublicKey)},
		"secret part":       {s.owners[0].dealt[2].Marshal(), again(p.UnmarshalSecretPart)},
		"holding":           {s.owners[0].holding.Marshal(), again(p.UnmarshalHolding)},
		"input":             {in.Marshal(), again(func(data []byte) (*Input, error) { return p.UnmarshalInput(shape, data) })},
		"switch share":      {shares[0].Marshal(), again(func(data []byte) (*SwitchShare, error) { return p.UnmarshalSwitchShare(shape, data) })},
		"regulator's share": {shares[2].Marshal(), again(func(data []byte) (*SwitchShare, error) { return p.UnmarshalSwitchShare(shape, data) })},
	}
}

var fuzzShape = Shape{Used: 3, Ciphertexts: 2}

// again reads and writes.
func again[T interface{ Marshal() []byte }](read func([]byte) (T, error)) func([]byte) ([]byte, error) {
	return func(data []byte) ([]byte, error) {
		v, err := read(data)
		if err != nil {
			return nil, err
		}
		return v.Marshal(), nil
	}
}

func TestEncodings(t *testing.T) {
	all := encodings(t)
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			if got, err := c.read(c.data); err != nil || !bytes.Equal(got, c.data) {
				t.Fatalf("read and written again: %v", err)
			}
			for what, data := range map[string][]byte{
				"nothing":    nil,
				"one less":   c.data[:len(c.data)-1],
				"one more":   append(bytes.Clone(c.data), 0),
				"the header": c.data[:min(headerBytes, 10)],
			} {
				if _, err := c.read(data); err == nil || !strings.Contains(err.Error(), "bytes, want") {
					t.Errorf("%s: %v", what, err)
				}
			}
			if name == "secret" {
				return
			}
			for i := range headerBytes {
				data := bytes.Clone(c.data)
				data[i] ^= 0x40
				if _, err := c.read(data); err == nil {
					t.Errorf("header byte %d altered: read", i)
				}
			}
			if name != "public part" && name != "input" { // which end with a proof, the others with a residue
				data := bytes.Clone(c.data)
				for i := range wordBytes {
					data[len(data)-1-i] = 0xff
				}
				if _, err := c.read(data); err == nil || !strings.Contains(err.Error(), "not reduced") {
					t.Errorf("unreduced residue: %v", err)
				}
			}
			for other, o := range all {
				if other != name && len(o.data) == len(c.data) && !strings.Contains(other+name, "share") {
					if _, err := c.read(o.data); err == nil {
						t.Errorf("%s was read", other)
					}
				}
			}
		})
	}
}

// The first residue of every residue-bearing field is at its modulus: refused, wherever it is.
func TestResiduesAreReduced(t *testing.T) {
	p := insecure()
	all := encodings(t)
	for name, offset := range map[string]int{
		"public part": headerBytes, "public key": headerBytes + 32, "secret part": headerBytes + 3 + 32, "holding": headerBytes + 2 + 3*65,
		"input": headerBytes, "switch share": headerBytes + 3 + 32,
	} {
		data := bytes.Clone(all[name].data)
		copy(data[offset:], appendWords(nil, words{{p.q[0]}}))
		if _, err := all[name].read(data); err == nil || !strings.Contains(err.Error(), "not reduced") {
			t.Errorf("%s: %v", name, err)
		}
		copy(data[offset:], appendWords(nil, words{{p.q[0] - 1}}))
		if _, err := all[name].read(data); err != nil {
			t.Errorf("%s, one less: %v", name, err)
		}
	}
}

func TestFieldsOfEncodings(t *testing.T) {
	all := encodings(t)
	for _, c := range []struct {
		name   string
		offset int
		value  byte
	}{
		{"secret part", headerBytes, 0},      // from nobody
		{"secret part", headerBytes, 17},     // beyond the last point
		{"secret part", headerBytes + 1, 0},  // to nobody
		{"secret part", headerBytes + 2, 1},  // threshold
		{"secret part", headerBytes + 2, 17}, // threshold
		{"holding", headerBytes, 4},          // own point is none of the owners
		{"holding", headerBytes + 1, 1},      // threshold
		{"holding", headerBytes + 1, 4},      // threshold beyond the owners
		{"holding", headerBytes + 2, 2},      // points 2, 2, 3
		{"holding", headerBytes + 2, 0},      // point 0
		{"switch share", headerBytes, 17},
		{"switch share", headerBytes, 0},     // the regulator has no active set
		{"switch share", headerBytes, 2},     // not in its active set
		{"switch share", headerBytes + 1, 0}, // an owner without one
		{"regulator's share", headerBytes, 1},
		{"regulator's share", headerBytes + 1, 1},
	} {
		data := bytes.Clone(all[c.name].data)
		if data[c.offset] = c.value; bytes.Equal(data, all[c.name].data) {
			t.Fatalf("%s: byte %d is %d anyway", c.name, c.offset, c.value)
		}
		if _, err := all[c.name].read(data); err == nil {
			t.Errorf("%s: byte %d set to %d: read", c.name, c.offset, c.value)
		}
	}
}

// A collective key is never read, though it is written (for its length and digest).
func TestCollectiveKeyIsNotRead(t *testing.T) {
	s := newSession(t, insecure(), 3, 2)
	if _, err := s.p.UnmarshalPublicKey(s.key.Marshal()); err == nil {
		t.Error("read")
	}
}

func TestSizes(t *testing.T) {
	p := Standard()
	for name, c := range map[string]struct{ got, want int }{
		"public part":              {p.PublicPartSize(), 294954},
		"public key":               {p.PublicKeySize(), 229418},
		"secret part":              {p.SecretPartSize(), 229421},
		"input of 17":              {p.InputSize(Shape{17, 1}), 295430},
		"input of 256, two moduli": {p.InputSize(Shape{256, 2}), 604234},
		"switch share of 17":       {p.SwitchShareSize(Shape{17, 1}), 229897},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d bytes, want %d", name, c.got, c.want)
		}
	}
}

// fuzz reads anything: what is read is written again as it was.
func fuzz(f *testing.F, names ...string) {
	all := encodings(f)
	for _, name := range names {
		f.Add(all[name].data)
		f.Add(all[name].data[:headerBytes])
	}
	read := all[names[0]].read
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, err := read(data); err == nil && !bytes.Equal(got, data) {
			t.Errorf("written again, %d bytes became others", len(data))
		}
	})
}

func FuzzUnmarshalSecret(f *testing.F)      { fuzz(f, "secret") }
func FuzzUnmarshalPublicPart(f *testing.F)  { fuzz(f, "public part") }
func FuzzUnmarshalPublicKey(f *testing.F)   { fuzz(f, "public key") }
func FuzzUnmarshalSecretPart(f *testing.F)  { fuzz(f, "secret part") }
func FuzzUnmarshalHolding(f *testing.F)     { fuzz(f, "holding") }
func FuzzUnmarshalInput(f *testing.F)       { fuzz(f, "input") }
func FuzzUnmarshalSwitchShare(f *testing.F) { fuzz(f, "switch share", "regulator's share") }

// What can be read can be checked and used: nothing panics.
func FuzzForeignInput(f *testing.F) {
	s := newSession(f, insecure(), 3, 2)
	in := must(s.p.Encrypt(s.key, s.owners[0].ctx, fuzzShape, integers(1, -2, 3), [32]byte{1})).Marshal()
	f.Add(0, byte(1))
	f.Fuzz(func(t *testing.T, at int, value byte) {
		data := bytes.Clone(in)
		at = headerBytes + int(uint(at)%uint(len(data)-headerBytes))
		data[at] ^= value
		read, err := s.p.UnmarshalInput(fuzzShape, data)
		if err != nil {
			return
		}
		if _, err := s.p.CheckInput(s.key, s.owners[0].ctx, read); (err == nil) != (value == 0) {
			t.Errorf("byte %d altered by %d: %v", at, value, err)
		}
	})
}
