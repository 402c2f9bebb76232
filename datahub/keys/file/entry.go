package file

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/keys"
	"golang.org/x/crypto/chacha20poly1305"
)

// kind is what a key is for, and the end of its file's name.
type kind string

const (
	wrapping   kind = "wrap"
	derivation kind = "derive"
	signing    kind = "sign"
	shared     kind = "share"
)

// entry names one key.
type entry struct {
	kind kind
	name string
}

func (e entry) check() error { return keys.CheckName(e.name) }

func (e entry) file() string { return e.name + "." + string(e.kind) }

// A key's file is this line, a nonce, and the sealed key.
const header = "assay-key-v1\n"

const overhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead

// maxFile bounds any key's file.
const maxFile = len(header) + overhead + keys.MaxShare

// errDamaged is what a file that does not open comes to.
var errDamaged = errors.New("is damaged, or was sealed under another name or for another directory")

func (e entry) seal(root, key []byte) ([]byte, error) {
	sealed, err := seal(root, key, e.associated())
	if err != nil {
		return nil, err
	}
	return append([]byte(header), sealed...), nil
}

// unseal opens a key's file; it takes any bytes.
func (e entry) unseal(root, content []byte) ([]byte, error) {
	sealed, ok := bytes.CutPrefix(content, []byte(header))
	if !ok || len(content) > maxFile {
		return nil, errDamaged
	}
	key, err := unseal(root, sealed, e.associated())
	if err != nil || !e.fits(len(key)) {
		clear(key)
		return nil, errDamaged
	}
	return key, nil
}

func (e entry) fits(length int) bool {
	if e.kind == shared {
		return length >= 1 && length <= keys.MaxShare
	}
	return length == chacha20poly1305.KeySize
}

func (e entry) associated() []byte { return []byte("assay/keys/file/v1\x00" + e.file()) }

// seal returns a nonce and what is sealed with it.
func seal(key, plaintext, associated []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX, overhead+len(plaintext))
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return aead.Seal(nonce, nonce, plaintext, associated), nil
}

func unseal(key, sealed, associated []byte) ([]byte, error) {
	if len(sealed) < overhead {
		return nil, errDamaged
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	nonce, ciphertext := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	return aead.Open(nil, nonce, ciphertext, associated)
}
