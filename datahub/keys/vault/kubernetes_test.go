package vault_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/assay-net/assay/datahub/keys/vault/vaulttest"
	"github.com/hashicorp/vault/api"
)

// cluster signs service account tokens, as a Kubernetes API server does.
type cluster struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	path string
}

// project writes the token of a service account where Kubernetes puts it: a file that everybody in the pod may read.
func (c *cluster) project(account string, expires time.Time) {
	c.t.Helper()
	part := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	signed := part(map[string]string{"alg": "ES256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": "https://kubernetes.default.svc.cluster.local", "aud": []string{"vault"}, "sub": "system:serviceaccount:assay:" + account,
		"iat": time.Now().Unix(), "nbf": time.Now().Unix(), "exp": expires.Unix(),
	})
	digest := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, c.key, digest[:])
	if err != nil {
		c.t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	token := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	if err := os.WriteFile(c.path, []byte(token), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// Vault's own way to check service accounts without asking the cluster: the cluster's public key in an auth method of type jwt. The login is the
// same as for type kubernetes.
func testKubernetes(t *testing.T, server *vaulttest.Server) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Root().Sys().EnableAuthWithOptions("kubernetes", &api.EnableAuthOptions{Type: "jwt"}); err != nil {
		t.Fatal(err)
	}
	server.Write("auth/kubernetes/config", map[string]any{
		"jwt_validation_pubkeys": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
	})
	server.Write("auth/kubernetes/role/node", map[string]any{
		"role_type": "jwt", "user_claim": "sub", "bound_audiences": "vault", "bound_subject": "system:serviceaccount:assay:node",
		"token_policies": []string{vaulttest.Policy}, "token_no_default_policy": true, "token_ttl": "2s", "token_max_ttl": "2s",
	})
	k := &cluster{t, key, filepath.Join(t.TempDir(), "token")}
	c := vault.Config{Address: server.Address, CA: server.CA, Login: vault.Login{Method: vault.Kubernetes, Role: "node", ServiceAccount: k.path}}

	_, err = vault.Open(t.Context(), c, vault.Options{})
	wantClass(t, "no service account", err, keys.ErrDenied)
	k.project("another", time.Now().Add(time.Hour))
	_, err = vault.Open(t.Context(), c, vault.Options{})
	wantClass(t, "another service account", err, keys.ErrDenied)
	k.project("node", time.Now().Add(-time.Hour))
	_, err = vault.Open(t.Context(), c, vault.Options{})
	wantClass(t, "an old token", err, keys.ErrDenied)

	k.project("node", time.Now().Add(time.Hour))
	s := observe(t, c)
	wantEvery(t, s, wrap(t, s), nil)
	k.project("node", time.Now().Add(2*time.Hour))
	s.reaches(t, "assay_keys_vault_logins_total", "ok", 2)
}
