package evidence

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// SigningBytes is what the exporter signs: a domain tag, the ledger id, and the file without its signature in compact JSON.
func (e *Evidence) SigningBytes() []byte {
	unsigned := *e
	unsigned.Signature = nil
	return ledger.Tagged("assay/v1/evidence", e.Ledger[:], ledger.Encode(&unsigned))
}

// Sign signs for an organisation of the genesis.
func (e *Evidence) Sign(org string, key crypto.Signer, at time.Time) error {
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return errors.New("signing evidence: key is not Ed25519")
	}
	e.ExportedBy, e.ExportedAt = org, at.Unix()
	signature, err := key.Sign(nil, e.SigningBytes(), crypto.Hash(0))
	if err != nil {
		return fmt.Errorf("signing evidence: %w", err)
	}
	e.Signature = signature
	if err := e.checkSignature(); err != nil {
		return fmt.Errorf("signing evidence: %w", err)
	}
	return nil
}

func (e *Evidence) checkSignature() error {
	o, ok := e.Genesis.Organisation(e.ExportedBy)
	if !ok {
		return fmt.Errorf("exported_by: %.64q is not an organisation of the ledger", e.ExportedBy)
	}
	key, err := o.PublicKey()
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, e.SigningBytes(), e.Signature) {
		return fmt.Errorf("signature by %s does not verify", e.ExportedBy)
	}
	return nil
}
