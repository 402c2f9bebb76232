package keystore

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/file"
	"github.com/assay-net/assay/datahub/keys/keystest"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

func withFile(t testing.TB) Config {
	t.Helper()
	dir := t.TempDir()
	identity := filepath.Join(dir, "machine.key")
	if err := file.CreateIdentity(identity); err != nil {
		t.Fatal(err)
	}
	return Config{Driver: File, File: file.Config{
		Directory: filepath.Join(dir, "keys"), Identity: reference.Reference("file:" + identity), Create: true,
	}}
}

func openStore(t testing.TB, c Config, o Options) keys.Store {
	t.Helper()
	s, err := Open(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// What measures a store must not change what it does.
func TestConformanceMeasured(t *testing.T) {
	c := withFile(t)
	keystest.Run(t, func(t testing.TB) keys.Store { return openStore(t, c, Options{Metrics: prometheus.NewRegistry()}) })
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	var log bytes.Buffer
	s := openStore(t, withFile(t), Options{Metrics: registry, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ctx := t.Context()
	secret := keystest.Random(32)
	wrapped, err := s.Wrap(ctx, "fleet", secret, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fleet", "none", "Bad Name"} {
		s.Unwrap(ctx, name, wrapped, []byte("other")) //nolint:errcheck // counted below
	}
	if err := s.PutShare(ctx, "share", secret); err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"wrap ok": 1, "unwrap corrupt": 1, "unwrap not_found": 1, "unwrap failed": 1, "put_share ok": 1}
	got := map[string]float64{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if bytes.Contains([]byte(f.String()), secret) {
			t.Error("metrics hold a secret")
		}
		if f.GetName() != "assay_keys_operations_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			got[strings.Join(labels, " ")] = m.GetCounter().GetValue()
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("operations (-want +got):\n%s", d)
	}
	if strings.Contains(log.String(), string(secret)) {
		t.Error("the log holds a secret")
	}
}

// A second store in one registry is a mistake of the program, which is told and not panicked about.
func TestOneStoreToARegistry(t *testing.T) {
	registry := prometheus.NewRegistry()
	openStore(t, withFile(t), Options{Metrics: registry})
	if _, err := Open(t.Context(), withFile(t), Options{Metrics: registry}); err == nil {
		t.Error("no error")
	}
}

func TestConfigFromYAML(t *testing.T) {
	const text = `
driver: vault
vault:
  address: https://vault.example.org:8200
  namespace: fleet
  ca: /etc/assay/vault-ca.pem
  server_name: vault
  login:
    method: approle
    mount: auth/nodes
    role_id: 0c5a
    secret_id: file:/run/secrets/vault
  transit: engines/transit
  kv: kv
  prefix: swapco
  timeout: 20s
  retries: 5
`
	want := Config{Driver: Vault, Vault: vault.Config{
		Address: "https://vault.example.org:8200", Namespace: "fleet", CA: "/etc/assay/vault-ca.pem", ServerName: "vault",
		Login:   vault.Login{Method: "approle", Mount: "auth/nodes", RoleID: "0c5a", SecretID: "file:/run/secrets/vault"},
		Transit: "engines/transit", KV: "kv", Prefix: "swapco", Timeout: 20 * time.Second, Retries: 5,
	}}
	var got Config
	if err := yaml.UnmarshalWithOptions([]byte(text), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got %+v", got)
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
}

func TestConfigRefused(t *testing.T) {
	good := vault.Config{Address: "https://v:8200", Login: vault.Login{Method: vault.Token, Token: "env:T"}}
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"no driver", Config{}, "driver"},
		{"other driver", Config{Driver: "hsm"}, "driver"},
		{"no directory", Config{Driver: File}, "directory"},
		{"both parts", Config{Driver: File, File: file.Config{Directory: "d", Identity: "file:/i"}, Vault: good}, "vault"},
		{"both parts the other way", Config{Driver: Vault, File: file.Config{Directory: "d"}, Vault: good}, "file"},
		{"both seals", Config{Driver: File, File: file.Config{Directory: "d", Identity: "file:/i", Passphrase: "env:P"}}, "either"},
		{"no seal", Config{Driver: File, File: file.Config{Directory: "d"}}, "either"},
		{"no address", Config{Driver: Vault}, "address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Open(context.Background(), c.config, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not name %s", err, c.want)
			}
		})
	}
}

// A secret that was put where its reference belongs is not repeated.
func TestSecretInPlaceOfReference(t *testing.T) {
	const secret = "hvs.CAESIJ-not-for-logs"
	text := "driver: vault\nvault:\n  address: https://v:8200\n  login:\n    method: token\n    token: " + secret + "\n"
	var c Config
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
}

// What the guide for Vault shows is a configuration.
func TestGuide(t *testing.T) {
	b, err := os.ReadFile("../../../deploy/vault/README.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(b), "```")
	n := 0
	for i := 1; i < len(parts); i += 2 {
		text, ok := strings.CutPrefix(parts[i], "yaml\n")
		if !ok {
			continue
		}
		n++
		var c Config
		if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
			t.Errorf("%s\n%v", text, err)
		} else if err := c.Check(); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	if n != 3 {
		t.Errorf("%d configurations", n)
	}
}
