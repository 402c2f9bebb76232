package admin

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var testConnection = Connection{
	Address:           "127.0.0.1:9999",
	TLSRoots:          []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
	ClientCertificate: []byte("-----BEGIN CERTIFICATE-----\nAAAB\n-----END CERTIFICATE-----\n"),
	ClientKey:         []byte("-----BEGIN PRIVATE KEY-----\nAAAC\n-----END PRIVATE KEY-----\n"),
}

func TestPackageIsDeterministic(t *testing.T) {
	first, id, err := Package("assay_1.0", testConnection)
	if err != nil {
		t.Fatal(err)
	}
	second, again, err := Package("assay_1.0", testConnection)
	if err != nil || !bytes.Equal(first, second) || id != again {
		t.Errorf("two packages of one connection differ (%v)", err)
	}
	sum := sha256.Sum256(first)
	if want := "assay_1.0:" + hex.EncodeToString(sum[:]); id != want {
		t.Errorf("id %s, want %s", id, want)
	}
	// The id is part of what a peer's administrator approves: it may not change with a compiler.
	const golden = "assay_1.0:9e4ab048eccd899fe4f3a5e1e51699ae16094b14508d71826436ad67d43d697a"
	if id != golden {
		t.Errorf("id %s, was %s", id, golden)
	}
	if found, err := PackageID(first); err != nil || found != id {
		t.Errorf("read back as %s, %v", found, err)
	}
}

func TestPackageContents(t *testing.T) {
	pkg, _, err := Package("l", testConnection)
	if err != nil {
		t.Fatal(err)
	}
	outer := unpack(t, pkg)
	inner := unpack(t, outer["code.tar.gz"])
	got := map[string]string{"metadata.json": string(outer["metadata.json"]), "connection.json": string(inner["connection.json"])}
	want := map[string]string{
		"metadata.json": `{"path":"","type":"ccaas","label":"l"}`,
		"connection.json": `{"address":"127.0.0.1:9999","dial_timeout":"10s","tls_required":true,"client_auth_required":true,` +
			`"client_key":"-----BEGIN PRIVATE KEY-----\nAAAC\n-----END PRIVATE KEY-----\n",` +
			`"client_cert":"-----BEGIN CERTIFICATE-----\nAAAB\n-----END CERTIFICATE-----\n",` +
			`"root_cert":"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func unpack(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for entries := tar.NewReader(unzipped); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 || header.Uname != "" || header.ModTime.Unix() != 0 {
			t.Errorf("%s has an owner or a time", header.Name)
		}
		if files[header.Name], err = io.ReadAll(entries); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPackageRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		label  string
		change func(*Connection)
		text   string
	}{
		"no label":     {"", func(*Connection) {}, "label"},
		"label":        {"a b", func(*Connection) {}, "label"},
		"long label":   {strings.Repeat("a", maxLabel+1), func(*Connection) {}, "label"},
		"no port":      {"l", func(c *Connection) { c.Address = "host" }, "address"},
		"no host":      {"l", func(c *Connection) { c.Address = ":1" }, "address"},
		"no roots":     {"l", func(c *Connection) { c.TLSRoots = nil }, "TLS roots"},
		"roots in DER": {"l", func(c *Connection) { c.TLSRoots = []byte{0x30} }, "TLS roots"},
		"no key":       {"l", func(c *Connection) { c.ClientKey = nil }, "client key"},
		"no cert":      {"l", func(c *Connection) { c.ClientCertificate = nil }, "client certificate"},
		"large key":    {"l", func(c *Connection) { c.ClientKey = bytes.Repeat([]byte("x"), maxPEM+1) }, "client key"},
	} {
		connection := testConnection
		c.change(&connection)
		_, _, err := Package(c.label, connection)
		if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "AAAC") {
			t.Errorf("%s: %v, want %q", name, err, c.text)
		}
	}
}

func FuzzPackageID(f *testing.F) {
	pkg, _, err := Package("l", testConnection)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pkg)
	f.Add(pkg[:100])
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := PackageID(b)
		if label, _, _ := strings.Cut(id, ":"); err == nil && checkLabel(label) != nil {
			t.Errorf("label %q", label)
		}
	})
}

// A package that unpacks to much more than it is is given up.
func TestPackageBomb(t *testing.T) {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	entries := tar.NewWriter(zipped)
	const size = 64 << 20
	if err := entries.WriteHeader(&tar.Header{Name: "a", Size: size, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(entries, zeros{}, size); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(entries.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := PackageID(out.Bytes()); err == nil {
		t.Error("is read")
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
