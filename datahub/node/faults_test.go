package node

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/device/agent"
	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/keys/keystore"
	"github.com/assay-net/assay/datahub/keys/vault/vaulttest"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/store/postgrestest"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

// counted is a device that counts what was acknowledged.
type counted struct {
	*agent.Agent
	id      commit.DeviceID
	mu      sync.Mutex
	through uint64
}

func (c *counted) acknowledged() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.through
}

// sending are devices that send until the test ends, with a record of their own at the end of each epoch.
func (w *world) sending(n int) []*counted {
	schema := must(record.Lookup("battery/v1"))(w.t)
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	w.t.Cleanup(cancel)
	var out []*counted
	for i := range n {
		d := must(device.New(w.maker, device.Config{Serial: fmt.Sprintf("pack-%d", i), Class: commit.Module, Algorithm: commit.P256, Schema: schema}))(w.t)
		c := &counted{id: d.ID()}
		c.Agent = w.connect(d, func(o *agent.Options) {
			o.Own = func(uint64, agent.Measured) (record.Record, bool) {
				return record.Record{1, 9000, 100, 50, 9000, 5, 650, 0}, true
			}
			o.Acknowledged = func(a agent.Delivery) {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.through = max(c.through, a.Sequence)
			}
		})
		go func() {
			for i := int64(0); ctx.Err() == nil; i++ {
				r := telemetry.Reading{TimeMicros: time.Now().UnixMicro(), VoltageMicroV: health.Known(3_700_000 + i), CurrentMicroA: health.Known(0), HottestMilliC: health.Known(25_000)}
				c.Publish(ctx, []telemetry.Reading{r}) //nolint:errcheck // the test is over
				sleep(ctx, 50*time.Millisecond)        //nolint:errcheck // the test is over
			}
		}()
		out = append(out, c)
	}
	return out
}

// goesOn waits until every device has had more acknowledged.
func (w *world) goesOn(what string, devices []*counted) {
	w.t.Helper()
	for _, d := range devices {
		before := d.acknowledged()
		w.until(what+": devices are acknowledged", func() bool { return d.acknowledged() > before+3 })
	}
}

// complete holds the store against what devices saw acknowledged.
func (w *world) complete(devices []*counted) {
	w.t.Helper()
	for _, d := range devices {
		acknowledged, after := d.acknowledged(), uint64(0)
		for {
			frames := must(w.node.storage.Store.Frames(w.t.Context(), d.id, after, 1000))(w.t)
			if len(frames) == 0 {
				break
			}
			for _, f := range frames {
				if f.Sequence != after+1 {
					w.t.Fatalf("frame %d follows %d", f.Sequence, after)
				}
				after = f.Sequence
			}
		}
		if after < acknowledged {
			w.t.Errorf("%d frames were acknowledged, %d are stored", acknowledged, after)
		}
	}
}

// A node on PostgreSQL and Vault, which go away one after the other while devices send: nothing that was acknowledged is lost, nothing is stored twice, the node says what
// it waits for, and goes on by itself.
func TestDatabaseAndVaultGoAway(t *testing.T) {
	if testing.Short() {
		t.Skip("runs PostgreSQL and Vault")
	}
	database := postgrestest.Start(t, postgrestest.Options{})
	vault := vaulttest.Start(t)
	t.Setenv("ASSAY_NODE_TEST_DATABASE", database.Database(t))
	w := newWorld(t, 8, func(c *Config) {
		c.Store.URL = "env:ASSAY_NODE_TEST_DATABASE"
		c.Keys = keystore.Config{Driver: keystore.Vault, Vault: vault.Config(t)}
		c.Ledger.Trial = nil
		c.Ledger.Profile = "unused"
	})
	devices := w.sending(4)
	w.goesOn("at first", devices)

	database.Restart(t)
	w.goesOn("after the database was restarted", devices)
	database.Kill(t)
	w.until("the node says that it waits for the store", func() bool { return w.notReady("store") })
	database.Start(t)
	w.goesOn("after the database was killed", devices)

	vault.Seal()
	w.until("the node says that it waits for the key store", func() bool { return w.notReady("store") })
	w.goesOn("while Vault is sealed, with the period's key", devices)
	vault.Unseal()
	w.until("the node is ready", func() bool { return w.node.Ready(t.Context()).Ready })
	vault.Kill()
	w.goesOn("while Vault cannot be reached", devices)
	vault.Restart()

	w.closedWith(4)
	w.complete(devices)
	for _, q := range must(w.node.storage.Store.QuarantineList(t.Context(), store.Filter{}))(t) {
		t.Errorf("quarantined: %s: %s", q.Reason, q.Detail)
	}
}

func (w *world) notReady(part string) bool {
	r := w.node.Ready(w.t.Context())
	return !r.Ready && r.Parts[part] != ""
}

// A node that is started while Vault is sealed waits for it.
func TestNodeWaitsForASealedVault(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("runs Vault")
	}
	vault := vaulttest.Start(t)
	w := newWorld(t, 8, func(c *Config) {
		c.Keys = keystore.Config{Driver: keystore.Vault, Vault: vault.Config(t)}
		c.Ledger.Trial = nil
		c.Ledger.Profile = "unused"
	})
	devices := w.sending(2)
	w.goesOn("at first", devices)
	w.end()
	vault.Seal()
	started := make(chan struct{})
	go func() { defer close(started); w.start() }()
	select {
	case <-started:
		t.Error("the node starts without its keys")
	case <-time.After(2 * time.Second):
	}
	vault.Unseal()
	<-started
	w.goesOn("after Vault was unsealed", devices)
	w.complete(devices)
}

// The disk is full: nothing is acknowledged that is not stored, and it goes on when there is space again.
func TestDiskIsFull(t *testing.T) {
	w := newWorld(t, 8, func(c *Config) { c.Store.URL = "sqlite:" + smallDisk(t) + "/assay.db" })
	devices := w.sending(2)
	w.goesOn("at first", devices)
	free := fillDisk(t, strings.TrimSuffix(strings.TrimPrefix(w.config.Store.URL, "sqlite:"), "/assay.db"))
	w.until("the node says that it waits", func() bool {
		r := w.node.env.Metrics
		families := must(r.Gather())(t)
		for _, f := range families {
			if f.GetName() == "assay_ingest_store_up" {
				return f.GetMetric()[0].GetGauge().GetValue() == 0
			}
		}
		return false
	})
	stuck := devices[0].acknowledged()
	free()
	w.goesOn(fmt.Sprintf("after %d frames, with space again", stuck), devices)
	w.complete(devices)
}
