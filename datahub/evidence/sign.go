package evidence

import (
	"crypto"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// SigningBytes is what the exporter signs: a domain tag, the ledger id, and the file without its signature in compact JSON, as [ledger.Tagged] puts them together.
func (e *Evidence) SigningBytes() ([]byte, error) {
	unsigned := *e
	unsigned.Signature = nil
	head := ledger.Tagged("assay/v1/evidence", e.Ledger[:], nil)
	b, err := compact.append(head, &unsigned, 0)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint64(b[len(head)-8:], uint64(len(b)-len(head))) // the last part's length, which was not known
	return b, nil
}

// Sign signs for an organisation of the genesis.
func (e *Evidence) Sign(org string, key crypto.Signer, at time.Time) error {
	if _, ok := key.Public().(ed25519.PublicKey); !ok {
		return errors.New("signing evidence: key is not Ed25519")
	}
	e.ExportedBy, e.ExportedAt = org, at.Unix()
	message, err := e.SigningBytes()
	if err != nil {
		return err
	}
	signature, err := key.Sign(nil, message, crypto.Hash(0))
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
	message, err := e.SigningBytes()
	if err != nil {
		return err
	}
	if !ed25519.Verify(key, message, e.Signature) {
		return fmt.Errorf("signature by %s does not verify", e.ExportedBy)
	}
	return nil
}
