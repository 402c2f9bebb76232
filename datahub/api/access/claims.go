package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// maxClaims bounds how many claims a token makes.
const maxClaims = 64

// decodeClaims reads a token's payload. A claim that is made twice, under any spelling that the decoder takes for the same name, is made by nobody: two
// readers could read two tokens.
func decodeClaims(payload []byte, into *claims) error {
	if len(payload) > maxToken {
		return fmt.Errorf("token: its claims have %d bytes, at most %d", len(payload), maxToken)
	}
	if err := distinctNames(payload); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(into); err != nil || d.More() {
		return errors.New("token: its claims are not what a token's are")
	}
	return nil
}

// distinctNames reads the names of an object's members without what they hold.
func distinctNames(object []byte) error {
	malformed := errors.New("token: its claims are not an object")
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return malformed
	}
	var names [][]byte
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok || len(names) == maxClaims {
			return malformed
		}
		for _, other := range names {
			if bytes.EqualFold(other, []byte(name)) {
				return fmt.Errorf("token: the claim %q is made twice", name)
			}
		}
		names = append(names, []byte(name))
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return malformed
		}
	}
	if t, err := d.Token(); err != nil || t != json.Delim('}') || d.More() {
		return malformed
	}
	return nil
}
