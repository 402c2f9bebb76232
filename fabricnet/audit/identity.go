package audit

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
)

// identity is a certificate that an MSP of the channel vouches for.
type identity struct {
	mspID string
	cert  *x509.Certificate
	// digest tells identities apart. See fingerprint.
	digest [sha256.Size]byte
	// invalid says why the MSP does not vouch for it after all: it is revoked or has not one role. Fabric tells the two apart, and so must who computes its codes.
	invalid error
	roles   map[msp.MSPRole_MSPRoleType]bool
	units   []unit
}

// unit is an organisational unit with the chain of CAs that put it there.
type unit struct {
	name  string
	chain [sha256.Size]byte
}

// identities keeps the identities of one configuration that were met, as they were serialised.
type identities struct {
	mu   sync.Mutex
	seen map[[sha256.Size]byte]*known
}

type known struct {
	id  *identity
	err error
}

// maxIdentities bounds the cache, which is emptied when it is full.
const maxIdentities = 1 << 14

// identify parses a serialised identity and checks it against its MSP. It gives an error for one that belongs to no MSP of the channel.
func (c *configuration) identify(serialised []byte) (*identity, error) {
	key := sha256.Sum256(serialised) // what is behind the certificate is free, and may be long
	c.identities.mu.Lock()
	k, ok := c.identities.seen[key]
	c.identities.mu.Unlock()
	if ok {
		return k.id, k.err
	}
	k = new(known)
	k.id, k.err = c.parseIdentity(serialised)
	c.identities.mu.Lock()
	defer c.identities.mu.Unlock()
	if len(c.identities.seen) >= maxIdentities {
		clear(c.identities.seen)
	}
	c.identities.seen[key] = k
	return k.id, k.err
}

func (c *configuration) parseIdentity(serialised []byte) (*identity, error) {
	s := new(msp.SerializedIdentity)
	if err := decode("identity", serialised, s, nil); err != nil {
		return nil, err
	}
	m, ok := c.msps[s.Mspid]
	if !ok {
		return nil, fmt.Errorf("identity: the channel has no MSP %.64q", s.Mspid)
	}
	cert, err := parseCertificate(s.IdBytes)
	if err != nil {
		return nil, fmt.Errorf("identity of %s: %w", s.Mspid, err)
	}
	return m.identity(cert)
}

// fingerprint identifies a certificate by what its authority signed, without the signature: an ECDSA signature has a twin that anybody can compute, and a certificate with
// that is the same one. (Fabric brings all into one form before it compares.)
func fingerprint(cert *x509.Certificate) [sha256.Size]byte {
	return sha256.Sum256(cert.RawTBSCertificate)
}

func parseCertificate(encoded []byte) (*x509.Certificate, error) {
	p, _ := pem.Decode(encoded)
	if p == nil {
		return nil, errors.New("certificate is not PEM")
	}
	cert, err := x509.ParseCertificate(p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return cert, nil
}

// verify checks a signature as Fabric does: ECDSA over SHA-256 in its lower half, or Ed25519 over the message.
func (id *identity) verify(message, signature []byte) error {
	switch key := id.cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		return verifyECDSA(key, message, signature)
	case ed25519.PublicKey:
		if ed25519.Verify(key, message, signature) {
			return nil
		}
		return errSignature
	}
	return fmt.Errorf("a key of type %T signs nothing on Fabric", id.cert.PublicKey)
}

var errSignature = errors.New("signature does not verify")

func verifyECDSA(key *ecdsa.PublicKey, message, signature []byte) error {
	var s struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &s); err != nil {
		return errSignature
	}
	if s.R.Sign() != 1 || s.S.Sign() != 1 || s.S.Cmp(new(big.Int).Rsh(key.Params().N, 1)) > 0 {
		return errSignature
	}
	digest := sha256.Sum256(message)
	if !ecdsa.Verify(key, digest[:], s.R, s.S) {
		return errSignature
	}
	return nil
}

// has reports whether the identity is valid and has a role in its organisation.
func (id *identity) has(role msp.MSPRole_MSPRoleType) bool {
	return id.invalid == nil && id.roles[role]
}

// checkPeriod holds a time against the certificate's validity. Fabric's peers do not: an expired certificate is stopped by orderers, if at all.
// Clocks differ by up to skew.
func (id *identity) checkPeriod(t time.Time, skew time.Duration) error {
	if t.Add(skew).Before(id.cert.NotBefore) || t.Add(-skew).After(id.cert.NotAfter) {
		return fmt.Errorf("certificate of %s is valid from %s to %s", id.mspID, id.cert.NotBefore.Format(time.RFC3339), id.cert.NotAfter.Format(time.RFC3339))
	}
	return nil
}
