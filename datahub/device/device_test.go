package device

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
	"github.com/assay-net/assay/zk/record"
)

func battery(t testing.TB) *record.Schema {
	t.Helper()
	s, err := record.Lookup("battery/v1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newMaker(t testing.TB, id string) *Maker {
	t.Helper()
	m, err := NewMaker(id)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newDevice(t testing.TB, algorithm commit.Algorithm) *Device {
	t.Helper()
	d, err := New(newMaker(t, "maker-a"), Config{Serial: "S-1", Class: commit.Module, Algorithm: algorithm, Schema: battery(t)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func seat(slot uint32) (*commit.SRS, Seat) {
	srs := committest.UnsafeSRS(64)
	return srs, Seat{Ledger: commit.Digest{4}, SRS: srs.Digest(), Fleet: "fleet-a", Chunk: 1, Size: 64, Slot: slot}
}

func TestMakerCertifiesDevices(t *testing.T) {
	m := newMaker(t, "maker-a")
	ca, err := commit.ParseMakerCA(m.Certificate())
	if err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		d, err := New(m, Config{Serial: "S-9", Class: commit.SecureElement, Algorithm: algorithm, Schema: battery(t)})
		if err != nil {
			t.Fatal(err)
		}
		c, err := commit.ParseDeviceCertificate(d.Certificate().DER())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.VerifyIssuer(ca); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		if c.Maker != "maker-a" || c.Serial != "S-9" || c.Class != commit.SecureElement || c.Key.DeviceID() != d.ID() {
			t.Errorf("%s: certificate is %s %s %s", algorithm, c.Maker, c.Serial, c.Class)
		}
	}
	imposter, err := commit.ParseMakerCA(newMaker(t, "maker-a").Certificate())
	if err != nil {
		t.Fatal(err)
	}
	if err := newDevice(t, commit.Ed25519).Certificate().VerifyIssuer(imposter); err == nil {
		t.Error("another CA of the same name vouches for the device")
	}
}

func TestMakerAndDeviceRefuse(t *testing.T) {
	for _, id := range []string{"", " maker", strings.Repeat("m", 65), "m\n"} {
		if _, err := NewMaker(id); err == nil {
			t.Errorf("maker %q: accepted", id)
		}
	}
	m := newMaker(t, "maker-a")
	good := Config{Serial: "S-1", Class: commit.Module, Algorithm: commit.Ed25519, Schema: battery(t)}
	for name, change := range map[string]func(*Config){
		"serial":    func(c *Config) { c.Serial = "" },
		"class":     func(c *Config) { c.Class = "cloud" },
		"algorithm": func(c *Config) { c.Algorithm = "rsa" },
		"schema":    func(c *Config) { c.Schema = nil },
	} {
		c := good
		change(&c)
		if _, err := New(m, c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenMaker(m.Certificate(), other); err == nil {
		t.Error("a CA was opened with another's key")
	}
}

func TestDeviceAttestsAndOwnerOpens(t *testing.T) {
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		srs, s := seat(7)
		d := newDevice(t, algorithm)
		secret, err := d.Enrol(s)
		if err != nil {
			t.Fatal(err)
		}
		b, err := d.Attest(srs, s.Place(3), committest.Record(7))
		if err != nil {
			t.Fatal(err)
		}
		a, err := Check(srs, s.Place(3), d.Certificate(), b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := commit.CheckOpening(srs, s.Place(3), battery(t), committest.Record(7), secret, a.C); err != nil {
			t.Error(err)
		}
		if _, err := Check(srs, s.Place(4), d.Certificate(), b); err == nil {
			t.Error("attestation verifies in another epoch")
		}
		if _, err := Check(srs, s.Place(3), newDevice(t, algorithm).Certificate(), b); err == nil {
			t.Error("attestation verifies for another device")
		}
		if _, err := Check(srs, s.Place(3), d.Certificate(), b[1:]); err == nil {
			t.Error("half an attestation verifies")
		}
	}
}

// ‡ One attestation per device and epoch: a choice among several would let an owner pick.
func TestDeviceAttestsOnceInAnEpoch(t *testing.T) {
	for _, algorithm := range []commit.Algorithm{commit.Ed25519, commit.P256} {
		srs, s := seat(7)
		d := newDevice(t, algorithm)
		if _, err := d.Enrol(s); err != nil {
			t.Fatal(err)
		}
		first, err := d.Attest(srs, s.Place(3), committest.Record(1))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := d.Attest(srs, s.Place(3), committest.Record(1)); err != nil || !bytes.Equal(again, first) {
			t.Errorf("asking again for the same record gave another attestation (%v)", err)
		}
		if _, err := d.Attest(srs, s.Place(3), committest.Record(2)); !errors.Is(err, ErrAttested) {
			t.Errorf("a second record in the epoch: %v", err)
		}
		if _, err := d.Attest(srs, s.Place(2), committest.Record(1)); !errors.Is(err, ErrAttested) {
			t.Errorf("an earlier epoch: %v", err)
		}
		_, elsewhere := seat(8)
		if _, err := d.Enrol(elsewhere); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Attest(srs, elsewhere.Place(3), committest.Record(1)); !errors.Is(err, ErrAttested) {
			t.Errorf("the same epoch in another seat: %v", err)
		}
		if _, err := d.Attest(srs, elsewhere.Place(4), committest.Record(2)); err != nil {
			t.Errorf("the next epoch: %v", err)
		}
	}
}

func TestDeviceRemembersAcrossARestart(t *testing.T) {
	srs, s := seat(7)
	d := newDevice(t, commit.Ed25519)
	if _, err := d.Enrol(s); err != nil {
		t.Fatal(err)
	}
	early, err := d.Attest(srs, s.Place(2), committest.Record(1))
	if err != nil {
		t.Fatal(err)
	}
	late, err := d.Attest(srs, s.Place(3), committest.Record(1))
	if err != nil || !bytes.Equal(d.Last(), late) {
		t.Fatalf("last attestation is not the last (%v)", err)
	}
	restarted := &Device{schema: d.schema, key: d.key, certificate: d.certificate, enrolled: true, seat: d.seat, secret: d.secret}
	if err := restarted.Resume(late); err != nil {
		t.Fatal(err)
	}
	if _, err := restarted.Attest(srs, s.Place(3), committest.Record(2)); !errors.Is(err, ErrAttested) {
		t.Errorf("a second record after a restart: %v", err)
	}
	if err := restarted.Resume(early); !errors.Is(err, ErrAttested) {
		t.Errorf("rolled back: %v", err)
	}
	if err := restarted.Resume(late); err != nil {
		t.Errorf("resuming twice: %v", err)
	}
	if err := newDevice(t, commit.Ed25519).Resume(late); err == nil {
		t.Error("a device resumed from another's attestation")
	}
	if err := restarted.Resume([]byte("x")); err == nil {
		t.Error("a device resumed from garbage")
	}
}

func TestDeviceRefuses(t *testing.T) {
	srs, s := seat(7)
	d := newDevice(t, commit.Ed25519)
	if _, err := d.Attest(srs, s.Place(1), committest.Record(1)); err == nil {
		t.Error("a device attested before it was enrolled")
	}
	bad := s
	bad.Slot = 64
	if _, err := d.Enrol(bad); err == nil {
		t.Error("enrolled in a slot beyond the chunk")
	}
	if _, err := d.Enrol(s); err != nil {
		t.Fatal(err)
	}
	_, other := seat(8)
	if _, err := d.Attest(srs, other.Place(1), committest.Record(1)); err == nil {
		t.Error("attested for another slot")
	}
	rec := committest.Record(1)
	rec[1] = 15_001
	if _, err := d.Attest(srs, s.Place(1), rec); err == nil {
		t.Error("attested to a record beyond its schema")
	}
	if _, err := d.Attest(srs, s.Place(1), record.Record{}); err == nil {
		t.Error("attested to absence")
	}
	if d.Last() != nil {
		t.Error("a refusal was remembered as an attestation")
	}
	if _, err := d.Attest(committest.UnsafeSRS(256), s.Place(1), committest.Record(1)); err == nil {
		t.Error("attested over another SRS")
	}
}

func TestEverySecretIsNew(t *testing.T) {
	_, s := seat(7)
	d := newDevice(t, commit.Ed25519)
	first, err := d.Enrol(s)
	if err != nil {
		t.Fatal(err)
	}
	second, err := d.Enrol(s)
	if err != nil || first == second {
		t.Errorf("two enrolments have one secret (%v)", err)
	}
}

func TestDeviceIsNotPrinted(t *testing.T) {
	_, s := seat(7)
	d := newDevice(t, commit.Ed25519)
	secret, err := d.Enrol(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		for _, value := range []any{d, []*Device{d}, map[string]*Device{"d": d}, struct{ D *Device }{d}} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, fmt.Sprintf("%x", secret[:])) || strings.Contains(text, strings.Trim(fmt.Sprint(secret[:4]), "[]")) {
				t.Errorf("%s of %T shows the secret: %s", verb, value, text)
			}
		}
	}
}
