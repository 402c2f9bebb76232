package gateway_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/assay-net/assay/datahub/api/access"
)

// claims are those of a token; nil takes one away.
type claims map[string]any

// claims are good ones, but for what is changed.
func (w *world) claims(change claims) []byte {
	now := time.Now()
	c := claims{
		"iss": issuerURL, "aud": access.Audience(w.own.ID), "sub": "ada", "jti": "id-1", "iat": now.Unix(), "exp": now.Add(30 * time.Minute).Unix(),
		access.RolesClaim: access.Roles(),
	}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return must(json.Marshal(c))
}

// private is the issuer's own key, which no attacker has: with it, what a token says can be wrong in one thing alone.
func (w *world) private(t testing.TB) any {
	t.Helper()
	return w.signingKey(t).Key
}

func (w *world) signingKey(t testing.TB) jose.JSONWebKey {
	t.Helper()
	var file struct {
		Keys []struct {
			Key jose.JSONWebKey `json:"key"`
		} `json:"keys"`
	}
	if err := json.Unmarshal(must(os.ReadFile(filepath.Join(w.issuerDir, "keys.json"))), &file); err != nil {
		t.Fatal(err)
	}
	return file.Keys[0].Key
}

func (w *world) keyID() string { return must(w.issuer.Keys(w.Context())).Keys[0].KeyID }

func (w *world) signer(t testing.TB) jose.Signer {
	t.Helper()
	return must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: w.signingKey(t)}, nil))
}

func (w *world) signed(t testing.TB, change claims) string {
	t.Helper()
	return must(must(w.signer(t).Sign(w.claims(change))).CompactSerialize())
}

func (w *world) signedWith(t testing.TB, key jose.SigningKey, change claims) string {
	t.Helper()
	return must(must(must(jose.NewSigner(key, nil)).Sign(w.claims(change))).CompactSerialize())
}
