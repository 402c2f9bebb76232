package authority_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func verify(a *authority.Authority, c *tls.Certificate, purpose x509.ExtKeyUsage, name string, at time.Time) error {
	_, err := c.Leaf.Verify(x509.VerifyOptions{Roots: a.Pool(), DNSName: name, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{purpose}})
	return err
}

func TestCertificates(t *testing.T) {
	at := time.Now()
	a := must(authority.Open(t.TempDir(), "owner", func() time.Time { return at }))
	if _, err := access.ParseCA(a.Certificate()); err != nil {
		t.Errorf("the CA: %v", err)
	}
	server, client := must(a.Server("node.example", "127.0.0.1", "::1")), must(a.Client())
	s, c := must(server(nil)), must(client(nil))
	for _, name := range []string{"node.example", "127.0.0.1", "::1"} {
		if err := verify(a, s, x509.ExtKeyUsageServerAuth, name, at); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for what, err := range map[string]error{
		"another name":          verify(a, s, x509.ExtKeyUsageServerAuth, "other.example", at),
		"a server as a client":  verify(a, s, x509.ExtKeyUsageClientAuth, "", at),
		"a client as a server":  verify(a, c, x509.ExtKeyUsageServerAuth, "", at),
		"after its end":         verify(a, c, x509.ExtKeyUsageClientAuth, "", at.Add(authority.Lifetime+time.Second)),
		"of another CA":         verify(must(authority.Open(t.TempDir(), "owner", nil)), c, x509.ExtKeyUsageClientAuth, "", at),
		"long before its begin": verify(a, c, x509.ExtKeyUsageClientAuth, "", at.Add(-2*time.Hour)),
	} {
		if err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if err := verify(a, c, x509.ExtKeyUsageClientAuth, "", at); err != nil {
		t.Error(err)
	}
	if o := c.Leaf.Subject.Organization; len(o) != 1 || o[0] != "owner" {
		t.Errorf("organisation %q", o)
	}
}

func TestCertificatesAreMadeAgainInTime(t *testing.T) {
	at := time.Now()
	a := must(authority.Open(t.TempDir(), "owner", func() time.Time { return at }))
	client := must(a.Client())
	c := must(client(nil))
	// It is the same until a third of its time is left.
	if again := must(client(nil)); again != c {
		t.Error("made again at once")
	}
	at = at.Add(authority.Lifetime*2/3 + time.Second)
	again := must(client(nil))
	if again == c || verify(a, again, x509.ExtKeyUsageClientAuth, "", at.Add(authority.Lifetime-time.Minute)) != nil {
		t.Error("not made again in time")
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	var group sync.WaitGroup
	authorities := make([]*authority.Authority, 8)
	for i := range authorities {
		group.Go(func() { authorities[i] = must(authority.Open(dir, "owner", nil)) })
	}
	group.Wait()
	for _, a := range authorities {
		if !bytes.Equal(a.Certificate(), authorities[0].Certificate()) {
			t.Fatal("several CAs in one folder")
		}
	}
	path := filepath.Join(dir, "ca.pem")
	if info := must(os.Stat(path)); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %#o", info.Mode().Perm())
	}
}

func TestFilesThatAreNoCA(t *testing.T) {
	dir := t.TempDir()
	must(authority.Open(dir, "owner", nil))
	path := filepath.Join(dir, "ca.pem")
	content := must(os.ReadFile(path))
	for name, c := range map[string]struct {
		content []byte
		mode    os.FileMode
		want    string
	}{
		"readable":       {content, 0o644, "0600"},
		"no certificate": {content[bytes.Index(content, []byte("-----BEGIN PRIVATE")):], 0o600, "not a certificate and its key"},
		"no key":         {content[:bytes.Index(content, []byte("-----BEGIN PRIVATE"))], 0o600, "not a certificate and its key"},
		"nothing":        {nil, 0o600, "not a certificate and its key"},
		"too long":       {append(content, make([]byte, 20<<10)...), 0o600, "more than"},
	} {
		_ = os.Remove(path)
		if err := os.WriteFile(path, c.content, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := authority.Open(dir, "owner", nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_ = os.Remove(path)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := authority.Open(dir, "lender", nil); err == nil || !strings.Contains(err.Error(), "not of lender") {
		t.Errorf("another organisation's: %v", err)
	}
	if _, err := authority.Open(dir, "Owner", nil); err == nil {
		t.Error("an organisation that is none was taken")
	}
}

func TestNames(t *testing.T) {
	a := must(authority.Open(t.TempDir(), "owner", nil))
	for _, names := range [][]string{nil, {""}, {strings.Repeat("a", 300)}, make([]string, authority.MaxNames+1)} {
		if _, err := a.Server(names...); err == nil {
			t.Errorf("%d names were taken", len(names))
		}
	}
}
