package verify_test

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/zk/verify"
)

// What a decoder accepts it writes again byte for byte.

func FuzzParseBundle(f *testing.F) {
	good, err := madeUpBundle().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{0x86, 0xf6, 0xf6, 0xf6, 0xf6, 0xf6, 0xf6})
	f.Add(append(bytes.Join(encodedBundle()[:3], nil), 0x80, 0x80, 0x80, 0x80))
	f.Fuzz(func(t *testing.T, b []byte) {
		bundle, err := verify.ParseBundle(b)
		if err != nil {
			return
		}
		if again, err := bundle.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Errorf("written as %x (%v), read as %x", again, err, b)
		}
		if err := bundle.Statement.Check(); err != nil {
			t.Error(err)
		}
	})
}

func FuzzParseChunkProof(f *testing.F) {
	good := madeUpChunkProof().Marshal()
	f.Add(good)
	f.Add(good[:32])
	f.Add(make([]byte, len(good)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := verify.ParseChunkProof(b); err == nil && !bytes.Equal(p.Marshal(), b) {
			t.Errorf("written as %x, read as %x", p.Marshal(), b)
		}
	})
}

func FuzzParseFleetProof(f *testing.F) {
	good := madeUpFleetProof().Marshal()
	f.Add(good)
	f.Add(good[:32])
	f.Add(make([]byte, len(good)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := verify.ParseFleetProof(b); err == nil && !bytes.Equal(p.Marshal(), b) {
			t.Errorf("written as %x, read as %x", p.Marshal(), b)
		}
	})
}

func FuzzCheckKey(f *testing.F) {
	chunk, err := verify.EncodeChunkKey(madeUpChunkKey())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(0), madeUpSRSKey())
	f.Add(uint8(1), chunk)
	f.Add(uint8(5), chunk[:100])
	f.Fuzz(func(t *testing.T, which uint8, key []byte) {
		ids := verify.CircuitIDs()
		k := verify.NewPublishedKey(ids[int(which)%len(ids)], verify.SetupUnsafe, key)
		if verify.CheckKey(k) != nil {
			return
		}
		ring, err := verify.NewKeyring([]verify.PublishedKey{k})
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := ring.Published(k.CircuitID); !ok || got.Digest != k.Digest {
			t.Error("an accepted key is not in its keyring")
		}
	})
}
