package device

import (
	"crypto"
	"crypto/tls"
	"io"
)

// TLS is how the device shows on a connection who it is: its maker's certificate, with its key to prove it. A server that
// knows makers by the ledger verifies the certificate itself.
func (d *Device) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{d.certificate.DER()}, PrivateKey: d.Signer()}
}

// Signer signs with the device's key, for the protocols that a device speaks beside its attestations: each message that it
// signs must begin with a tag of its own. It does not give the key away.
func (d *Device) Signer() crypto.Signer { return signer{d.key} }

// signer hides the key behind it, which a caller could otherwise take out by its type.
type signer struct{ key crypto.Signer }

func (s signer) Public() crypto.PublicKey { return s.key.Public() }

func (s signer) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return s.key.Sign(random, digest, o)
}
