package vault_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/keys/vault"
	"github.com/assay-net/assay/datahub/keys/vault/vaulttest"
)

// What can happen to a Vault, one after the other to the same one: each time the store says that it is unavailable, and works when Vault is back.
func TestOutages(t *testing.T) {
	server := vaulttest.Start(t)
	s := observe(t, impatient(server.Config(t)))
	wrapped := wrap(t, s)
	contexts := [][]byte{[]byte("a"), []byte("b")}
	before, err := s.Derive(t.Context(), "outage", contexts)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		break_, mend func()
	}{
		{"sealed", server.Seal, server.Unseal},
		{"killed", server.Kill, server.Restart},
		{"frozen", server.Freeze, server.Thaw},
		{"sealed and its tokens revoked", func() { revokeAll(t, server); server.Seal() }, server.Unseal},
		{"killed and restarted sealed", func() { server.Kill(); server.Restart(); server.Seal() }, server.Unseal},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.break_()
			if c.name == "frozen" { // each takes its time
				wantClass(t, "Check", s.Check(t.Context()), keys.ErrUnavailable)
			} else {
				wantEvery(t, s, wrapped, keys.ErrUnavailable)
			}
			c.mend()
			recovers(t, "Check", func() error { return s.Check(t.Context()) })
			wantEvery(t, s, wrapped, nil)
			after, err := s.Derive(t.Context(), "outage", contexts)
			if err != nil || !slices.Equal(before, after) {
				t.Errorf("outputs differ after it: %v", err)
			}
		})
	}
	if strings.Contains(s.log.String(), "hvs.") {
		t.Error("the log holds a token")
	}
}

// A node that starts while Vault is away works when Vault comes.
func TestOpenedInOutage(t *testing.T) {
	server := vaulttest.Start(t)
	c := impatient(server.Config(t))
	for name, outage := range map[string][2]func(){"sealed": {server.Seal, server.Unseal}, "killed": {server.Kill, server.Restart}} {
		t.Run(name, func(t *testing.T) {
			outage[0]()
			s := observe(t, c)
			wantClass(t, "Check", s.Check(t.Context()), keys.ErrUnavailable)
			outage[1]()
			recovers(t, "Check", func() error { return s.Check(t.Context()) })
			if s.metric(t, "assay_keys_vault_logins_total", "unavailable") == 0 || s.metric(t, "assay_keys_vault_logins_total", "ok") != 1 {
				t.Error("logins are not counted")
			}
		})
	}
}

// Nothing fails because a token ends, however many use it.
func TestRevokedUnderLoad(t *testing.T) {
	server := vaulttest.Start(t)
	s := observe(t, server.Config(t))
	want, err := s.Derive(t.Context(), "load", [][]byte{nil})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var done [6]atomic.Int64
	stop := make(chan struct{})
	for i := range done {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got, err := s.Derive(t.Context(), "load", [][]byte{nil}); err != nil || got[0] != want[0] {
					t.Errorf("deriving while the token is revoked: %v", err)
					return
				}
				done[i].Add(1)
			}
		})
	}
	for range 5 {
		revokeAll(t, server)
		// Everybody gets through with the next token before that one is revoked too.
		for i := range done {
			began := done[i].Load()
			for deadline := time.Now().Add(patience); done[i].Load() < began+2 && !t.Failed(); {
				if time.Now().After(deadline) {
					t.Error("nothing is derived any longer")
				}
			}
		}
	}
	close(stop)
	all.Wait()
	if n := s.metric(t, "assay_keys_vault_logins_total", ""); n > 12 {
		t.Errorf("%v logins after 5 revocations", n)
	}
}

func TestClosedInOutage(t *testing.T) {
	server := vaulttest.Start(t)
	s, err := vault.Open(t.Context(), impatient(server.Config(t)), vault.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
