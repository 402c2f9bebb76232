package access

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// maxDocument bounds what an issuer may answer.
const maxDocument = 256 << 10

// Remote asks an issuer for its keys: its discovery document, which must name the issuer as it is named here, says where they are. The issuer's TLS
// certificate must chain to one of the roots, the system's if there are none.
//
// Answers are bounded in size and time; redirections are not followed, and a key set that is not at an https URL is not fetched, unless the
// issuer itself is one of this machine.
func Remote(issuer string, roots *x509.CertPool) Keys {
	client := &http.Client{
		Timeout:       keysWait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it redirects") },
		Transport: bounded{&http.Transport{
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			Proxy:                  http.ProxyFromEnvironment,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           2,
			IdleConnTimeout:        time.Minute,
			TLSHandshakeTimeout:    keysWait,
			ForceAttemptHTTP2:      true,
		}},
	}
	return func(ctx context.Context) (jose.JSONWebKeySet, error) {
		at, err := discover(oidc.ClientContext(ctx, client), issuer)
		if err != nil {
			return jose.JSONWebKeySet{}, fmt.Errorf("issuer %s: %w", issuer, err)
		}
		set, err := fetchKeys(ctx, client, at)
		if err != nil {
			return set, fmt.Errorf("issuer %s: its keys at %s: %w", issuer, at, err)
		}
		return set, nil
	}
}

func discover(ctx context.Context, issuer string) (string, error) {
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return "", err
	}
	var document struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&document); err != nil {
		return "", err
	}
	if err := CheckIssuerURL("jwks_uri", document.Keys); err != nil {
		return "", err
	}
	// An issuer at a distance does not choose what this machine asks of itself.
	if strings.HasPrefix(issuer, "https:") && !strings.HasPrefix(document.Keys, "https:") {
		return "", fmt.Errorf("jwks_uri: %q must be https, as the issuer is", document.Keys)
	}
	return document.Keys, nil
}

func fetchKeys(ctx context.Context, client *http.Client, at string) (jose.JSONWebKeySet, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	defer response.Body.Close() //nolint:errcheck // read to its bound
	if response.StatusCode != http.StatusOK {
		return jose.JSONWebKeySet{}, fmt.Errorf("it answers %d", response.StatusCode)
	}
	b, err := io.ReadAll(response.Body)
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return parseKeySet(b)
}

// parseKeySet reads a JWK set. A key of a kind that is not known is left out, and does not spoil the others.
func parseKeySet(b []byte) (jose.JSONWebKeySet, error) {
	if len(b) > maxDocument {
		return jose.JSONWebKeySet{}, fmt.Errorf("has %d bytes, at most %d", len(b), maxDocument)
	}
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&raw); err != nil || raw.Keys == nil {
		return jose.JSONWebKeySet{}, errors.New("not a set of keys")
	}
	if len(raw.Keys) > maxKeys {
		return jose.JSONWebKeySet{}, fmt.Errorf("%d keys, at most %d", len(raw.Keys), maxKeys)
	}
	set := jose.JSONWebKeySet{}
	for _, r := range raw.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(r) == nil && key.IsPublic() {
			set.Keys = append(set.Keys, key)
		}
	}
	return set, nil
}

// bounded cuts answers off: what is longer is no JSON any more.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxDocument)
	return response, nil
}
