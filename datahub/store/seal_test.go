package store

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/assay-net/assay/zk/commit"
)

func TestPlacesHaveDifferentAssociatedData(t *testing.T) {
	places := []place{
		{frameBody, "ab", commit.DeviceID{}, 1, []byte("c")},
		{frameBody, "a", commit.DeviceID{}, 1, []byte("bc")},
		{frameBody, "abc", commit.DeviceID{}, 1, nil},
		{frameBody, "ab", commit.DeviceID{}, 2, []byte("c")},
		{frameBody, "ab", commit.DeviceID{1}, 1, []byte("c")},
		{snapshotBody, "ab", commit.DeviceID{}, 1, []byte("c")},
		{reportBody, "ab", commit.DeviceID{}, 1, []byte("c")},
		{openingBody, "ab", commit.DeviceID{}, 1, []byte("c")},
		{absentBody, "ab", commit.DeviceID{}, 1, []byte("c")},
		{quarantineBody, "ab", commit.DeviceID{}, 1, []byte("c")},
	}
	key, err := chacha20poly1305.NewX(make([]byte, chacha20poly1305.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	for i, in := range places {
		sealed := seal(key, in, []byte("body"))
		for j, out := range places {
			body, err := open(key, out, sealed)
			if i == j && (err != nil || string(body) != "body") {
				t.Errorf("%v does not open: %v", in, err)
			}
			if i != j && !errors.Is(err, ErrTampered) {
				t.Errorf("%v opens in %v", in, out)
			}
		}
	}
}

func TestNoncesAreFresh(t *testing.T) {
	key, err := chacha20poly1305.NewX(make([]byte, chacha20poly1305.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for range 1000 {
		sealed := seal(key, place{kind: frameBody}, nil)
		if len(sealed) != sealExtra || seen[string(sealed[1:25])] {
			t.Fatalf("%d bytes, or a nonce twice", len(sealed))
		}
		seen[string(sealed[1:25])] = true
	}
}

func TestIDsRise(t *testing.T) {
	var q sequencer
	var all []string
	for range 1000 {
		all = append(all, q.next())
	}
	if !slices.IsSorted(all) || len(slices.Compact(all)) != 1000 || len(all[0]) != 32 {
		t.Errorf("IDs such as %v", all[:3])
	}
}

func FuzzOpen(f *testing.F) {
	key, err := chacha20poly1305.NewX(make([]byte, chacha20poly1305.KeySize))
	if err != nil {
		f.Fatal(err)
	}
	in := place{kind: frameBody, fleet: "alpha"}
	good := seal(key, in, []byte("body"))
	f.Add(good)
	f.Add(good[:sealExtra-1])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		body, err := open(key, in, sealed)
		if err == nil && string(body) != "body" || err != nil && (body != nil || !errors.Is(err, ErrTampered)) {
			t.Fatalf("opens to %q, %v", body, err)
		}
		if bytes.HasPrefix(sealed, good) && err == nil != (len(sealed) == len(good)) {
			t.Fatalf("something was added: %v", err)
		}
	})
}
