package frame

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

func TestReportRoundTrip(t *testing.T) {
	r := &Report{Epoch: 12, Record: someRecord, Attestation: []byte{1, 2, 3}, Own: true}
	if got, err := ParseReport(r.Marshal()); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("reads back as %v, %v", got, err)
	}
	for name, bad := range map[string]Report{
		"absent":         {Attestation: []byte{1}},
		"lane":           {Record: record.Record{1, 1 << 31}, Attestation: []byte{1}},
		"no attestation": {Record: someRecord},
		"attestation":    {Record: someRecord, Attestation: make([]byte, commit.MaxAttestation+1)},
	} {
		if _, err := ParseReport(bad.Marshal()); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func TestAcceptRoundTrip(t *testing.T) {
	a := &Accept{Fleet: "swapco-fleet", Chunk: 3, Slot: 255, Generation: 1, Until: 1 << 63, Possession: make([]byte, 64)}
	got, err := ParseAccept(a.Marshal())
	if err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("reads back as %v, %v", got, err)
	}
	o := someOffer()
	o.Generation = 1
	if !a.Matches(o) {
		t.Error("does not match its offer")
	}
	if o.Generation = 2; a.Matches(o) {
		t.Error("matches another generation's offer")
	}
	for name, bad := range map[string]Accept{
		"fleet":      {Possession: make([]byte, 64)},
		"slot":       {Fleet: "f", Slot: commit.MaxSize, Possession: make([]byte, 64)},
		"possession": {Fleet: "f", Possession: make([]byte, 63)},
	} {
		if _, err := ParseAccept(bad.Marshal()); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func someHello(t testing.TB) (*Hello, *ecdh.PrivateKey) {
	t.Helper()
	makerKey, _ := newKey(t)
	key, public := newKey(t)
	policy, err := commit.Software.Policy()
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{Organization: []string{"cell-maker"}, SerialNumber: "B-1"}, NotBefore: commit.DeviceNotBefore, NotAfter: commit.DeviceNotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, Policies: []x509.OID{policy},
	}
	issuer := &x509.Certificate{Subject: pkix.Name{Organization: []string{"cell-maker"}}}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), makerKey)
	if err != nil {
		t.Fatal(err)
	}
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := &Hello{Certificate: der, Ephemeral: ephemeral.PublicKey().Bytes(), SentMicros: 5}
	if err := h.Sign(testLedger, key); err != nil {
		t.Fatal(err)
	}
	if c, err := h.Verify(testLedger); err != nil || c.Key.DeviceID() != public.DeviceID() {
		t.Fatalf("verifies as %v, %v", c, err)
	}
	return h, ephemeral
}

func TestHelloRoundTrip(t *testing.T) {
	h, _ := someHello(t)
	if got, err := ParseHello(h.Marshal()); err != nil || !reflect.DeepEqual(got, h) {
		t.Errorf("reads back as %v, %v", got, err)
	}
	for name, change := range map[string]func(*Hello){
		"ephemeral": func(h *Hello) { h.Ephemeral[0] ^= 1 },
		"time":      func(h *Hello) { h.SentMicros++ },
		"signature": func(h *Hello) { h.Signature[0] ^= 1 },
		"other":     func(h *Hello) { o, _ := someHello(t); h.Certificate = o.Certificate },
	} {
		h, _ := someHello(t)
		change(h)
		if _, err := h.Verify(testLedger); err == nil {
			t.Errorf("%s: verifies although it was changed", name)
		}
	}
	if _, err := h.Verify(commit.Digest{9}); err == nil {
		t.Error("verifies for another ledger")
	}
	for name, bad := range map[string]Hello{
		"no certificate": {Ephemeral: make([]byte, 32), Signature: make([]byte, 64)},
		"certificate":    {Certificate: make([]byte, commit.MaxCertificate+1), Ephemeral: make([]byte, 32), Signature: make([]byte, 64)},
		"ephemeral":      {Certificate: []byte{1}, Ephemeral: make([]byte, 31), Signature: make([]byte, 64)},
		"signature":      {Certificate: []byte{1}, Ephemeral: make([]byte, 32)},
	} {
		if _, err := ParseHello(bad.Marshal()); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func someOffer() *Offer {
	return &Offer{
		Ledger: testLedger, SRS: commit.Digest{4}, Fleet: "swapco-fleet", Chunk: 3, Size: 256, Slot: 255,
		Secret: commit.Secret{1, 2, 3}, Transport: TransportKey{9, 8, 7}, EpochZero: 1_790_000_000, EpochSeconds: 86_400, Through: 41,
	}
}

func TestOfferReachesItsDeviceOnly(t *testing.T) {
	h, private := someHello(t)
	id := commit.DeviceID{1}
	sealed, err := someOffer().SealTo(h.Ephemeral, id)
	if err != nil {
		t.Fatal(err)
	}
	if !IsOffer(sealed) || IsOffer(Seal(newTransport(), Down, id, nil)) {
		t.Error("an offer is not told from a sealed message")
	}
	if got, err := OpenOffer(private, sealed, id); err != nil || !reflect.DeepEqual(got, someOffer()) {
		t.Errorf("opened as %v, %v", got, err)
	}
	if _, err := OpenOffer(private, sealed, commit.DeviceID{2}); err == nil {
		t.Error("opens for another device")
	}
	if _, other := someHello(t); true {
		if _, err := OpenOffer(other, sealed, id); err == nil {
			t.Error("opens with another key")
		}
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := OpenOffer(private, bad, id); err == nil {
			t.Fatalf("opens with byte %d changed", i)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", someOffer(), someOffer(), *someOffer()); strings.Contains(text, "1, 2, 3, 0") || strings.Contains(text, "9 8 7") || strings.Contains(text, "0x9, 0x8") {
		t.Errorf("printed as %s", text)
	}
}

func TestOfferSignature(t *testing.T) {
	private, key := newKey(t)
	id, ephemeral := commit.DeviceID{1}, make([]byte, 32)
	o := someOffer()
	if err := o.Sign(private, ephemeral, id); err != nil {
		t.Fatal(err)
	}
	again, err := parseOffer(o.marshal())
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Verify(key, ephemeral, id); err != nil {
		t.Error(err)
	}
	if again.Verify(key, ephemeral, commit.DeviceID{2}) == nil || again.Verify(key, make([]byte, 31), id) == nil || someOffer().Verify(key, ephemeral, id) == nil {
		t.Error("verifies for another device, another hello, or without a signature")
	}
	if again.Through++; again.Verify(key, ephemeral, id) == nil {
		t.Error("verifies although it was changed")
	}
}

func TestOfferRefused(t *testing.T) {
	for name, change := range map[string]func(*Offer){
		"fleet":     func(o *Offer) { o.Fleet = "" },
		"size":      func(o *Offer) { o.Size = 100 },
		"slot":      func(o *Offer) { o.Slot = 256 },
		"transport": func(o *Offer) { o.Transport = TransportKey{} },
		"no epoch":  func(o *Offer) { o.EpochSeconds = 0 },
		"epoch":     func(o *Offer) { o.EpochSeconds = maxEpochSeconds + 1 },
		"zero":      func(o *Offer) { o.EpochZero = -1 },
		"through":   func(o *Offer) { o.Through = MaxSequence + 1 },
		"signature": func(o *Offer) { o.Signature = []byte{1} },
	} {
		o := someOffer()
		change(o)
		if _, err := o.SealTo(make([]byte, 32), commit.DeviceID{}); err == nil {
			t.Errorf("%s: sealed", name)
		}
		if _, err := parseOffer(o.marshal()); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func TestDownRoundTrip(t *testing.T) {
	proposal := someRecord
	for _, m := range []Message{
		&Ack{}, &Ack{Through: 9, Refused: []Refusal{{3, "clock"}, {9, "content"}}},
		&Attest{Epoch: 3}, &Attest{Epoch: 3, Proposal: &proposal, Formulas: "health/v1"},
	} {
		b, err := MarshalDown(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseDown(b); err != nil || !reflect.DeepEqual(got, m) {
			t.Errorf("%v reads back as %v, %v", m, got, err)
		}
	}
	for name, m := range map[string]Message{
		"through":   &Ack{Through: MaxSequence + 1},
		"refusal":   &Ack{Through: 3, Refused: []Refusal{{4, "clock"}}},
		"reason":    &Ack{Through: 3, Refused: []Refusal{{3, "\x1b[2J"}}},
		"refusals":  &Ack{Through: 3, Refused: make([]Refusal, MaxRefusals+1)},
		"proposal":  &Attest{Proposal: &record.Record{}, Formulas: "health/v1"},
		"formulas":  &Attest{Formulas: strings.Repeat("x", 65)},
		"unversion": &Attest{Proposal: &proposal},
	} {
		if _, err := MarshalDown(m); err == nil {
			t.Errorf("%s: marshalled", name)
		}
	}
}
