package file

import (
	"bytes"
	"testing"

	"filippo.io/age"
)

func FuzzKeyFile(f *testing.F) {
	root := bytes.Repeat([]byte{7}, 32)
	e := entry{shared, "name"}
	whole, err := e.seal(root, []byte("share"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(header))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		share, err := e.unseal(root, content)
		if err != nil && share != nil {
			t.Error("an error and a share")
		}
		if err == nil && !bytes.Equal(content, whole) && !bytes.Equal(share, []byte("share")) {
			t.Error("a forgery opens")
		}
		if _, err := (entry{wrapping, "name"}).unseal(root, content); err == nil {
			t.Error("a share opens as a wrapping key")
		}
	})
}

func FuzzRootFile(f *testing.F) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	root := bytes.Repeat([]byte{7}, 32)
	whole, err := sealRoot(root, id.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte("age-encryption.org/v1\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if opened, err := unsealRoot(content, id); err == nil && !bytes.Equal(opened, root) {
			t.Error("another root key opens")
		}
	})
}
