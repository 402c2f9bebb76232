package ledger

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
)

// Role is what an organisation may do. An organisation may have several, but a regulator owns nothing.
type Role string

const (
	// RoleOwner registers fleets, enrols devices, anchors, decides and proves.
	RoleOwner Role = "owner"
	// RoleFinancier asks.
	RoleFinancier Role = "financier"
	// RoleRegulator registers makers, publishes keys, asks, and signs trust exports.
	RoleRegulator Role = "regulator"
)

// Organisation takes part in the consortium with a node and a key.
type Organisation struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Roles []Role `json:"roles"`
	// MSP is the organisation's membership service provider on Fabric, if its id is another than ID.
	MSP string `json:"msp,omitempty"`
	// Key is the organisation's Ed25519 key, PKIX in DER.
	Key []byte `json:"key"`
}

// MSPID is the id of the organisation's membership service provider on Fabric.
func (o *Organisation) MSPID() string {
	if o.MSP != "" {
		return o.MSP
	}
	return o.ID
}

// checkMSP accepts what Fabric takes for an id, and one spelling of the default.
func (o *Organisation) checkMSP() error {
	if len(o.MSP) > MaxID {
		return fmt.Errorf("organisation %s: msp has %d characters, at most %d", o.ID, len(o.MSP), MaxID)
	}
	for i := range len(o.MSP) {
		if c := o.MSP[i]; !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || i > 0 && (c == '.' || c == '-')) {
			return fmt.Errorf("organisation %s: msp %q may hold letters, digits and, inside, '.' and '-'", o.ID, o.MSP)
		}
	}
	if o.MSP == o.ID {
		return fmt.Errorf("organisation %s: msp is the id, leave it out", o.ID)
	}
	return nil
}

// Has reports whether the organisation has the role.
func (o *Organisation) Has(r Role) bool { return slices.Contains(o.Roles, r) }

// ed25519Header is what stands before an Ed25519 key in PKIX. DER has one encoding of it, so that no parser is needed.
const ed25519Header = "\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"

// PublicKey decodes Key.
func (o *Organisation) PublicKey() (ed25519.PublicKey, error) {
	if len(o.Key) != len(ed25519Header)+ed25519.PublicKeySize || string(o.Key[:len(ed25519Header)]) != ed25519Header {
		return nil, fmt.Errorf("organisation %s: key is not Ed25519, PKIX in DER, of %d bytes", o.ID, len(ed25519Header)+ed25519.PublicKeySize)
	}
	return bytes.Clone(o.Key[len(ed25519Header):]), nil
}

func (o *Organisation) check() error {
	if err := CheckID("organisation id", o.ID); err != nil {
		return err
	}
	if err := CheckText("organisation name", o.Name, MaxTitle, true); err != nil {
		return err
	}
	if err := o.checkMSP(); err != nil {
		return err
	}
	if len(o.Roles) == 0 {
		return fmt.Errorf("organisation %s: has no role", o.ID)
	}
	for i, r := range o.Roles {
		if r != RoleOwner && r != RoleFinancier && r != RoleRegulator {
			return fmt.Errorf("organisation %s: unknown role %q", o.ID, r)
		}
		if slices.Contains(o.Roles[:i], r) {
			return fmt.Errorf("organisation %s: role %s is listed twice", o.ID, r)
		}
	}
	if o.Has(RoleRegulator) && o.Has(RoleOwner) {
		return fmt.Errorf("organisation %s: a regulator cannot be an owner", o.ID)
	}
	_, err := o.PublicKey()
	return err
}

var errNoRegulator = errors.New("genesis: no organisation has the regulator role")
