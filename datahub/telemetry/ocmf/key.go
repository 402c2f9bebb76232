package ocmf

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// maxKeyText bounds the text of a key, as the field of OCPP does.
const maxKeyText = 2500

// PublicKey is a meter's key. One that came without a curve takes that of the record it is to verify.
type PublicKey struct {
	curve *curve // nil: not stated
	point []byte // 04‖X‖Y
}

// ParsePublicKey reads a key as meters, their labels and charging stations write it: hex or base64 of a DER SubjectPublicKeyInfo,
// of 04‖X‖Y or of X‖Y, with white space anywhere, or the composition oca:base16|base64:asn1:<key>.
func ParsePublicKey(text string) (PublicKey, error) {
	if len(text) > maxKeyText {
		return PublicKey{}, fmt.Errorf("key of %d bytes of text, at most %d", len(text), maxKeyText)
	}
	text = withoutSpace(text)
	if rest, found := strings.CutPrefix(text, "oca:"); found {
		encoding, content, ok := strings.Cut(rest, ":")
		key, isASN1 := strings.CutPrefix(content, "asn1:")
		if !ok || !isASN1 || encoding != "base16" && encoding != "base64" {
			return PublicKey{}, errors.New("key: composition is not oca:base16|base64:asn1:<key>")
		}
		text = key
		if encoding == "base16" {
			text = strings.Map(hexOnly, strings.TrimPrefix(key, "0x"))
		}
	}
	b, err := decodeKeyText(text)
	if err != nil {
		return PublicKey{}, err
	}
	return NewPublicKey(b)
}

// hexOnly leaves out what a label may group its digits with.
func hexOnly(r rune) rune {
	if strings.ContainsRune("0123456789abcdefABCDEF", r) {
		return r
	}
	return -1
}

func decodeKeyText(text string) ([]byte, error) {
	if b, err := hex.DecodeString(strings.TrimPrefix(text, "0x")); err == nil && len(b) > 0 {
		return b, nil
	}
	if b, err := decodeBase64(text); err == nil && len(b) > 0 {
		return b, nil
	}
	return nil, errors.New("key is neither hex nor base64")
}

// NewPublicKey reads a key's bytes: DER SubjectPublicKeyInfo, 04‖X‖Y or X‖Y. A stated curve must be one of the format's and hold
// the point.
func NewPublicKey(b []byte) (PublicKey, error) {
	switch len(b) {
	case 2 * 24, 2 * 32, 2 * 48: // an SPKI of these lengths does not exist: its head alone is 22 bytes or more
		return PublicKey{point: append([]byte{4}, b...)}, nil
	case 1 + 2*24, 1 + 2*32, 1 + 2*48:
		if b[0] == 4 {
			return PublicKey{point: bytes.Clone(b)}, nil
		}
	}
	return parseSPKI(b)
}

var ecPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

func parseSPKI(b []byte) (PublicKey, error) {
	var info struct {
		Algorithm struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key asn1.BitString
	}
	if rest, err := asn1.Unmarshal(b, &info); err != nil || len(rest) > 0 {
		return PublicKey{}, fmt.Errorf("key of %d bytes is neither SubjectPublicKeyInfo nor a point of the format's curves", len(b))
	}
	if !info.Algorithm.Algorithm.Equal(ecPublicKey) {
		return PublicKey{}, errors.New("key is not one of an elliptic curve")
	}
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(info.Algorithm.Parameters.FullBytes, &oid); err != nil || len(rest) > 0 {
		return PublicKey{}, errors.New("key does not name its curve")
	}
	c, err := curveOfOID(oid)
	if err != nil {
		return PublicKey{}, err
	}
	k := PublicKey{curve: c, point: info.Key.RightAlign()}
	return k, k.check(c)
}

// check says whether the key is a point of c.
func (k PublicKey) check(c *curve) error {
	switch {
	case len(k.point) == 0:
		return errors.New("no key")
	case k.curve != nil && k.curve != c:
		return fmt.Errorf("key is on %s, the record is signed on %s", k.curve.name, c.name)
	case len(k.point) == 1+c.size && (k.point[0] == 2 || k.point[0] == 3):
		return errors.New("key is a compressed point: give it with both coordinates")
	case len(k.point) != 1+2*c.size || k.point[0] != 4 || !c.onCurve(k.point):
		return fmt.Errorf("key is not a point of %s", c.name)
	}
	return nil
}

// Equal says whether both are the same point, and on the same curve where both state it.
func (k PublicKey) Equal(other PublicKey) bool {
	return bytes.Equal(k.point, other.point) && (k.curve == other.curve || k.curve == nil || other.curve == nil)
}

// Known says whether there is a key at all.
func (k PublicKey) Known() bool { return len(k.point) > 0 }
