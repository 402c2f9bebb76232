package device

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// NewKey draws a key of the kind that New draws, for whoever has to keep it where it survives a restart, and opens the device
// with Open.
func NewKey(algorithm commit.Algorithm) (crypto.Signer, error) { return newKey(algorithm) }

// Open is the device of an existing certificate, whose key may live in hardware. It is not enrolled, and remembers no
// attestation: Accept and Resume give it back what it was.
func Open(schema *record.Schema, certificate *commit.DeviceCertificate, key crypto.Signer) (*Device, error) {
	if schema == nil || certificate == nil {
		return nil, errors.New("opening a device: schema or certificate is missing")
	}
	public, err := commit.NewPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("opening device %s: %w", certificate.Serial, err)
	}
	if public.DeviceID() != certificate.Key.DeviceID() {
		return nil, fmt.Errorf("opening device %s: key is not the certificate's", certificate.Serial)
	}
	return &Device{schema: schema, key: key, certificate: certificate}, nil
}

// Schema gives the lanes of the device's records their meaning.
func (d *Device) Schema() *record.Schema { return d.schema }
