package systemtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/networktest"
	"github.com/assay-net/assay/fabricnet/profile"
)

// The organisations of a network that is to be broken: of each kind but the regulator there are two, so that one can be a rival, and one can go missing.
const (
	faultOwner     = "swapco"
	faultRival     = "chargeco"
	faultLender    = "greenbank"
	faultBank      = "citybank"
	faultRegulator = "regulator"
)

var faultOrganisations = []ledger.Organisation{
	{ID: faultOwner, Name: "Owner", MSP: "SwapCoMSP", Roles: []ledger.Role{ledger.RoleOwner}},
	{ID: faultRival, Name: "Another owner", MSP: "ChargeCoMSP", Roles: []ledger.Role{ledger.RoleOwner}},
	{ID: faultLender, Name: "Lender", MSP: "GreenBankMSP", Roles: []ledger.Role{ledger.RoleFinancier}},
	{ID: faultBank, Name: "Another lender", MSP: "CityBankMSP", Roles: []ledger.Role{ledger.RoleFinancier}},
	{ID: faultRegulator, Name: "Regulator", MSP: "RegulatorMSP", Roles: []ledger.Role{ledger.RoleRegulator}},
}

// faultNetwork is a network with a client for each organisation to look at it with. All of its tests use one, in turn.
type faultNetwork struct {
	*networktest.Network
	profiles map[string]*profile.Profile
	genesis  *ledger.Genesis
	clients  map[string]*gateway.Client
	// attempts are all calls of all loads.
	attempts []*attempt
}

func newFaultNetwork(t *testing.T, flags ...string) *faultNetwork {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a network")
	}
	flags = append(flags, "--srs", networktest.WriteSRS(t, contracttest.SRS()),
		"--epoch", "12s", "--anchor-window", "12s", "--clock-skew", "3s", "--proposal-age", "2s", "--batch-timeout", "100ms")
	n := &faultNetwork{Network: networktest.Up(t, flags...), profiles: map[string]*profile.Profile{}, clients: map[string]*gateway.Client{}}
	for org, path := range n.Profiles {
		p, err := profile.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		n.profiles[org], n.clients[org] = p, open(t, gateway.Options{Profile: p})
	}
	n.genesis = genesisOf(t, n.profiles)
	return n
}

func organisationsFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "organisations.json")
	if err := os.WriteFile(path, ledger.Encode(faultOrganisations), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (n *faultNetwork) book(org string) ledger.Book { return n.clients[org].Book() }

// faultPatience is how long anything may take on a machine that has other things to do.
const faultPatience = 2 * time.Minute

// eventually tries until there is no error.
func eventually(t *testing.T, what string, try func(ctx context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), faultPatience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// agreedHead waits until all peers have the same last block.
func (n *faultNetwork) agreedHead(t *testing.T) ledger.Head {
	t.Helper()
	var head ledger.Head
	eventually(t, "waiting until all peers have the same blocks", func(ctx context.Context) error {
		heads := map[ledger.Head]string{}
		for org, c := range n.clients {
			h, err := c.Head(ctx)
			if err != nil {
				return err
			}
			heads[h], head = org, h
		}
		if len(heads) > 1 {
			return fmt.Errorf("the heads are %+v", heads)
		}
		return nil
	})
	return head
}

// leaderMetrics are how orderers say that they lead.
var leaderMetrics = regexp.MustCompile(`(?m)^consensus_(etcdraft|BFT)_is_leader\{[^}]*\} 1$`)

// leader is the name of the orderer that leads.
func (n *faultNetwork) leader(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(n.Dir, "network.json"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Orderers []struct {
			Name           string `json:"name"`
			OperationsPort int    `json:"operations_port"`
		} `json:"orderers"`
	}
	if err := json.Unmarshal(b, &state); err != nil {
		t.Fatal(err)
	}
	name := ""
	eventually(t, "looking for the orderer that leads", func(ctx context.Context) error {
		var failures []error
		for _, o := range state.Orderers {
			metrics, err := fetch(ctx, fmt.Sprintf("http://127.0.0.1:%d/metrics", o.OperationsPort))
			if err == nil && leaderMetrics.Match(metrics) {
				name = o.Name
				return nil
			}
			failures = append(failures, err)
		}
		return errors.Join(append(failures, errors.New("none leads"))...)
	})
	return name
}

func fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	return io.ReadAll(io.LimitReader(response.Body, 4<<20))
}

// audited runs assay audit channel in the regulator's name, and tells what it reports and with which exit code it ends.
func (n *faultNetwork) audited(t *testing.T, args ...string) (report *audit.Report, code int, notes string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), faultPatience)
	defer cancel()
	c := exec.CommandContext(ctx, networktest.Binary(t, "assay"), append([]string{"audit", "channel", "--json", "--network", n.Dir, "--org", faultRegulator}, args...)...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("assay audit channel: %v: %s", errors.Join(err, ctx.Err()), &errs)
	}
	for line := range bytes.Lines(out.Bytes()) {
		report = &audit.Report{}
		if err := json.Unmarshal(line, report); err != nil {
			t.Fatalf("assay audit channel printed %q: %v", line, err)
		}
	}
	return report, c.ProcessState.ExitCode(), errs.String()
}

// auditSound has the regulator audit the channel up to its last block.
func (n *faultNetwork) auditSound(t *testing.T) *audit.Report {
	t.Helper()
	head := n.agreedHead(t)
	report, code, notes := n.audited(t)
	if code != 0 || report == nil || !report.Sound || report.Height < head.Height {
		t.Fatalf("the audit ends with %d: %+v\n%s", code, report, notes)
	}
	return report
}
