package device

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// ErrAttested is returned when a device is asked for a second record in an epoch, or for an epoch before its last.
var ErrAttested = errors.New("device has attested to another record or a later epoch")

// Seat is where a device is enrolled: a slot that it keeps from epoch to epoch.
type Seat struct {
	Ledger, SRS       commit.Digest
	Fleet             string
	Chunk, Size, Slot uint32
}

// Place is the seat in one epoch.
func (s Seat) Place(epoch uint64) commit.Place {
	return commit.Place{Ledger: s.Ledger, SRS: s.SRS, Fleet: s.Fleet, Chunk: s.Chunk, Size: s.Size, Slot: s.Slot, Epoch: epoch}
}

// Config says what kind of device to make.
type Config struct {
	// Serial is the hardware serial, unique for its maker.
	Serial string
	// Class says where the key lives, Algorithm which kind of key it is.
	Class     commit.KeyClass
	Algorithm commit.Algorithm
	// Schema gives the lanes of the device's records their meaning.
	Schema *record.Schema
}

// Device is one battery or pile. Its methods may be called from several goroutines. Printing it shows its certificate
// only.
type Device struct {
	schema      *record.Schema
	key         crypto.Signer
	certificate *commit.DeviceCertificate

	mu       sync.Mutex
	enrolled bool
	seat     Seat
	secret   commit.Secret
	last     []byte // the last attestation, nil before the first
}

// New draws a key and has the maker certify it.
func New(maker *Maker, c Config) (*Device, error) {
	if c.Schema == nil {
		return nil, fmt.Errorf("device %s: schema is missing", c.Serial)
	}
	key, err := newKey(c.Algorithm)
	if err != nil {
		return nil, fmt.Errorf("device %s: %w", c.Serial, err)
	}
	certificate, err := maker.Issue(key.Public(), c.Serial, c.Class)
	if err != nil {
		return nil, err
	}
	return &Device{schema: c.Schema, key: key, certificate: certificate}, nil
}

func newKey(algorithm commit.Algorithm) (crypto.Signer, error) {
	switch algorithm {
	case commit.Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case commit.P256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("key algorithm %q is neither %s nor %s", string(algorithm), commit.Ed25519, commit.P256)
}

// Certificate is the maker's word for the device.
func (d *Device) Certificate() *commit.DeviceCertificate { return d.certificate }

// Public is the key that the device's attestations verify under.
func (d *Device) Public() commit.PublicKey { return d.certificate.Key }

// ID names the device.
func (d *Device) ID() commit.DeviceID { return d.certificate.Key.DeviceID() }

// Format writes maker and serial, whatever the verb.
func (d *Device) Format(f fmt.State, _ rune) {
	io.WriteString(f, "device "+d.certificate.Maker+"/"+d.certificate.Serial) //nolint:errcheck // fmt.State keeps its own error
}

// Enrol gives the device its seat and draws a new secret, which it returns for the owner to keep sealed. A device that
// moves to another seat keeps the memory of its last epoch: it cannot attest in that epoch again.
func (d *Device) Enrol(seat Seat) (commit.Secret, error) {
	if err := seat.Place(0).Validate(); err != nil {
		return commit.Secret{}, fmt.Errorf("enrolling %v: %w", d, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enrolled, d.seat, d.secret = true, seat, commit.NewSecret()
	return d.secret, nil
}

// Accept gives the device its seat and the secret that its owner chose for it, as Enrol does with one that it draws itself. The
// secret hides the device's records from everyone but the owner, who knows them anyway, so the owner may choose it.
func (d *Device) Accept(seat Seat, secret commit.Secret) error {
	if err := seat.Place(0).Validate(); err != nil {
		return fmt.Errorf("enrolling %v: %w", d, err)
	}
	if secret == (commit.Secret{}) {
		return fmt.Errorf("enrolling %v: the secret is empty", d)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.enrolled, d.seat, d.secret = true, seat, secret
	return nil
}

// Possess signs that the device agrees to be enrolled in a seat, in an epoch not after until. The ledger takes no enrolment
// without it. Until should not be far off: whoever has the signature may use it as long.
func (d *Device) Possess(seat Seat, until uint64) ([]byte, error) {
	if err := seat.Place(0).Validate(); err != nil {
		return nil, fmt.Errorf("%v agreeing to a seat: %w", d, err)
	}
	signature, err := commit.SignPossession(seat.Ledger, seat.Fleet, seat.Chunk, seat.Slot, until, d.key)
	if err != nil {
		return nil, fmt.Errorf("%v agreeing to a seat: %w", d, err)
	}
	return signature, nil
}

// Attest commits to the record of an epoch, proves the commitment well-formed and signs it. The place must be the
// device's seat and the record within its schema. Asked again for the same, it returns the same bytes; for another
// record in the epoch, or for an earlier epoch than its last, it returns ErrAttested.
func (d *Device) Attest(srs *commit.SRS, place commit.Place, rec record.Record) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.enrolled {
		return nil, fmt.Errorf("%v is not enrolled", d)
	}
	if place != d.seat.Place(place.Epoch) {
		return nil, fmt.Errorf("%v: asked to attest for fleet %q chunk %d slot %d, which is not its seat", d, place.Fleet, place.Chunk, place.Slot)
	}
	if err := d.schema.Check(rec); err != nil {
		return nil, fmt.Errorf("%v: %w", d, err)
	}
	attestation, err := commit.Attest(srs, place, rec, d.secret, d.key)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", d, err)
	}
	if err := d.remember(attestation); err != nil {
		return nil, fmt.Errorf("%v: epoch %d: %w", d, place.Epoch, err)
	}
	return bytes.Clone(d.last), nil
}

// remember makes the attestation the device's last. Within an epoch it keeps the one it has, which must be to the same
// commitment at the same place: C depends on seat, secret and record.
func (d *Device) remember(a *commit.Attestation) error {
	if d.last == nil {
		d.last = a.Marshal()
		return nil
	}
	last, err := commit.ParseAttestation(d.last)
	if err != nil {
		return fmt.Errorf("reading the last attestation: %w", err)
	}
	if a.Epoch > last.Epoch {
		d.last = a.Marshal()
		return nil
	}
	if a.Epoch < last.Epoch || !a.C.Equal(&last.C) {
		return ErrAttested
	}
	return nil
}

// Last returns the device's last attestation, to be kept where it survives a loss of power, and nil before the first.
func (d *Device) Last() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.last)
}

// Resume gives a device that was restarted the last attestation that it made. It refuses another device's, and one of
// an earlier epoch than it remembers.
func (d *Device) Resume(last []byte) error {
	a, err := commit.ParseAttestation(last)
	if err != nil {
		return fmt.Errorf("resuming %v: %w", d, err)
	}
	if a.Device != d.ID() {
		return fmt.Errorf("resuming %v: attestation is by device %s", d, a.Device)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last != nil && !bytes.Equal(d.last, last) {
		if before, err := commit.ParseAttestation(d.last); err != nil || a.Epoch <= before.Epoch {
			return fmt.Errorf("resuming %v: epoch %d: %w", d, a.Epoch, ErrAttested)
		}
	}
	d.last = bytes.Clone(last)
	return nil
}
