package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

var keySet = string(must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{ecKey("a")}})))

// provider is an issuer's server that answers as it should, but for what is given.
func provider(t *testing.T, discovery func(base string) string, keys http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		document := `{"issuer":"` + server.URL + `","jwks_uri":"` + server.URL + `/keys"}`
		if discovery != nil {
			document = discovery(server.URL)
		}
		fmt.Fprint(w, document)
	})
	if keys == nil {
		keys = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, keySet) }
	}
	mux.HandleFunc("/keys", keys)
	return server.URL
}

func TestRemote(t *testing.T) {
	url := provider(t, nil, nil)
	got, err := Remote(url, nil)(t.Context())
	if err != nil || len(got.Keys) != 1 || got.Keys[0].KeyID != "a" {
		t.Errorf("%v, %v", got, err)
	}
}

// An issuer at a distance does not make the node ask its own machine.
func TestRemoteWhoseKeysAreOnThisMachine(t *testing.T) {
	asked := false
	here := provider(t, nil, func(w http.ResponseWriter, _ *http.Request) { asked = true; fmt.Fprint(w, keySet) })
	mux := http.NewServeMux()
	there := httptest.NewTLSServer(mux)
	defer there.Close()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, there.URL, here+"/keys")
	})
	roots := x509.NewCertPool()
	roots.AddCert(there.Certificate())
	if _, err := Remote(there.URL, roots)(t.Context()); err == nil || !strings.Contains(err.Error(), "must be https, as the issuer is") || asked {
		t.Errorf("%v, asked %t", err, asked)
	}
}

func TestRemoteThatDiscoversAmiss(t *testing.T) {
	for name, c := range map[string]struct {
		document string // BASE is the server's URL
		want     string
	}{
		"another issuer":         {`{"issuer":"https://other.example","jwks_uri":"BASE/keys"}`, "did not match"},
		"keys by http elsewhere": {`{"issuer":"BASE","jwks_uri":"http://elsewhere.example/keys"}`, "must be https"},
		"keys of a file":         {`{"issuer":"BASE","jwks_uri":"file:///etc/passwd"}`, "must be"},
		"no keys":                {`{"issuer":"BASE"}`, "must be"},
		"no JSON":                {"<html>", "decode"},
		"a long one":             {`{"issuer":"BASE","x":"` + strings.Repeat("a", maxDocument) + `"}`, "too large"},
	} {
		url := provider(t, func(base string) string { return strings.ReplaceAll(c.document, "BASE", base) }, nil)
		if _, err := Remote(url, nil)(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestRemoteWhoseKeysAreAmiss(t *testing.T) {
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
	}
	for name, c := range map[string]struct {
		keys http.HandlerFunc
		want string
	}{
		"long": {says(`{"keys":[],"x":"` + strings.Repeat("a", maxDocument) + `"}`), "too large"},
		"a redirection": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}, "redirects"},
		"an error":         {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, keySet, http.StatusTeapot) }, "418"},
		"another document": {says(`{"a":1}`), "not a set"},
		"many":             {says(`{"keys":[` + strings.Repeat("{},", maxKeys) + `{}]}`), "at most"},
	} {
		if _, err := Remote(provider(t, nil, c.keys), nil)(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestRemoteNeedsTheRightCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	if _, err := Remote(server.URL, nil)(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("got %v", err)
	}
}

func TestParseKeySetLeavesOutWhatItDoesNotKnow(t *testing.T) {
	good := string(must(ecKey("a").MarshalJSON()))
	private := string(must(json.Marshal(jose.JSONWebKey{Key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), KeyID: "p"})))
	set, err := parseKeySet([]byte(`{"keys":[{"kty":"OKP","crv":"X448","kid":"x"},{"kty":"oct","k":"AAAA","kid":"s"},` + private + `,` + good + `,7]}`))
	if err != nil || len(set.Keys) != 1 || set.Keys[0].KeyID != "a" {
		t.Errorf("%v, %v", set.Keys, err)
	}
}

func TestCheckIssuerURL(t *testing.T) {
	for text, want := range map[string]bool{
		"https://issuer.example": true, "https://issuer.example/realms/a": true, "http://127.0.0.1:8080/x": true, "http://localhost": true, "http://[::1]:1": true,
		"http://issuer.example": false, "ftp://issuer.example": false, "issuer.example": false, "": false, "https://": false, "https://a@issuer.example": false,
		"https://issuer.example?x": false, "https://issuer.example#x": false, "https://issuer.example/?": false, "https://issuer.example/{a}": false,
		"http://127.0.0.1.example": false, "https://" + strings.Repeat("a", 300): false, "https:opaque": false,
	} {
		if err := CheckIssuerURL("issuer", text); (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(keySet))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		set, err := parseKeySet(b)
		if err != nil {
			return
		}
		keys, err := usable(set)
		if err != nil {
			return
		}
		for id, k := range keys {
			if id == "" || !k.IsPublic() || k.Algorithm == "" {
				t.Errorf("%q: %v", id, k)
			}
		}
	})
}
