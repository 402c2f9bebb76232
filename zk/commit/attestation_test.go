package commit_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

func attest(t testing.TB, algorithm commit.Algorithm) (*commit.SRS, commit.Place, committest.Device, *commit.Attestation) {
	t.Helper()
	srs, device := committest.UnsafeSRS(64), committest.NewDevice(algorithm)
	p := testPlace(srs)
	a, err := commit.Attest(srs, p, committest.Record(1), device.Secret, device.Key)
	if err != nil {
		t.Fatal(err)
	}
	return srs, p, device, a
}

// resign signs a changed attestation with the device's own key, as a stolen device would.
func resign(t testing.TB, a *commit.Attestation, ledger, srs commit.Digest, device committest.Device) {
	t.Helper()
	signature, err := commit.Sign(device.Key, a.SigningBytes(ledger, srs))
	if err != nil {
		t.Fatal(err)
	}
	a.Signature = signature
}

func TestAttestationVerifiesAndReadsBack(t *testing.T) {
	for _, algorithm := range algorithms {
		srs, p, device, a := attest(t, algorithm)
		if err := a.Verify(srs, p, device.Public); err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		wire := a.Marshal()
		back, err := commit.ParseAttestation(wire)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, back); diff != "" {
			t.Errorf("%s: %s", algorithm, diff)
		}
		if !bytes.Equal(back.Marshal(), wire) {
			t.Errorf("%s: encodes differently after reading", algorithm)
		}
		again, err := commit.Attest(srs, p, committest.Record(1), device.Secret, device.Key)
		if err != nil || !bytes.Equal(again.Marshal(), wire) {
			t.Errorf("%s: attesting twice gave two attestations (%v)", algorithm, err)
		}
	}
}

// ‡ An attestation is for one slot, size, fleet, chunk, ledger, SRS, epoch and device.
func TestAttestationForAnotherPlaceOrDeviceIsRefused(t *testing.T) {
	srs, p, device, a := attest(t, commit.Ed25519)
	for name, q := range elsewhere(p) {
		if err := a.Verify(srs, q, device.Public); err == nil {
			t.Errorf("verifies at another %s", name)
		}
		// The same with the fields rewritten, so that only signature and proof tell.
		moved := *a
		moved.Fleet, moved.Chunk, moved.Size, moved.Slot, moved.Epoch = q.Fleet, q.Chunk, q.Size, q.Slot, q.Epoch
		if err := moved.Verify(srs, q, device.Public); err == nil {
			t.Errorf("verifies when moved to another %s", name)
		}
		// And signed again, so that only the proof tells.
		resign(t, &moved, q.Ledger, q.SRS, device)
		if err := moved.Verify(srs, q, device.Public); err == nil {
			t.Errorf("verifies when moved to another %s and signed again", name)
		}
	}
	if err := a.Verify(srs, p, committest.NewDevice(commit.Ed25519).Public); err == nil {
		t.Error("verifies for another device")
	}
	thief := committest.NewDevice(commit.Ed25519)
	taken := *a
	taken.Device = thief.Public.DeviceID()
	resign(t, &taken, p.Ledger, p.SRS, thief)
	if err := taken.Verify(srs, p, thief.Public); err == nil {
		t.Error("another device may sign for the commitment and proof of this one")
	}
}

func TestSignatureCoversEverything(t *testing.T) {
	_, p, _, good := attest(t, commit.Ed25519)
	base := good.SigningBytes(p.Ledger, p.SRS)
	one := fr.One()
	for name, change := range map[string]func(*commit.Attestation){
		"fleet":  func(a *commit.Attestation) { a.Fleet = "other" },
		"chunk":  func(a *commit.Attestation) { a.Chunk++ },
		"size":   func(a *commit.Attestation) { a.Size *= 4 },
		"slot":   func(a *commit.Attestation) { a.Slot++ },
		"epoch":  func(a *commit.Attestation) { a.Epoch++ },
		"device": func(a *commit.Attestation) { a.Device[0] ^= 1 },
		"C":      func(a *commit.Attestation) { a.C.Neg(&a.C) },
		"R":      func(a *commit.Attestation) { a.Proof.R.Neg(&a.Proof.R) },
		"z_x":    func(a *commit.Attestation) { a.Proof.Zx.Add(&a.Proof.Zx, &one) },
		"z_r":    func(a *commit.Attestation) { a.Proof.Zr.Add(&a.Proof.Zr, &one) },
	} {
		a := *good
		change(&a)
		if bytes.Equal(a.SigningBytes(p.Ledger, p.SRS), base) {
			t.Errorf("signature does not cover %s", name)
		}
	}
	if bytes.Equal(good.SigningBytes(commit.Digest{1}, p.SRS), base) || bytes.Equal(good.SigningBytes(p.Ledger, commit.Digest{1}), base) {
		t.Error("signature does not cover ledger and SRS")
	}
}

// wire is the attestation's array, to be spoilt.
type wire []any

func unpack(t testing.TB, a *commit.Attestation) wire {
	t.Helper()
	var w wire
	if err := cbor.Unmarshal(a.Marshal(), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func pack(t testing.TB, w any) []byte {
	t.Helper()
	b, err := cbor.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMalformedAttestationIsRefused(t *testing.T) {
	_, _, _, a := attest(t, commit.P256)
	good := a.Marshal()
	if _, err := commit.ParseAttestation(pack(t, unpack(t, a))); err != nil {
		t.Fatalf("unpacking and packing alone should do no harm: %v", err)
	}
	cases := map[string][]byte{
		"empty":         {},
		"cut short":     good[:len(good)-1],
		"trailing byte": append(bytes.Clone(good), 0),
		"too long":      append(bytes.Clone(good), make([]byte, commit.MaxAttestation)...),
		"one field off": pack(t, unpack(t, a)[:9]),
		"one too many":  pack(t, append(unpack(t, a), 0)),
		"map":           pack(t, map[string]any{"fleet": "f"}),
		"nested":        pack(t, []any{[]any{[]any{[]any{[]any{1}}}}}),
		"huge string":   {0x8a, 0x01, 0x7b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"long integer":  append([]byte{0x8a, 0x18, 0x01}, good[2:]...), // version 1 in two bytes
		"open array":    append(append([]byte{0x9f}, good[1:]...), 0xff),
		"tagged":        append([]byte{0xd9, 0xd9, 0xf7}, good...),
	}
	proof := a.Proof.Bytes()
	spoil := func(i int, v any) []byte { w := unpack(t, a); w[i] = v; return pack(t, w) }
	cases["version 2"] = spoil(0, 2)
	cases["empty fleet"] = spoil(1, "")
	cases["long fleet"] = spoil(1, strings.Repeat("f", commit.MaxFleet+1))
	cases["fleet as bytes"] = spoil(1, []byte("fleet"))
	cases["chunk of 33 bits"] = spoil(2, uint64(1)<<32)
	cases["size 65"] = spoil(3, 65)
	cases["slot = size"] = spoil(4, 64)
	cases["negative epoch"] = spoil(5, -1)
	cases["short device"] = spoil(6, make([]byte, 31))
	cases["long device"] = spoil(6, make([]byte, 33))
	cases["device null"] = spoil(6, nil)
	cases["short signature"] = spoil(9, a.Signature[:63])
	cases["z_x not reduced"] = spoil(8, append(append(bytes.Clone(proof[:32]), addModulus(proof[32:64], fr.Modulus())...), proof[64:]...))
	cases["z_r not reduced"] = spoil(8, append(bytes.Clone(proof[:64]), addModulus(proof[64:], fr.Modulus())...))
	for name, b := range badPoints(t) {
		cases["C "+name] = spoil(7, b)
		cases["R "+name] = spoil(8, append(bytes.Clone(b), proof[32:]...))
	}
	for name, b := range cases {
		if _, err := commit.ParseAttestation(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := commit.ParseAttestation(cases["too long"]); !strings.Contains(err.Error(), "at most") {
		t.Errorf("an overlong attestation was decoded: %v", err)
	}
}

func TestLongestAttestationFits(t *testing.T) {
	_, _, _, a := attest(t, commit.P256)
	a.Fleet = strings.Repeat("f", commit.MaxFleet)
	a.Chunk, a.Size, a.Slot, a.Epoch = 1<<32-1, commit.MaxSize, commit.MaxSize-1, 1<<64-1
	b := a.Marshal()
	if len(b) > commit.MaxAttestation {
		t.Errorf("the longest attestation has %d bytes, more than MaxAttestation", len(b))
	}
	if _, err := commit.ParseAttestation(b); err != nil {
		t.Error(err)
	}
}

func FuzzParseAttestation(f *testing.F) {
	_, _, _, a := attest(f, commit.Ed25519)
	f.Add(a.Marshal())
	f.Add([]byte{})
	f.Add(a.Marshal()[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := commit.ParseAttestation(b)
		if err == nil && !bytes.Equal(a.Marshal(), b) {
			t.Fatal("a second encoding of one attestation was read")
		}
	})
}
