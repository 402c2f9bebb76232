package frame

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"reflect"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
)

func TestFrameRoundTrip(t *testing.T) {
	f, key := signed(t, 7)
	b := f.Marshal()
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, f) {
		t.Errorf("%+v reads back as %+v", f, got)
	}
	if err := got.Verify(testLedger, key); err != nil {
		t.Error(err)
	}
}

func TestP256FrameVerifies(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := commit.NewPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	f := &Frame{Device: key.DeviceID(), Sequence: 1, Oldest: 1, Kind: KindOCMF, Payload: []byte("OCMF|{}|{}")}
	if err := f.Sign(testLedger, private); err != nil {
		t.Fatal(err)
	}
	if err := f.Verify(testLedger, key); err != nil {
		t.Error(err)
	}
}

// Every field is under the signature, and so is the ledger.
func TestEveryFieldIsSigned(t *testing.T) {
	for name, change := range map[string]func(*Frame){
		"device":    func(f *Frame) { f.Device[0] ^= 1 },
		"sequence":  func(f *Frame) { f.Sequence++ },
		"oldest":    func(f *Frame) { f.Oldest++ },
		"time":      func(f *Frame) { f.SentMicros++ },
		"kind":      func(f *Frame) { f.Kind++ },
		"payload":   func(f *Frame) { f.Payload[0] ^= 1 },
		"longer":    func(f *Frame) { f.Payload = append(f.Payload, 0) },
		"signature": func(f *Frame) { f.Signature[3] ^= 1 },
	} {
		f, key := signed(t, 7)
		change(f)
		if err := f.Verify(testLedger, key); err == nil {
			t.Errorf("%s: verifies although it was changed", name)
		}
	}
	f, key := signed(t, 7)
	if err := f.Verify(commit.Digest{9}, key); err == nil {
		t.Error("verifies for another ledger")
	}
	if _, other := newKey(t); f.Verify(testLedger, other) == nil {
		t.Error("verifies under another key")
	}
}

func TestContentIsWhatMustNotDiffer(t *testing.T) {
	f, _ := signed(t, 7)
	for name, c := range map[string]struct {
		change  func(*Frame)
		differs bool
	}{
		"oldest":    {func(f *Frame) { f.Oldest = 7 }, false},
		"signature": {func(f *Frame) { f.Signature = make([]byte, 64) }, false},
		"sequence":  {func(f *Frame) { f.Sequence++ }, true},
		"time":      {func(f *Frame) { f.SentMicros++ }, true},
		"kind":      {func(f *Frame) { f.Kind++ }, true},
		"payload":   {func(f *Frame) { f.Payload = []byte{1} }, true},
		"device":    {func(f *Frame) { f.Device[0] ^= 1 }, true},
	} {
		g := *f
		c.change(&g)
		if differs := !bytes.Equal(f.Content(), g.Content()); differs != c.differs {
			t.Errorf("%s: differs %v, want %v", name, differs, c.differs)
		}
	}
}

func TestSigningRefusesWhatParseWould(t *testing.T) {
	private, key := newKey(t)
	for name, f := range map[string]Frame{
		"sequence 0":     {Sequence: 0, Oldest: 0, Kind: 1, Payload: []byte{1}},
		"sequence large": {Sequence: MaxSequence + 1, Oldest: 1, Kind: 1, Payload: []byte{1}},
		"oldest 0":       {Sequence: 1, Kind: 1, Payload: []byte{1}},
		"oldest above":   {Sequence: 1, Oldest: 2, Kind: 1, Payload: []byte{1}},
		"no kind":        {Sequence: 1, Oldest: 1, Payload: []byte{1}},
		"no payload":     {Sequence: 1, Oldest: 1, Kind: 1},
		"large payload":  {Sequence: 1, Oldest: 1, Kind: 1, Payload: make([]byte, MaxPayload+1)},
	} {
		f.Device = key.DeviceID()
		if err := f.Sign(testLedger, private); err == nil {
			t.Errorf("%s: signed", name)
		}
		f.Signature = make([]byte, 64)
		if _, err := Parse(f.Marshal()); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func TestTheLargestFrameFits(t *testing.T) {
	private, key := newKey(t)
	f := &Frame{Device: key.DeviceID(), Sequence: MaxSequence, Oldest: MaxSequence, SentMicros: -1 << 63, Kind: 255, Payload: make([]byte, MaxPayload)}
	if err := f.Sign(testLedger, private); err != nil {
		t.Fatal(err)
	}
	transport := newTransport()
	sealed := Seal(transport, Up, f.Device, f.Marshal())
	if len(sealed) > MaxFrame {
		t.Fatalf("the largest frame takes %d bytes, at most %d", len(sealed), MaxFrame)
	}
	plain, err := Open(transport, Up, f.Device, sealed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(plain); err != nil {
		t.Fatal(err)
	}
}

func TestParseRefuses(t *testing.T) {
	f, _ := signed(t, 7)
	good := f.Marshal()
	for name, b := range map[string][]byte{
		"nothing":       nil,
		"one byte more": append(bytes.Clone(good), 0),
		"cut short":     good[:len(good)-1],
		"too long":      make([]byte, MaxPlain+1),
		"version":       append([]byte{good[0], 2}, good[2:]...),
		"long version":  append([]byte{good[0], 0x18, 1}, good[2:]...),
		"indefinite":    append(append([]byte{0x9f}, good[1:]...), 0xff),
		"a map":         {0xa1, 0x01, 0x02},
		"deep":          bytes.Repeat([]byte{0x81}, 1000),
		"large array":   {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"large string":  {0x88, 0x01, 0x5b, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func TestSealOpens(t *testing.T) {
	key, id := newTransport(), commit.DeviceID{7}
	plain := []byte("a frame")
	sealed := Seal(key, Up, id, plain)
	if len(sealed) != len(plain)+Overhead {
		t.Errorf("sealing adds %d bytes, want %d", len(sealed)-len(plain), Overhead)
	}
	if got, err := Open(key, Up, id, sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("opened as %q, %v", got, err)
	}
	if bytes.Equal(sealed, Seal(key, Up, id, plain)) {
		t.Error("sealing twice gives the same bytes")
	}
	for name, try := range map[string]func() ([]byte, error){
		"direction": func() ([]byte, error) { return Open(key, Down, id, sealed) },
		"device":    func() ([]byte, error) { return Open(key, Up, commit.DeviceID{8}, sealed) },
		"key":       func() ([]byte, error) { return Open(newTransport(), Up, id, sealed) },
		"no key":    func() ([]byte, error) { return Open(TransportKey{}, Up, id, sealed) },
		"cut":       func() ([]byte, error) { return Open(key, Up, id, sealed[:len(sealed)-1]) },
		"empty":     func() ([]byte, error) { return Open(key, Up, id, nil) },
		"large":     func() ([]byte, error) { return Open(key, Up, id, make([]byte, MaxFrame+1)) },
	} {
		if _, err := try(); err == nil {
			t.Errorf("opens with another %s", name)
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := Open(key, Up, id, bad); err == nil {
			t.Errorf("opens with byte %d changed", i)
		}
	}
}

func TestKeysAreNotShown(t *testing.T) {
	key := newTransport()
	text := strings.Join([]string{key.String(), sprint(key), sprint(&key), sprint(Offer{Transport: key})}, " ")
	if strings.Contains(text, sprint([32]byte(key))) || !strings.Contains(text, redacted) {
		t.Errorf("printed as %s", text)
	}
	if _, err := key.MarshalJSON(); err == nil {
		t.Error("marshals as JSON")
	}
}

func TestKindsHaveNames(t *testing.T) {
	if got := KindReadings.String() + " " + KindMeterings.String() + " " + Kind(0).String() + " " + Kind(99).String(); got != "readings meterings kind 0 kind 99" {
		t.Error(got)
	}
}
