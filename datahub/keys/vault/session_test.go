package vault_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/assay-net/assay/datahub/keys/vault/vaulttest"
	"github.com/hashicorp/vault/api"
)

func TestSessions(t *testing.T) {
	server := vaulttest.Start(t)
	for name, run := range map[string]func(*testing.T, *vaulttest.Server){
		"renewed": testRenewed, "expired": testExpired, "batch token": testBatchToken, "secret id replaced": testSecretIDReplaced,
		"token replaced": testTokenReplaced, "token for ever": testTokenForEver, "kubernetes": testKubernetes, "refused": testRefused,
		"token given back": testGivenBack, "environment": testEnvironment, "another server": testAnotherServer,
	} {
		t.Run(name, func(t *testing.T) { run(t, server) })
	}
}

func byAppRole(server *vaulttest.Server, name string, ttl time.Duration) vault.Config {
	id, secret := server.AppRole(name, ttl)
	return vault.Config{Address: server.Address, CA: server.CA, Login: vault.Login{Method: vault.AppRole, RoleID: id, SecretID: secret}}
}

// reaches uses the store, without an error, until a metric has a value.
func (o *observed) reaches(t *testing.T, name, label string, value float64) {
	t.Helper()
	for deadline := time.Now().Add(patience); o.metric(t, name, label) < value; {
		if err := o.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not reach %v\n%s", name, value, o.log)
		}
		time.Sleep(10 * time.Millisecond) // between polls
	}
}

func testRenewed(t *testing.T, server *vaulttest.Server) {
	s := observe(t, byAppRole(server, "renewed", 3*time.Second))
	s.reaches(t, "assay_keys_vault_renewals_total", "", 3)
	if n := s.metric(t, "assay_keys_vault_logins_total", ""); n != 1 {
		t.Errorf("%v logins\n%s", n, s.log)
	}
	if at := s.metric(t, "assay_keys_vault_token_expiry_timestamp_seconds", ""); at < float64(time.Now().Unix()) {
		t.Errorf("the token expires at %v", at)
	}
}

// A token that cannot be renewed beyond a time is replaced before it, and nothing fails.
func testExpired(t *testing.T, server *vaulttest.Server) {
	c := byAppRole(server, "expired", 2*time.Second)
	server.Write("auth/approle/role/expired", map[string]any{"token_max_ttl": "3s"})
	s := observe(t, c)
	s.reaches(t, "assay_keys_vault_logins_total", "ok", 3)
	if n := s.metric(t, "assay_keys_vault_logins_total", ""); n != 3 {
		t.Errorf("%v logins\n%s", n, s.log)
	}
}

func testBatchToken(t *testing.T, server *vaulttest.Server) {
	c := byAppRole(server, "batch", 2*time.Second)
	server.Write("auth/approle/role/batch", map[string]any{"token_type": "batch", "token_max_ttl": "2s"})
	s := observe(t, c)
	wantEvery(t, s, wrap(t, s), nil)
	s.reaches(t, "assay_keys_vault_logins_total", "ok", 2)
}

func secretPath(r reference.Reference) string { return strings.TrimPrefix(string(r), "file:") }

// A role whose secret id is withdrawn has no keys until there is a new one in the file.
func testSecretIDReplaced(t *testing.T, server *vaulttest.Server) {
	c := byAppRole(server, "replaced", time.Hour)
	s := observe(t, impatient(c))
	wrapped := wrap(t, s)
	path := secretPath(c.Login.SecretID)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	server.Write("auth/approle/role/replaced/secret-id/destroy", map[string]any{"secret_id": strings.TrimSpace(string(old))})
	revokeAll(t, server)
	wantEvery(t, s, wrapped, keys.ErrUnavailable)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantClass(t, "Check", s.Check(t.Context()), keys.ErrUnavailable)
	server.NewSecretID("replaced", path)
	recovers(t, "Check", func() error { return s.Check(t.Context()) })
	wantEvery(t, s, wrapped, nil)
	if s.metric(t, "assay_keys_vault_logins_total", "refused") == 0 {
		t.Error("refused logins are not counted")
	}
	for _, secret := range []string{strings.TrimSpace(string(old)), "hvs."} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the log holds a secret")
		}
	}
}

// A token that has expired is none until there is a new one in the file.
func testTokenReplaced(t *testing.T, server *vaulttest.Server) {
	unrenewable := false
	c := impatient(byToken(server, &api.TokenCreateRequest{Policies: []string{vaulttest.Policy}, TTL: "2s", ExplicitMaxTTL: "2s", Renewable: &unrenewable}))
	s := observe(t, c)
	for deadline := time.Now().Add(patience); ; {
		err := s.Check(t.Context())
		if err != nil {
			wantClass(t, "Check", err, keys.ErrUnavailable)
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the token does not expire")
		}
		time.Sleep(10 * time.Millisecond) // between polls
	}
	wantEvery(t, s, make([]byte, 65), keys.ErrUnavailable)
	fresh := server.Token(&api.TokenCreateRequest{Policies: []string{vaulttest.Policy}, NoDefaultPolicy: true, Period: "1h"})
	if err := os.Rename(secretPath(fresh), secretPath(c.Login.Token)); err != nil {
		t.Fatal(err)
	}
	recovers(t, "Check", func() error { return s.Check(t.Context()) })
	wantEvery(t, s, wrap(t, s), nil)
}

// A root token does not expire.
func testTokenForEver(t *testing.T, server *vaulttest.Server) {
	s := observe(t, byToken(server, &api.TokenCreateRequest{Policies: []string{"root"}}))
	wantEvery(t, s, wrap(t, s), nil)
	if at := s.metric(t, "assay_keys_vault_token_expiry_timestamp_seconds", ""); at != 0 {
		t.Errorf("it expires at %v", at)
	}
	if n := s.metric(t, "assay_keys_vault_logins_total", ""); n != 1 {
		t.Errorf("%v logins", n)
	}
}

func testRefused(t *testing.T, server *vaulttest.Server) {
	good := byAppRole(server, "refused", time.Hour)
	for name, change := range map[string]func(*vault.Config){
		"role id":   func(c *vault.Config) { c.Login.RoleID = "no-such-role" },
		"secret id": func(c *vault.Config) { c.Login.SecretID = "env:ASSAY_TEST_SECRET_ID" },
		"no secret": func(c *vault.Config) { c.Login.SecretID = "file:/no/such/file" },
		"mount":     func(c *vault.Config) { c.Login.Mount = "no-such-mount" },
		"token":     func(c *vault.Config) { c.Login = vault.Login{Method: vault.Token, Token: "env:ASSAY_TEST_SECRET_ID"} },
	} {
		t.Run(name, func(t *testing.T) {
			const secret = "no-secret-id-of-any-role"
			t.Setenv("ASSAY_TEST_SECRET_ID", secret)
			c := good
			change(&c)
			s, err := vault.Open(t.Context(), c, vault.Options{})
			if err == nil {
				s.Close() //nolint:errcheck // it should not be open
			}
			wantClass(t, "Open", err, keys.ErrDenied)
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error holds the secret: %v", err)
			}
		})
	}
}

// A store that is closed leaves no token behind, except the operator's.
func testGivenBack(t *testing.T, server *vaulttest.Server) {
	tokens := func() int {
		t.Helper()
		list, err := server.Root().Logical().List("auth/token/accessors")
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Data["keys"].([]any))
	}
	c := byAppRole(server, "given-back", time.Hour)
	operators := byToken(server, &api.TokenCreateRequest{Policies: []string{vaulttest.Policy}, Period: "1h"})
	before := tokens()
	for _, c := range []vault.Config{c, operators} {
		s, err := vault.Open(t.Context(), c, vault.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if after := tokens(); after != before {
		t.Errorf("%d tokens before, %d after", before, after)
	}
}

// What the environment says about Vault is for people at a shell.
func testEnvironment(t *testing.T, server *vaulttest.Server) {
	c := byAppRole(server, "environment", time.Hour)
	for name, value := range map[string]string{
		"VAULT_ADDR": "https://192.0.2.1:8200", "VAULT_TOKEN": "hvs.none", "VAULT_NAMESPACE": "none", "VAULT_SKIP_VERIFY": "true",
		"VAULT_WRAP_TTL": "60s", "VAULT_MAX_RETRIES": "100", "VAULT_CACERT": server.CA,
	} {
		t.Setenv(name, value)
	}
	s := observe(t, c)
	wantEvery(t, s, wrap(t, s), nil)
	c.CA = ""
	if _, err := vault.Open(t.Context(), c, vault.Options{}); err == nil {
		t.Error("a certificate of nobody known is taken")
	}
}

// A server that cannot prove its name gets no secret, and is not waited for.
func testAnotherServer(t *testing.T, server *vaulttest.Server) {
	good := byAppRole(server, "another", time.Hour)
	for name, change := range map[string]func(*vault.Config){
		"no authority": func(c *vault.Config) { c.CA = "" },
		"another name": func(c *vault.Config) { c.ServerName = "vault.example.org" },
	} {
		c := good
		change(&c)
		s, err := vault.Open(t.Context(), c, vault.Options{})
		if err == nil {
			s.Close() //nolint:errcheck // it should not be open
		}
		wantClass(t, name, err, keys.ErrDenied)
	}
	good.CA = secretPath(good.Login.SecretID)
	if _, err := vault.Open(t.Context(), good, vault.Options{}); err == nil || !strings.Contains(err.Error(), "ca:") {
		t.Errorf("a file without a certificate: %v", err)
	}
}
