package vault

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/assay-net/assay/datahub/keys"
)

// wrappingKey says what a wrapping key is.
type wrappingKey struct {
	Type string `json:"type"`
}

var wrappingParameters = wrappingKey{"aes256-gcm96"}

func (s *Store) Wrap(ctx context.Context, name string, dataKey, context []byte) ([]byte, error) {
	t, err := s.transit(wrapping, name)
	if err = errors.Join(err, keys.CheckDataKey(dataKey, context)); err != nil {
		return nil, fmt.Errorf("wrapping: %w", err)
	}
	in := struct {
		wrappingKey
		Plaintext      []byte `json:"plaintext"`
		AssociatedData []byte `json:"associated_data"`
	}{wrappingParameters, dataKey, keys.WrapInput(name, context)}
	var out struct {
		Ciphertext string `json:"ciphertext"`
	}
	if err := t.doOrMake(ctx, "encrypt", in, &out, wrappingParameters); err != nil {
		return nil, fmt.Errorf("wrapping with key %s: %w", name, err)
	}
	wrapped, err := packWrapped(out.Ciphertext)
	if err != nil {
		return nil, fmt.Errorf("wrapping with key %s: %w", name, err)
	}
	return wrapped, nil
}

func (s *Store) Unwrap(ctx context.Context, name string, wrapped, context []byte) ([]byte, error) {
	t, err := s.transit(wrapping, name)
	if err = errors.Join(err, keys.CheckWrapped(wrapped, context)); err != nil {
		return nil, fmt.Errorf("unwrapping: %w", err)
	}
	ciphertext, malformed := unpackWrapped(wrapped)
	if malformed != nil {
		// Even so, the caller is told first whether there is such a key.
		if _, err := t.describe(ctx); err != nil {
			return nil, fmt.Errorf("unwrapping with key %s: %w", name, err)
		}
		return nil, fmt.Errorf("unwrapping with key %s: %w: %w", name, malformed, keys.ErrCorrupt)
	}
	in := struct {
		Ciphertext     string `json:"ciphertext"`
		AssociatedData []byte `json:"associated_data"`
	}{ciphertext, keys.WrapInput(name, context)}
	var out struct {
		Plaintext []byte `json:"plaintext"`
	}
	err = t.do(ctx, "decrypt", in, &out)
	if err == nil && len(out.Plaintext) == keys.DataKeySize {
		return out.Plaintext, nil
	}
	clear(out.Plaintext)
	return nil, fmt.Errorf("unwrapping with key %s: %w", name, t.notUnwrapped(ctx, err))
}

func (t transit) notUnwrapped(ctx context.Context, err error) error {
	if err == nil {
		return fmt.Errorf("it holds no data key: %w", keys.ErrCorrupt)
	}
	absent, cause := t.absent(ctx, err)
	switch {
	case cause != nil:
		return cause
	case absent:
		return keys.ErrNotFound
	}
	return fmt.Errorf("%w: %w", err, keys.ErrCorrupt)
}

// Destroy allows the key's deletion, which Vault asks for as a step of its own, deletes it, and looks whether it is gone.
func (s *Store) Destroy(ctx context.Context, name string) error {
	t, err := s.transit(wrapping, name)
	if err != nil {
		return fmt.Errorf("destroying: %w", err)
	}
	allow := struct {
		DeletionAllowed bool `json:"deletion_allowed"`
	}{true}
	err = s.call(ctx, write, t.path()+"/config", allow, nil)
	if err == nil {
		err = s.call(ctx, remove, t.path(), nil, nil)
	}
	if err != nil && !hasStatus(err, http.StatusBadRequest) && !missing(err) {
		return fmt.Errorf("destroying key %s: %w", name, err)
	}
	_, there := t.describe(ctx)
	switch {
	case errors.Is(there, keys.ErrNotFound):
		return nil
	case there != nil:
		err = there
	case err == nil:
		err = errors.New("Vault says that it is deleted, and has it still")
	}
	return fmt.Errorf("destroying key %s: %w", name, err)
}

// A wrapped key is this byte, the version of Vault's key, and what Vault's ciphertext holds: a nonce and the sealed key. Vault's own
// form, "vault:v1:" and base64, lets some bits change without a change of meaning.
const (
	wrappedVersion = 'v'
	wrappedPrefix  = "vault:v"
)

func packWrapped(ciphertext string) ([]byte, error) {
	version, sealed, err := parseVersioned(ciphertext)
	if err != nil {
		return nil, fmt.Errorf("reading Vault's ciphertext: %w", err)
	}
	wrapped := append(binary.BigEndian.AppendUint32([]byte{wrappedVersion}, version), sealed...)
	if len(wrapped) > keys.MaxWrapped {
		return nil, fmt.Errorf("Vault's ciphertext has %d bytes", len(sealed))
	}
	return wrapped, nil
}

// unpackWrapped takes any bytes.
func unpackWrapped(wrapped []byte) (string, error) {
	if len(wrapped) < 5 || len(wrapped) > keys.MaxWrapped || wrapped[0] != wrappedVersion {
		return "", errors.New("not a key that Vault wrapped")
	}
	version := binary.BigEndian.Uint32(wrapped[1:])
	if version == 0 || version > math.MaxInt32 {
		return "", errors.New("no version of a key")
	}
	return wrappedPrefix + strconv.Itoa(int(version)) + ":" + base64.StdEncoding.EncodeToString(wrapped[5:]), nil
}

// parseVersioned reads "vault:vN:" and base64, as Vault writes ciphertexts, signatures and MACs.
func parseVersioned(s string) (uint32, []byte, error) {
	rest, ok := strings.CutPrefix(s, wrappedPrefix)
	number, encoded, found := strings.Cut(rest, ":")
	if !ok || !found || len(s) > 4096 {
		return 0, nil, errors.New("not of the form vault:vN:…")
	}
	version, err := strconv.ParseUint(number, 10, 31)
	if err != nil || version == 0 {
		return 0, nil, errors.New("no version of a key")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return 0, nil, errors.New("not in base64")
	}
	return uint32(version), b, nil
}
