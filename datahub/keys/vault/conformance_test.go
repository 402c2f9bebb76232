package vault_test

import (
	"testing"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/keystest"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/assay-net/assay/datahub/keys/vault/vaulttest"
)

func openStore(t testing.TB, c vault.Config, o vault.Options) *vault.Store {
	t.Helper()
	s, err := vault.Open(t.Context(), c, o)
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

// The role has the policy of deploy/vault alone, so this also shows that a node needs no more.
func TestConformance(t *testing.T) {
	c := vaulttest.Start(t).Config(t)
	keystest.Run(t, func(t testing.TB) keys.Store { return openStore(t, c, vault.Options{}) })
}
