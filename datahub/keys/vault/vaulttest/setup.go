package vaulttest

import (
	"context"
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/hashicorp/vault/api"
)

// Policy is the name under which the node's policy of deploy/vault is kept in the server.
const Policy = "assay-node"

// client makes a client without a token, whatever the environment says about Vault.
func (s *Server) client() *api.Client {
	s.t.Helper()
	c := &api.Config{Address: s.Address, HttpClient: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}, Timeout: patience}
	if err := c.ConfigureTLS(&api.TLSConfig{CACert: s.CA}); err != nil {
		s.t.Fatal(err)
	}
	client, err := api.NewClient(c)
	if err != nil {
		s.t.Fatal(err)
	}
	client.ClearToken()
	client.ClearNamespace()
	return client
}

// setUp does what deploy/vault/README.md says.
func (s *Server) setUp() {
	s.t.Helper()
	path, err := source("deploy", "vault", "node.hcl")
	if err != nil {
		s.t.Fatal(err)
	}
	policy, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	sys := s.root.Sys()
	for what, do := range map[string]func() error{
		"transit": func() error { return sys.Mount("transit", &api.MountInput{Type: "transit"}) },
		"secret": func() error {
			return sys.Mount("secret", &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}})
		},
		"approle": func() error { return sys.EnableAuthWithOptions("approle", &api.EnableAuthOptions{Type: "approle"}) },
		"policy":  func() error { return sys.PutPolicy(Policy, string(policy)) },
	} {
		if err := do(); err != nil {
			s.t.Fatalf("setting up %s: %v", what, err)
		}
	}
	// A key-value engine upgrades itself when it is new, and refuses requests meanwhile.
	s.await("have its key-value engine", func(ctx context.Context) error {
		_, err := s.root.Logical().ListWithContext(ctx, "secret/metadata")
		return err
	})
}

// Write writes with the root token.
func (s *Server) Write(path string, data map[string]any) *api.Secret {
	s.t.Helper()
	secret, err := s.root.Logical().Write(path, data)
	if err != nil {
		s.t.Fatalf("writing %s: %v", path, err)
	}
	return secret
}

// AppRole makes a role for nodes whose tokens live so long, and a secret id for it. It returns the role's id, and a reference to the secret id.
func (s *Server) AppRole(name string, ttl time.Duration) (id string, secret reference.Reference) {
	s.t.Helper()
	role := "auth/approle/role/" + name
	s.Write(role, map[string]any{
		"token_policies": []string{Policy}, "token_no_default_policy": true, "token_ttl": ttl.String(), "token_max_ttl": (24 * time.Hour).String(),
	})
	answer, err := s.root.Logical().Read(role + "/role-id")
	if err != nil || answer == nil {
		s.t.Fatalf("reading the role's id: %v", err)
	}
	id, _ = answer.Data["role_id"].(string)
	path := filepath.Join(s.dir, name+".secret-id")
	s.NewSecretID(name, path)
	return id, reference.Reference("file:" + path)
}

// NewSecretID makes one more secret id of a role and writes it to a file.
func (s *Server) NewSecretID(role, path string) {
	s.t.Helper()
	secretID, _ := s.Write("auth/approle/role/"+role+"/secret-id", nil).Data["secret_id"].(string)
	if err := os.WriteFile(path, []byte(secretID+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// Token makes a token and returns a reference to it.
func (s *Server) Token(request *api.TokenCreateRequest) reference.Reference {
	s.t.Helper()
	secret, err := s.root.Auth().Token().Create(request)
	if err != nil {
		s.t.Fatalf("making a token: %v", err)
	}
	path := filepath.Join(s.dir, "token-"+strings.ReplaceAll(secret.Auth.Accessor, "/", ""))
	if err := os.WriteFile(path, []byte(secret.Auth.ClientToken), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return reference.Reference("file:" + path)
}

// Config is a node's configuration for this server, by AppRole.
func (s *Server) Config(t testing.TB) vault.Config {
	t.Helper()
	id, secret := s.AppRole("node", time.Hour)
	return vault.Config{Address: s.Address, CA: s.CA, Login: vault.Login{Method: vault.AppRole, RoleID: id, SecretID: secret}}
}
