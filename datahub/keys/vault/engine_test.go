package vault_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/assay-net/assay/datahub/keys/vault/vaulttest"
	"github.com/hashicorp/vault/api"
)

func TestEngines(t *testing.T) {
	server := vaulttest.Start(t)
	c := server.Config(t)
	for name, run := range map[string]func(*testing.T, *vaulttest.Server, vault.Config){
		"rotated": testRotated, "function": testFunction, "policy": testPolicy, "less than the policy": testLessThanPolicy, "no engine": testNoEngine,
		"keys of another type": testOtherTypes, "share's versions": testShareVersions, "prefixes": testPrefixes,
	} {
		t.Run(name, func(t *testing.T) { run(t, server, c) })
	}
}

// What Vault's operator rotates stays what it was.
func testRotated(t *testing.T, server *vaulttest.Server, c vault.Config) {
	s := openStore(t, c, vault.Options{})
	ctx, contexts := t.Context(), [][]byte{[]byte("context")}
	dataKey := []byte(strings.Repeat("k", 32))
	derived, err := s.Derive(ctx, "rotated", contexts)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := s.Signer(ctx, "rotated")
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := s.Wrap(ctx, "rotated", dataKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, kind := range []string{"wrap", "derive", "sign"} {
			server.Write("transit/keys/assay-"+kind+"-rotated/rotate", nil)
		}
	}
	for _, s := range []*vault.Store{s, openStore(t, c, vault.Options{})} {
		if again, err := s.Derive(ctx, "rotated", contexts); err != nil || !slices.Equal(again, derived) {
			t.Errorf("derived outputs differ: %v", err)
		}
		again, err := s.Signer(ctx, "rotated")
		if err != nil || !signer.Public().(ed25519.PublicKey).Equal(again.Public()) {
			t.Fatalf("the signing key differs: %v", err)
		}
		if _, err := again.Sign(nil, []byte("message"), crypto.Hash(0)); err != nil {
			t.Error(err)
		}
		if got, err := s.Unwrap(ctx, "rotated", wrapped, nil); err != nil || string(got) != string(dataKey) {
			t.Errorf("unwrapping what the first version wrapped: %v", err)
		}
	}
	newer, err := s.Wrap(ctx, "rotated", dataKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Unwrap(ctx, "rotated", newer, nil); err != nil {
		t.Error(err)
	}
	// An operator who withdraws the first version is told, and nothing else is used in its place.
	server.Write("transit/keys/assay-derive-rotated/config", map[string]any{"min_decryption_version": 3, "min_encryption_version": 3})
	if _, err := s.Derive(ctx, "rotated", contexts); err == nil {
		t.Error("outputs without the first version")
	}
}

// Outputs are HMAC-SHA256 of keys.DeriveInput, as with every driver.
func testFunction(t *testing.T, server *vaulttest.Server, c vault.Config) {
	server.Write("transit/keys/assay-derive-function", map[string]any{"type": "hmac", "key_size": 32, "exportable": true})
	exported, err := server.Root().Logical().Read("transit/export/hmac-key/assay-derive-function/1")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := base64.StdEncoding.DecodeString(exported.Data["keys"].(map[string]any)["1"].(string))
	if err != nil {
		t.Fatal(err)
	}
	context := []byte("device 7")
	got, err := openStore(t, c, vault.Options{}).Derive(t.Context(), "function", [][]byte{context})
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write(keys.DeriveInput("function", context))
	if !hmac.Equal(mac.Sum(nil), got[0][:]) {
		t.Error("another function")
	}
}

// The policy of deploy/vault allows what the conformance suite does, and nothing of this.
func testPolicy(t *testing.T, server *vaulttest.Server, c vault.Config) {
	s := openStore(t, c, vault.Options{})
	wrap(t, s)
	wantEvery(t, s, wrap(t, s), nil)
	token := server.Token(&api.TokenCreateRequest{Policies: []string{vaulttest.Policy}, NoDefaultPolicy: true})
	secret, err := token.Read()
	if err != nil {
		t.Fatal(err)
	}
	node, err := server.Root().Clone()
	if err != nil {
		t.Fatal(err)
	}
	node.SetToken(string(secret))
	type parameters = map[string]any
	for _, request := range []struct {
		method, path string
		parameters   parameters
	}{
		{"write", "transit/keys/assay-wrap-exportable", parameters{"type": "aes256-gcm96", "exportable": true}},
		{"write", "transit/keys/assay-wrap-every/config", parameters{"allow_plaintext_backup": true}},
		{"write", "transit/keys/assay-wrap-every/config", parameters{"min_decryption_version": 2}},
		{"read", "transit/export/encryption-key/assay-wrap-every", nil},
		{"read", "transit/backup/assay-wrap-every", nil},
		{"write", "transit/keys/assay-derive-exportable", parameters{"type": "hmac", "key_size": "32", "exportable": true}},
		{"write", "transit/keys/assay-derive-short", parameters{"type": "hmac", "key_size": "64"}},
		{"write", "transit/keys/assay-derive-every/config", parameters{"deletion_allowed": true}},
		{"delete", "transit/keys/assay-derive-every", nil},
		{"write", "transit/encrypt/assay-derive-every", parameters{"plaintext": "AAAA"}},
		{"write", "transit/keys/assay-sign-every/config", parameters{"deletion_allowed": true}},
		{"delete", "transit/keys/assay-sign-every", nil},
		{"write", "transit/keys/other", parameters{"type": "aes256-gcm96"}},
		{"write", "transit/encrypt/other", parameters{"plaintext": "AAAA"}},
		{"list", "transit/keys", nil},
		{"read", "secret/data/other", nil},
		{"list", "secret/metadata/assay/shares", nil},
		{"delete", "secret/metadata/assay/shares/every", nil},
		{"read", "sys/mounts", nil},
		{"write", "auth/token/create", parameters{}},
	} {
		var err error
		switch request.method {
		case "read":
			_, err = node.Logical().Read(request.path)
		case "list":
			_, err = node.Logical().List(request.path)
		case "write":
			_, err = node.Logical().Write(request.path, request.parameters)
		case "delete":
			_, err = node.Logical().Delete(request.path)
		}
		var answer *api.ResponseError
		if !errors.As(err, &answer) || answer.StatusCode != 403 {
			t.Errorf("%s %s %v is not denied: %v", request.method, request.path, request.parameters, err)
		}
	}
}

// Where the policy allows less, that is what the store says, and its token is not taken for an ended one.
func testLessThanPolicy(t *testing.T, server *vaulttest.Server, _ vault.Config) {
	if err := server.Root().Sys().PutPolicy("less", `path "auth/token/lookup-self" { capabilities = ["read"] }`); err != nil {
		t.Fatal(err)
	}
	s := observe(t, byToken(server, &api.TokenCreateRequest{Policies: []string{"less"}}))
	for what, err := range every(t.Context(), s, make([]byte, 65)) {
		if what == "Check" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		wantClass(t, what, err, keys.ErrDenied)
	}
	if n := s.metric(t, "assay_keys_vault_logins_total", ""); n != 1 {
		t.Errorf("%v logins", n)
	}
}

// An engine that is not there is a defect of the set-up: its keys are not "not found", and are not made.
func testNoEngine(t *testing.T, server *vaulttest.Server, _ vault.Config) {
	c := byToken(server, &api.TokenCreateRequest{Policies: []string{"root"}})
	c.Transit, c.KV = "no-transit", "no-kv"
	s := openStore(t, c, vault.Options{})
	for what, err := range every(t.Context(), s, make([]byte, 65)) {
		if what != "Check" {
			wantClass(t, what, err, nil)
		}
	}
}

func testOtherTypes(t *testing.T, server *vaulttest.Server, c vault.Config) {
	server.Write("transit/keys/assay-sign-type", map[string]any{"type": "ecdsa-p256"})
	server.Write("transit/keys/assay-wrap-type", map[string]any{"type": "ed25519"})
	s := openStore(t, c, vault.Options{})
	_, err := s.Signer(t.Context(), "type")
	wantClass(t, "Signer", err, nil)
	if err != nil && !strings.Contains(err.Error(), "ed25519") {
		t.Errorf("error %q does not say what the key must be", err)
	}
	if _, err = s.Wrap(t.Context(), "type", make([]byte, 32), nil); err == nil {
		t.Error("wrapped under a signing key")
	}
}

// Of a share that is replaced nothing stays in Vault. One that somebody deletes in Vault can be put again.
func testShareVersions(t *testing.T, server *vaulttest.Server, c vault.Config) {
	s := openStore(t, c, vault.Options{})
	for _, share := range []string{"one", "two", "three"} {
		if err := s.PutShare(t.Context(), "versions", []byte(share)); err != nil {
			t.Fatal(err)
		}
	}
	logical := server.Root().Logical()
	for _, version := range []string{"1", "2"} {
		secret, err := logical.ReadWithData("secret/data/assay/shares/versions", map[string][]string{"version": {version}})
		if err != nil || secret != nil && secret.Data["data"] != nil {
			t.Errorf("version %s is still there: %v", version, err)
		}
	}
	if _, err := logical.Delete("secret/data/assay/shares/versions"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Share(t.Context(), "versions")
	wantClass(t, "a share deleted in Vault", err, keys.ErrNotFound)
	if err := s.PutShare(t.Context(), "versions", []byte("four")); err != nil {
		t.Fatal(err)
	}
	if share, err := s.Share(t.Context(), "versions"); err != nil || string(share) != "four" {
		t.Errorf("got %q, %v", share, err)
	}
	server.Write("secret/data/assay/shares/foreign", map[string]any{"data": map[string]any{"password": "hunter2"}})
	_, err = s.Share(t.Context(), "foreign")
	wantClass(t, "a secret of somebody else", err, nil)
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Error("the error holds the secret")
	}
}

// Two nodes with prefixes of their own share a Vault and no key.
func testPrefixes(t *testing.T, server *vaulttest.Server, _ vault.Config) {
	one := byToken(server, &api.TokenCreateRequest{Policies: []string{"root"}, TTL: time.Hour.String()})
	two := one
	two.Prefix = "other"
	a, b := openStore(t, one, vault.Options{}), openStore(t, two, vault.Options{})
	wrapped := wrap(t, a)
	wantEvery(t, b, wrap(t, b), nil)
	_, err := b.Unwrap(t.Context(), "every", wrapped, nil)
	wantClass(t, "the other's key", err, keys.ErrCorrupt)
	x, errX := a.Derive(t.Context(), "every", [][]byte{nil})
	y, errY := b.Derive(t.Context(), "every", [][]byte{nil})
	if err := errors.Join(errX, errY); err != nil || x[0] == y[0] {
		t.Errorf("both derive the same, or %v", err)
	}
}
