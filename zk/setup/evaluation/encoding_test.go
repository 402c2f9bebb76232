package evaluation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
)

func TestEncoding(t *testing.T) {
	system, powers := ceremonytest.Compile(t, &sums{}), powersOf(32, "encoding")
	v, err := Make(context.Background(), system, powers)
	if err != nil {
		t.Fatal(err)
	}
	b := encoded(t, v)
	if int64(len(b)) != Bytes(system, 32) {
		t.Errorf("%d bytes, Bytes says %d", len(b), Bytes(system, 32))
	}
	got, err := Read(context.Background(), bytes.NewReader(b), system, 32)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Check(system, powers); err != nil || !bytes.Equal(encoded(t, got), b) {
		t.Errorf("read again: %v", err)
	}
	if _, err := Read(context.Background(), bytes.NewReader(b[:len(b)-1]), system, 32); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut short: %v", err)
	}
	n := len(v.A)
	for name, change := range map[string]func(b []byte){
		"uncompressed": func(b []byte) { b[0] &^= 0b11 << 6 },
		"off the curve": func(b []byte) {
			clear(b[:32])
			b[0], b[31] = 0b10<<6, 4 // 4³ + 3 is no square
		},
		"outside the subgroup": func(b []byte) {
			outside := outsideSubgroup(t)
			copy(b[3*32*n+32*31+64*(n-1):], outside[:])
		},
	} {
		changed := bytes.Clone(b)
		change(changed)
		if _, err := Read(context.Background(), bytes.NewReader(changed), system, 32); !errors.Is(err, ErrNoPoint) {
			t.Errorf("%s: %v", name, err)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Read(stopped, bytes.NewReader(b), system, 32); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := Make(stopped, system, powers); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// outsideSubgroup is a point of the twist whose order is not that of the group.
func outsideSubgroup(t *testing.T) [bn254.SizeOfG2AffineCompressed]byte {
	for i := byte(1); i != 0; i++ {
		var b [bn254.SizeOfG2AffineCompressed]byte
		b[len(b)-1], b[0] = i, 0b10<<6
		var p bn254.G2Affine
		if err := bn254.NewDecoder(bytes.NewReader(b[:]), bn254.NoSubgroupChecks()).Decode(&p); err == nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return b
		}
	}
	t.Fatal("none found")
	return [bn254.SizeOfG2AffineCompressed]byte{}
}

func FuzzRead(f *testing.F) {
	system, powers := ceremonytest.Compile(f, &ceremonytest.Twice{}), powersOf(16, "fuzz")
	v, err := Make(context.Background(), system, powers)
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := v.WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	right := b.Bytes()
	f.Add(right)
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(context.Background(), bytes.NewReader(b), system, 16)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := got.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		if same, err := bytes.Equal(again.Bytes(), right), got.Check(system, powers); same != (err == nil) {
			t.Errorf("the points are the circuit's: %v, Check says %v", same, err)
		}
	})
}
