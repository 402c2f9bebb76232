package ledger_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

func TestGenesisRoundTrip(t *testing.T) {
	g := contracttest.WithKeys(contracttest.Genesis())
	again, err := ledger.ParseGenesis(g.Canonical())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(g, again); diff != "" || again.ID() != g.ID() {
		t.Error(diff)
	}
	if _, err := ledger.ParseGenesis(append(g.Canonical(), ' ')); err == nil {
		t.Error("trailing space is read")
	}
	if _, err := ledger.ParseGenesis(make([]byte, ledger.MaxGenesis+1)); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a long genesis: %v", err)
	}
}

func TestLedgerIDCoversEverything(t *testing.T) {
	g := contracttest.WithKeys(contracttest.Genesis())
	id := g.ID()
	for name, change := range map[string]func(){
		"name":   func() { g.Name = "x" },
		"role":   func() { g.Organisations[0].Roles = []ledger.Role{ledger.RoleFinancier} },
		"key":    func() { g.Organisations[0].Key = committest.NewDevice(commit.Ed25519).Public.DER() },
		"quorum": func() { g.Quorum.Others = 2 },
		"window": func() { g.AnchorWindowSeconds++ },
	} {
		before := g.ID()
		change()
		if g.ID() == before || g.ID() == id {
			t.Errorf("%s is not in the ledger id", name)
		}
	}
}

func TestGenesisRefusals(t *testing.T) {
	p256 := committest.NewDevice(commit.P256).Public.DER()
	for name, c := range map[string]struct {
		change func(*ledger.Genesis)
		text   string
	}{
		"version":      {func(g *ledger.Genesis) { g.Version = "x" }, "version"},
		"no name":      {func(g *ledger.Genesis) { g.Name = "" }, "name"},
		"no regulator": {func(g *ledger.Genesis) { g.Organisations = g.Organisations[:3] }, "regulator"},
		"regulator that owns": {func(g *ledger.Genesis) {
			g.Organisations[3].Roles = []ledger.Role{ledger.RoleRegulator, ledger.RoleOwner}
		}, "cannot be an owner"},
		"nobody else without a fleet": {func(g *ledger.Genesis) { g.Organisations[2].Roles = append(g.Organisations[2].Roles, ledger.RoleOwner) }, "quorum"},
		"quorum without regulator":    {func(g *ledger.Genesis) { g.Quorum.Regulators = 0 }, "quorum"},
		"quorum without others":       {func(g *ledger.Genesis) { g.Quorum.Others = 0 }, "quorum"},
		"quorum too large":            {func(g *ledger.Genesis) { g.Quorum.Others = 2 }, "quorum"},
		"organisation twice":          {func(g *ledger.Genesis) { g.Organisations[1].ID = "operator" }, "twice"},
		"one key for two":             {func(g *ledger.Genesis) { g.Organisations[1].Key = g.Organisations[2].Key }, "one key"},
		"key of another kind":         {func(g *ledger.Genesis) { g.Organisations[1].Key = p256 }, "key"},
		"no key":                      {func(g *ledger.Genesis) { g.Organisations[1].Key = nil }, "key"},
		"unknown role":                {func(g *ledger.Genesis) { g.Organisations[1].Roles = []ledger.Role{"admin"} }, "role"},
		"no role":                     {func(g *ledger.Genesis) { g.Organisations[1].Roles = nil }, "no role"},
		"role twice":                  {func(g *ledger.Genesis) { g.Organisations[1].Roles = []ledger.Role{"owner", "owner"} }, "twice"},
		"id":                          {func(g *ledger.Genesis) { g.Organisations[1].ID = "../x" }, "id"},
		"epoch zero":                  {func(g *ledger.Genesis) { g.EpochZero = -1 }, "epoch_zero"},
		"short epoch":                 {func(g *ledger.Genesis) { g.EpochSeconds = 59 }, "epoch_seconds"},
		"no skew":                     {func(g *ledger.Genesis) { g.ClockSkewSeconds = 0 }, "clock_skew_seconds"},
		"large skew":                  {func(g *ledger.Genesis) { g.ClockSkewSeconds = 61 }, "clock_skew_seconds"},
		"no age":                      {func(g *ledger.Genesis) { g.ProposalAgeSeconds = 0 }, "proposal_age_seconds"},
		"large age":                   {func(g *ledger.Genesis) { g.ProposalAgeSeconds = 3601 }, "proposal_age_seconds"},
		"msp":                         {func(g *ledger.Genesis) { g.Organisations[1].MSP = "a/b" }, "msp"},
		"msp that is the id":          {func(g *ledger.Genesis) { g.Organisations[1].MSP = "rival" }, "leave it out"},
		"one msp for two":             {func(g *ledger.Genesis) { g.Organisations[1].MSP = "operator" }, "one MSP id"},
		"no window":                   {func(g *ledger.Genesis) { g.AnchorWindowSeconds = 0 }, "window"},
		"window beyond an epoch":      {func(g *ledger.Genesis) { g.AnchorWindowSeconds = g.EpochSeconds + 1 }, "window"},
	} {
		t.Run(name, func(t *testing.T) {
			g := contracttest.WithKeys(contracttest.Genesis())
			c.change(g)
			if err := g.Check(); err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want %q", err, c.text)
			}
			if _, err := ledger.ParseGenesis(g.Canonical()); err == nil {
				t.Error("is parsed")
			}
		})
	}
}

func TestEpochs(t *testing.T) {
	g := contracttest.Genesis()
	for _, c := range []struct {
		at   int64
		want uint64
	}{{0, 0}, {86_399, 0}, {86_400, 1}, {86_400*12 + 5, 12}} {
		if got, err := g.EpochAt(time.Unix(g.EpochZero+c.at, 999)); err != nil || got != c.want {
			t.Errorf("%d s: epoch %d, %v", c.at, got, err)
		}
	}
	if _, err := g.EpochAt(time.Unix(g.EpochZero-1, 0)); err == nil {
		t.Error("a time before epoch 0 has an epoch")
	}
	if g.EpochEnd(4) != g.EpochStart(5) || g.AnchorDeadline(4).Sub(g.EpochEnd(4)) != 6*time.Hour {
		t.Error("an epoch does not end where the next begins")
	}
	if !g.EpochStart(1 << 63).After(g.EpochStart(ledger.MaxEpoch - 1)) {
		t.Error("a large epoch overflows")
	}
}

func FuzzParseGenesis(f *testing.F) {
	f.Add(contracttest.WithKeys(contracttest.Genesis()).Canonical())
	f.Add([]byte(`{"version":"assay-genesis/v1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := ledger.ParseGenesis(b)
		if err == nil && !bytes.Equal(g.Canonical(), b) {
			t.Error("two encodings of one genesis")
		}
	})
}
