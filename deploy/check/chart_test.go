package check

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const chart = "../helm/assay"

func TestChart(t *testing.T) {
	for _, test := range []struct {
		values   string
		role     ledger.Role
		services []string
	}{
		{"", ledger.RoleFinancier, []string{"assay", "assay-operations"}},
		{"owner-values.yaml", ledger.RoleOwner, []string{"assay", "assay-operations", "assay-devices", "assay-workers"}},
		{"owner-cluster-values.yaml", ledger.RoleOwner, []string{"assay", "assay-operations"}},
		{"regulator-values.yaml", ledger.RoleRegulator, []string{"assay", "assay-operations"}},
	} {
		t.Run(test.values, func(t *testing.T) {
			r := renderChart(t, chart, test.values)
			r.checkServices(t, test.services)
			r.checkPolicies(t)
			text := r.configuration(t)
			c := configured(t, []byte(text), test.role)
			r.checkPorts(t, c)
			r.checkFiles(t, text, c)
			r.checkResources(t, c)
			r.checkToken(t, c)
		})
	}
}

// renderChart lints and renders a chart with values of its folder ci.
func renderChart(t *testing.T, dir, values string) *release {
	t.Helper()
	readAll(t, dir)
	args := []string{"chart", absolute(t, dir)}
	if values != "" {
		args = append(args, filepath.Join(absolute(t, dir), "ci", values))
	}
	out, wrong := runTools(t, args...)
	if wrong != "" {
		t.Fatal(wrong)
	}
	return sortObjects(t, decode[[]json.RawMessage](t, out))
}

// Every file of ci is one that is tested.
func TestChartValuesAreTested(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join(chart, "ci"))
	if err != nil || len(entries) != 3 {
		t.Errorf("ci has %d files, %v", len(entries), err)
	}
}

// What is wrong with the chart or its values is seen.
func TestChartMistakes(t *testing.T) {
	for _, test := range []struct{ file, from, to, want string }{
		{"templates/statefulset.yaml", "              drop: [ALL]", "              drop: []", "restricted"},
		{"templates/statefulset.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "restricted"},
		{"templates/statefulset.yaml", "replicas: 1", "replica: 1", "unknown field"},
		{"templates/statefulset.yaml", "replicas: 1", "replicas: one", "replicas"},
		{"templates/service.yaml", "type: {{ .Values.service.api.type }}", "type: {{ .Values.service.api.kind }}", "kind"},
		{"templates/poddisruptionbudget.yaml", "policy/v1", "policy/v1beta1", "deprecated"},
		{"Chart.yaml", "version: 0.1.0", "version: one", "version"},
		{"Chart.yaml", ">=1.27.0-0", ">=1.27.0-0 <1.34.0", "kubeVersion"},
		{"values.yaml", "config:", "config:\n  data: /elsewhere", "data"},
		{"values.yaml", "config:", "config:\n  operations: {listen: 0.0.0.0:80}", "operations"},
		{"values.yaml", "profile:\n", "profile:\n  key: x\n", "key"},
		{"values.yaml", "maxUnavailable: 1", "maxUnavailable: 2", "maxUnavailable"},
	} {
		copied := filepath.Join(t.TempDir(), "assay")
		if err := os.CopyFS(copied, os.DirFS(chart)); err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(copied, test.file)
		original := read(t, at)
		changed := strings.Replace(original, test.from, test.to, 1)
		if changed == original {
			t.Fatalf("%s has no %q", test.file, test.from)
		}
		write(t, at, []byte(changed))
		if _, wrong := runTools(t, "chart", copied); !strings.Contains(wrong, test.want) {
			t.Errorf("%s, %q: %q, want %q", test.file, test.to, wrong, test.want)
		}
	}
}
