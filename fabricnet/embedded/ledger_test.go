package embedded

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/orgkey"
)

func TestOpenAgain(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	id := n.ID()
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs(fleetID)))
	n.reopen()
	if f := ok[[]ledger.Fleet](t)(n.book(lender).Fleets(ctx)); n.ID() != id || len(f) != 1 {
		t.Errorf("after opening again: %s, %+v", n.ID(), f)
	}
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs("fleet-b")))
	if r := ok[Report](t)(n.Verify()); r.Height != 2 {
		t.Errorf("report is %+v", r)
	}
}

func TestOneProcessAtATime(t *testing.T) {
	n := newNetwork(t)
	if _, err := Open(n.dir, n.options()); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	if _, err := Create(n.dir, contracttest.Genesis(), n.options()); !errors.Is(err, ErrLocked) {
		t.Errorf("created over an open one: %v", err)
	}
}

func TestCreateRefusals(t *testing.T) {
	n := newNetwork(t)
	n.Close()
	if _, err := Create(n.dir, contracttest.Genesis(), Options{}); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("created twice: %v", err)
	}
	g := contracttest.Genesis()
	g.Organisations[0].ID = "../../x"
	if _, err := Create(t.TempDir(), g, Options{}); err == nil {
		t.Error("an organisation's id is a path")
	}
	if _, err := Create(t.TempDir(), *contracttest.WithKeys(contracttest.Genesis()), Options{}); err == nil {
		t.Error("a genesis may bring keys")
	}
	if _, err := Open(t.TempDir(), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened nothing: %v", err)
	}
}

func TestInterruptedCreationMayBeRepeated(t *testing.T) {
	dir := t.TempDir()
	db := ok[*bbolt.DB](t)(openDatabase(dir, false))
	key := ok[orgkey.Key](t)(orgkey.Create(keyPath(dir, operator)))
	db.Close()
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("opened half a ledger: %v", err)
	}
	l := ok[*Ledger](t)(Create(dir, contracttest.Genesis(), Options{}))
	defer l.Close()
	if !reflect.DeepEqual(l.keys[operator].Public(), key.Public()) {
		t.Error("the key that was there is not used")
	}
}

func TestKeyFilesAreTheOwnersAlone(t *testing.T) {
	n := newNetwork(t)
	n.Close()
	path := keyPath(n.dir, lender)
	if info := ok[os.FileInfo](t)(os.Stat(path)); info.Mode().Perm() != 0o600 {
		t.Errorf("key file has mode %o", info.Mode())
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(n.dir, n.options()); err == nil || !strings.Contains(err.Error(), "0600") {
			t.Errorf("a key file of mode %o: %v", mode, err)
		}
	}
	other := ok[[]byte](t)(os.ReadFile(keyPath(n.dir, rival)))
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, other, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(n.dir, n.options()); err == nil || !strings.Contains(err.Error(), "genesis") {
		t.Errorf("another's key: %v", err)
	}
	for _, b := range []string{"", "key", strings.Repeat("x", 5000)} {
		if err := os.WriteFile(path, []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(n.dir, n.options()); err == nil {
			t.Errorf("a key file of %d bytes is read", len(b))
		}
	}
}

func TestKeysAreNotPrinted(t *testing.T) {
	n := newNetwork(t)
	key := ok[crypto.Signer](t)(n.Signer(regulator))
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%s"} {
		if s := fmt.Sprintf(verb, key); s != "organisation key" {
			t.Errorf("%s prints %q", verb, s)
		}
	}
}

func TestTimeDoesNotGoBack(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs(fleetID)))
	n.at(3, 0)
	if e := ok[ledger.EpochInfo](t)(n.book(operator).Epoch(ctx)); e.Epoch != 10 {
		t.Errorf("epoch is %d", e.Epoch)
	}
	n.reopen()
	if e := ok[ledger.EpochInfo](t)(n.book(operator).Epoch(ctx)); e.Epoch != 10 {
		t.Errorf("epoch after opening again is %d", e.Epoch)
	}
	n.done(n.book(operator).RegisterFleet(ctx, fleetArgs("fleet-b")))
	if _, err := n.Verify(); err != nil {
		t.Error(err)
	}
}

func TestManyCallersAtOnce(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	const callers = 24
	var wait sync.WaitGroup
	var first, taken atomic.Int64
	for i := range callers {
		wait.Go(func() {
			own, shared := fleetArgs(fmt.Sprintf("fleet-%d", i)), fleetArgs("shared")
			if _, err := n.book(operator).RegisterFleet(ctx, own); err != nil {
				t.Error(err)
			}
			switch _, err := n.book(rival).RegisterFleet(ctx, shared); {
			case err == nil:
				first.Add(1)
			case ledger.CodeOf(err) == ledger.Conflict:
				taken.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if first.Load() != 1 || taken.Load() != callers-1 {
		t.Errorf("%d registered one fleet, %d were refused", first.Load(), taken.Load())
	}
	if r := ok[Report](t)(n.Verify()); r.Transactions != callers+1 {
		t.Errorf("report is %+v", r)
	}
}

func TestRefusedCallLeavesNoBlock(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	if _, err := n.book(lender).RegisterFleet(ctx, fleetArgs(fleetID)); ledger.CodeOf(err) != ledger.Forbidden {
		t.Errorf("a lender's fleet: %v", err)
	}
	if h := ok[ledger.Head](t)(n.book(lender).Head(ctx)); h.Height != 0 || h.Hash != n.ID() {
		t.Errorf("head is %+v", h)
	}
	over := ledger.Call{Function: ledger.FnRegisterFleet, Args: make([]byte, ledger.MaxArgsOf(ledger.FnRegisterFleet)+1)}
	if _, err := n.book(operator).Submit(ctx, over); ledger.CodeOf(err) != ledger.Invalid {
		t.Errorf("long arguments: %v", err)
	}
	long := ledger.Call{Function: ledger.FnAnchor, Transient: map[string][]byte{"attestations": make([]byte, ledger.MaxTransient+1)}}
	if _, err := n.book(operator).Submit(ctx, long); ledger.CodeOf(err) != ledger.Invalid {
		t.Errorf("long transient input: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := n.book(operator).RegisterFleet(cancelled, fleetArgs(fleetID)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
	if _, err := n.Client("nobody"); ledger.CodeOf(err) != ledger.NotFound {
		t.Errorf("a stranger's client: %v", err)
	}
}

func TestClosedLedger(t *testing.T) {
	n, ctx := newNetwork(t), context.Background()
	followed := make(chan error)
	client := n.book(lender)
	go func() {
		for _, err := range client.Events(ctx, 1, 0) {
			followed <- err
		}
	}()
	n.Close()
	if err := <-followed; err == nil {
		t.Error("a follower was not told")
	}
	if _, err := client.Fleets(ctx); err == nil {
		t.Error("a closed ledger answers")
	}
	if _, err := client.RegisterFleet(ctx, fleetArgs(fleetID)); err == nil {
		t.Error("a closed ledger takes calls")
	}
	if _, err := os.Stat(filepath.Join(n.dir, "ledger.db")); err != nil {
		t.Error(err)
	}
}
