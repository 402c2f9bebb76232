package ocpp

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/assay-net/assay/datahub/telemetry/ocmf"
)

const encodingOCMF = "OCMF"

// Options says which keys of meters count.
type Options struct {
	// Keys finds the keys that the owner registered. It may be nil.
	Keys ocmf.Keys
	// TrustSentKeys takes the key that comes with a value where none is registered. Such a signature says that the record is as the
	// station sends it, not that a meter made it: a station that lies can send a key of its own.
	TrustSentKeys bool
}

// record decodes the OCMF record of a signed value.
func (s *Signed) record() (*ocmf.Record, error) {
	if s.EncodingMethod != encodingOCMF {
		return nil, errors.New("encodingMethod is not OCMF")
	}
	text, err := base64Text(s.Data)
	if err != nil {
		return nil, errors.New("signedMeterData is not base64")
	}
	return ocmf.Parse(text)
}

// key is the key that came along: base64 of a composition oca:…:asn1:… or, from older stations, a key in hex or base64. It is not
// Known if none came.
func (s *Signed) key() (ocmf.PublicKey, error) {
	if s.PublicKey == "" {
		return ocmf.PublicKey{}, nil
	}
	if text, err := base64Text(s.PublicKey); err == nil && strings.HasPrefix(string(text), "oca:") {
		return ocmf.ParsePublicKey(string(text))
	}
	return ocmf.ParsePublicKey(s.PublicKey)
}

func base64Text(text string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

// verify says whether a record is signed by a key that counts, and what the owner should know. It is ocmf.ErrSignature if the record is
// not what the key's holder signed.
func (o Options) verify(s *Signed, r *ocmf.Record) (issue string, err error) {
	sent, keyErr := s.key()
	if keyErr != nil {
		issue = "publicKey cannot be read"
	}
	if o.Keys != nil {
		if registered, found := o.Keys(r.Source()); found {
			if sent.Known() && !sent.Equal(registered) {
				issue = "publicKey is not the key that is registered for the meter"
			}
			return issue, r.Verify(registered)
		}
	}
	if !sent.Known() {
		return issue, ocmf.ErrNoKey
	}
	if err := r.Verify(sent); err != nil || o.TrustSentKeys {
		return issue, err
	}
	return "valid only by the key that came along, which nobody registered", ocmf.ErrNoKey
}
