package vault

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
)

// answering opens a store at a server that lets it log in and then answers as it is told: what no Vault of the community edition says, or no Vault at all.
func answering(t *testing.T, answer http.HandlerFunc) *Store {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/"+lookupSelf {
			fmt.Fprint(w, `{"data":{"ttl":0,"renewable":false}}`) //nolint:errcheck // the client sees it
			return
		}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	t.Setenv("ASSAY_TEST_TOKEN", "token")
	s, err := Open(t.Context(), Config{
		Address: server.URL, Timeout: time.Second, Retries: -1, Login: Login{Method: Token, Token: "env:ASSAY_TEST_TOKEN"},
	}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // it returns none
	return s
}

func TestStatuses(t *testing.T) {
	for status, want := range map[int]error{
		400: nil, 403: keys.ErrDenied, 404: keys.ErrNotFound, 405: nil, 412: keys.ErrUnavailable, 429: keys.ErrUnavailable, 472: nil, 473: nil,
		500: keys.ErrUnavailable, 501: keys.ErrUnavailable, 502: keys.ErrUnavailable, 503: keys.ErrUnavailable, 504: keys.ErrUnavailable,
	} {
		s := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"errors":[]}`) //nolint:errcheck // the client sees it
		})
		_, err := s.Share(t.Context(), "name")
		for _, class := range []error{keys.ErrUnavailable, keys.ErrNotFound, keys.ErrDenied, keys.ErrCorrupt} {
			if err == nil || errors.Is(err, class) != errors.Is(want, class) {
				t.Errorf("status %d: %v", status, err)
			}
		}
	}
}

// Whatever answers, the store says that it is not what it asked for, briefly.
func TestNonsense(t *testing.T) {
	mac := func(version string, n int) string {
		return `{"data":{"batch_results":[{"hmac":"vault:` + version + `:` + base64.StdEncoding.EncodeToString(make([]byte, n)) + `"}]}}`
	}
	for name, body := range map[string]string{
		"nothing": ``, "text": `hello`, "null": `null`, "no data": `{}`, "other data": `{"data":{"x":1}}`, "data of another type": `{"data":[1]}`,
		"null data": `{"data":null}`, "cut off": `{"data":{"plaintext":"AAAA`, "deep": strings.Repeat(`{"data":`, 20_000),
		"huge": `{"data":{"plaintext":"` + strings.Repeat("A", maxAnswer) + `"}}`, "short key": `{"data":{"plaintext":"AAAA"}}`,
		"short MAC": mac("v1", 31), "long MAC": mac("v1", 33), "another version": mac("v2", 32), "no version": mac("v", 32),
		"two MACs": `{"data":{"batch_results":[{},{}]}}`, "an error": `{"data":{"batch_results":[{"error":"broken"}]}}`,
		"ciphertext": `{"data":{"ciphertext":"vault:v0:AAAA"}}`, "long ciphertext": `{"data":{"ciphertext":"vault:v1:` + strings.Repeat("A", 3000) + `"}}`,
		"signature": `{"data":{"type":"ed25519","keys":{"1":{"public_key":"AAAA"}}}}`, "no public key": `{"data":{"type":"ed25519","keys":{"1":7}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := answering(t, func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, body) //nolint:errcheck // the client sees it
			})
			ctx := t.Context()
			_, errs := s.Wrap(ctx, "name", make([]byte, 32), nil)
			_, unwrap := s.Unwrap(ctx, "name", append([]byte{wrappedVersion, 0, 0, 0, 1}, make([]byte, 60)...), nil)
			_, derive := s.Derive(ctx, "name", [][]byte{nil})
			_, signer := s.Signer(ctx, "name")
			_, share := s.Share(ctx, "name")
			for _, err := range []error{errs, unwrap, derive, signer, share} {
				if err == nil || len(err.Error()) > 1000 {
					t.Errorf("error %.100v", err)
				}
			}
		})
	}
}

// A page of a proxy in between is not repeated in full.
func TestLongComplaint(t *testing.T) {
	s := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, strings.Repeat("<p>\nnot found ", 10_000)) //nolint:errcheck // the client sees it
	})
	_, err := s.Share(t.Context(), "name")
	if err == nil || len(err.Error()) > 600 || strings.Contains(err.Error(), "\n") {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

// A signature that does not verify is not handed out.
func TestWrongSignature(t *testing.T) {
	public := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{1}, 32))
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprintf(w, `{"data":{"type":"ed25519","keys":{"1":{"public_key":%q}}}}`, public) //nolint:errcheck // the client sees it
			return
		}
		fmt.Fprintf(w, `{"data":{"signature":"vault:v1:%s"}}`, base64.StdEncoding.EncodeToString(make([]byte, 64))) //nolint:errcheck // the client sees it
	})
	signer, err := s.Signer(t.Context(), "name")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signer.Sign(nil, []byte("message"), crypto.Hash(0)); err == nil {
		t.Error("a wrong signature is taken")
	}
}

func FuzzWrapped(f *testing.F) {
	f.Add([]byte{wrappedVersion, 0, 0, 0, 1, 2, 3})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, wrapped []byte) {
		ciphertext, err := unpackWrapped(wrapped)
		if err != nil {
			return
		}
		again, err := packWrapped(ciphertext)
		if err != nil || !bytes.Equal(again, wrapped) {
			t.Errorf("%x comes back as %x: %v", wrapped, again, err)
		}
	})
}

func FuzzVersioned(f *testing.F) {
	f.Add("vault:v1:AAAA")
	f.Add("vault:v01:")
	f.Fuzz(func(t *testing.T, s string) {
		version, b, err := parseVersioned(s)
		if err == nil && (version == 0 || len(b) > len(s)) {
			t.Errorf("%q gives version %d and %d bytes", s, version, len(b))
		}
	})
}

func TestConfigRefused(t *testing.T) {
	good := Config{Address: "https://vault.example.org:8200", Login: Login{Method: AppRole, RoleID: "role", SecretID: "env:SECRET"}}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Config){
		"address":        func(c *Config) { c.Address = "vault.example.org" },
		"https":          func(c *Config) { c.Address = "http://vault.example.org:8200" },
		"a URL":          func(c *Config) { c.Address = "https://user:password@vault.example.org" },
		"must be a URL":  func(c *Config) { c.Address = "https://vault.example.org/?token=x" },
		"begin with":     func(c *Config) { c.Address = "unix://vault" },
		"transit":        func(c *Config) { c.Transit = "/transit" },
		"kv must":        func(c *Config) { c.KV = "a/../b" },
		"prefix":         func(c *Config) { c.Prefix = "Assay" },
		"1 to 32":        func(c *Config) { c.Prefix = strings.Repeat("a", 33) },
		"timeout":        func(c *Config) { c.Timeout = time.Millisecond },
		"timeout is 1h":  func(c *Config) { c.Timeout = time.Hour },
		"retries":        func(c *Config) { c.Retries = -2 },
		"retries is 100": func(c *Config) { c.Retries = 100 },
		"method":         func(c *Config) { c.Login.Method = "userpass" },
		"mount":          func(c *Config) { c.Login.Mount = "a b" },
		"role_id":        func(c *Config) { c.Login.RoleID = "" },
		"secret_id":      func(c *Config) { c.Login.SecretID = "hunter2" },
		"role is":        func(c *Config) { c.Login = Login{Method: Kubernetes} },
		"token":          func(c *Config) { c.Login = Login{Method: Token} },
	} {
		c := good
		change(&c)
		err := c.Check()
		if err == nil || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, address := range []string{"http://127.0.0.1:8200", "http://[::1]:8200", "http://localhost:8200", "https://10.0.0.1"} {
		c := good
		c.Address = address
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A proxy that has no Vault behind it, or anything else that is none, does not make a store believe that a key is destroyed or not there.
func TestDestroyBelievesVaultOnly(t *testing.T) {
	for name, body := range map[string]string{"nothing": "", "blank": "  \n", "null": "null", "object": "{}", "other": `{"error":"no route"}`,
		"html": "<html>404</html>", "null errors": `{"errors":null}`, "data": `{"data":{"keys":{}}}`} {
		s := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, body) //nolint:errcheck // the client sees it
		})
		if err := s.Destroy(t.Context(), "name"); err == nil {
			t.Errorf("404 with %s: destroyed", name)
		}
		if _, err := s.Share(t.Context(), "name"); err == nil || errors.Is(err, keys.ErrNotFound) {
			t.Errorf("404 with %s: share: %v", name, err)
		}
	}
}

func TestDestroyLooksWhetherTheKeyIsGone(t *testing.T) {
	gone := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, `{"errors":[]}`) //nolint:errcheck // the client sees it
	})
	if err := gone.Destroy(t.Context(), "name"); err != nil {
		t.Error(err)
	}
	for _, body := range []string{`{"data":{}}`, `{"data":{"type":"aes256-gcm96","keys":{"1":1}}}`, ""} {
		s := answering(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }) //nolint:errcheck // the client sees it
		if err := s.Destroy(t.Context(), "name"); err == nil {
			t.Errorf("a server that says 200 and %q to everything: destroyed", body)
		}
	}
}

func TestPrefixesDoNotOverlap(t *testing.T) {
	for prefix, good := range map[string]bool{"assay": true, "assay-2": true, "a-wrapper": true, "assay-wrap": false, "assay-sign-x": false, "x-derive": false} {
		c := Config{Address: "https://vault.example.org", Prefix: prefix, Login: Login{Method: Token, Token: "env:X"}}
		if err := c.Check(); (err == nil) != good {
			t.Errorf("prefix %q: %v", prefix, err)
		}
	}
}
