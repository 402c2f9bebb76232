package check

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/dustin/go-humanize"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/datahub/node"
)

// release is what the tests look at of a rendered chart.
type release struct {
	config   map[string]string
	services map[string]networkService
	policy   networkPolicy
	budget   struct{ Selector selector }
	set      statefulSet
}

type selector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

type networkService struct {
	Selector map[string]string
	Ports    []struct {
		Port       int
		TargetPort string `json:"targetPort"`
	}
}

type networkPolicy struct {
	PodSelector selector `json:"podSelector"`
	PolicyTypes []string `json:"policyTypes"`
	Ingress     []struct {
		Ports []struct{ Port string }
		From  []any
	}
}

type statefulSet struct {
	Replicas    int
	ServiceName string `json:"serviceName"`
	Selector    selector
	Template    struct {
		Metadata struct{ Labels, Annotations map[string]string }
		Spec     pod
	}
	VolumeClaimTemplates []struct {
		Metadata struct{ Name string }
	} `json:"volumeClaimTemplates"`
}

type pod struct {
	AutomountServiceAccountToken *bool `json:"automountServiceAccountToken"`
	SecurityContext              struct {
		FSGroup             int    `json:"fsGroup"`
		RunAsGroup          int    `json:"runAsGroup"`
		FSGroupChangePolicy string `json:"fsGroupChangePolicy"`
	} `json:"securityContext"`
	Containers []container
	Volumes    []struct {
		Name   string
		Secret *struct {
			DefaultMode int `json:"defaultMode"`
		}
	}
}

type container struct {
	Image                                       string
	SecurityContext                             map[string]any `json:"securityContext"`
	Args                                        []string
	StartupProbe, LivenessProbe, ReadinessProbe struct {
		HTTPGet struct{ Path, Port string } `json:"httpGet"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `json:"containerPort"`
	}
	VolumeMounts []struct {
		Name, MountPath string
		ReadOnly        bool `json:"readOnly"`
	} `json:"volumeMounts"`
	Resources struct{ Limits, Requests map[string]string }
}

func sortObjects(t *testing.T, objects []json.RawMessage) *release {
	t.Helper()
	r := &release{services: map[string]networkService{}}
	for _, raw := range objects {
		o := decode[struct {
			Kind     string
			Metadata struct{ Name string }
			Data     map[string]string
			Spec     json.RawMessage
		}](t, raw)
		switch o.Kind {
		case "ConfigMap":
			r.config = o.Data
		case "Service":
			r.services[o.Metadata.Name] = decode[networkService](t, o.Spec)
		case "NetworkPolicy":
			r.policy = decode[networkPolicy](t, o.Spec)
		case "PodDisruptionBudget":
			r.budget = decode[struct{ Selector selector }](t, o.Spec)
		case "StatefulSet":
			r.set = decode[statefulSet](t, o.Spec)
		case "ServiceAccount":
		default:
			t.Errorf("there is a %s", o.Kind)
		}
	}
	if len(r.set.Template.Spec.Containers) != 1 || r.set.Replicas != 1 {
		t.Fatalf("there are %d pods of %d containers", r.set.Replicas, len(r.set.Template.Spec.Containers))
	}
	return r
}

func (r *release) container() *container { return &r.set.Template.Spec.Containers[0] }

func (r *release) configuration(t *testing.T) string {
	t.Helper()
	at := slices.Index(r.container().Args, "--config") + 1
	if at == 0 || !r.mounts(r.container().Args[at]) || r.config["node.yaml"] == "" {
		t.Fatalf("args are %q, there is %v", r.container().Args, slices.Collect(maps.Keys(r.config)))
	}
	return r.config["node.yaml"]
}

// mounts reports whether a path of the container is on a volume.
func (r *release) mounts(path string) bool {
	for _, m := range r.container().VolumeMounts {
		if within(path, m.MountPath) {
			return true
		}
	}
	return false
}

// selects reports whether labels select the node's pod, and no less than the release's.
func (r *release) selects(labels map[string]string) bool {
	own := r.set.Template.Metadata.Labels
	for name, value := range labels {
		if own[name] != value {
			return false
		}
	}
	return labels["app.kubernetes.io/instance"] != ""
}

func (r *release) ports() map[string]string {
	out := map[string]string{}
	for _, p := range r.container().Ports {
		out[p.Name] = strconv.Itoa(p.ContainerPort)
	}
	return out
}

func (r *release) checkServices(t *testing.T, want []string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(r.services))); diff != "" {
		t.Error(diff)
	}
	served := map[string]bool{}
	for name, s := range r.services {
		if !r.selects(s.Selector) {
			t.Errorf("service %s selects %v", name, s.Selector)
		}
		for _, p := range s.Ports {
			if r.ports()[p.TargetPort] == "" {
				t.Errorf("service %s leads to %s, which the pod has not", name, p.TargetPort)
			}
			served[p.TargetPort] = true
		}
	}
	if len(served) != len(r.ports()) || r.services[r.set.ServiceName].Ports == nil || !r.selects(r.set.Selector.MatchLabels) {
		t.Errorf("the services lead to %v, the pod has %v", served, r.ports())
	}
}

// checkPolicies looks whether what may come in is what is served, and metrics are for nobody who is not named.
func (r *release) checkPolicies(t *testing.T) {
	t.Helper()
	if !r.selects(r.policy.PodSelector.MatchLabels) || !slices.Equal(r.policy.PolicyTypes, []string{"Ingress", "Egress"}) || !r.selects(r.budget.Selector.MatchLabels) {
		t.Errorf("network policy %+v, budget %+v", r.policy, r.budget)
	}
	open := map[string]bool{"operations": true}
	for _, rule := range r.policy.Ingress {
		for _, p := range rule.Ports {
			if r.ports()[p.Port] == "" {
				t.Errorf("the network policy lets in to %q, which the pod has not", p.Port)
			}
			if p.Port == "operations" && len(rule.From) == 0 {
				t.Error("anybody may read metrics")
			}
			open[p.Port] = true
		}
		if len(rule.Ports) == 0 {
			t.Error("the network policy lets in to every port")
		}
	}
	if len(open) != len(r.ports()) {
		t.Errorf("the network policy lets in to %v, the pod has %v", open, r.ports())
	}
}

func (r *release) checkPorts(t *testing.T, c *node.Config) {
	t.Helper()
	if diff := cmp.Diff(listens(t, c, true), slices.Sorted(maps.Values(r.ports()))); diff != "" {
		t.Errorf("the node listens on, and the pod has: %s", diff)
	}
	if !strings.HasSuffix(c.Operations.Listen, ":"+r.ports()["operations"]) {
		t.Errorf("probes ask port %s, the node answers at %s", r.ports()["operations"], c.Operations.Listen)
	}
	n := r.container()
	for probe, want := range map[string]string{"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"} {
		get := map[string]struct{ Path, Port string }{
			"startup": n.StartupProbe.HTTPGet, "liveness": n.LivenessProbe.HTTPGet, "readiness": n.ReadinessProbe.HTTPGet,
		}[probe]
		if get.Path != want || get.Port != "operations" {
			t.Errorf("%s probe asks %+v", probe, get)
		}
	}
}

// checkFiles looks whether what the configuration names is there, and readable for the node and nobody else.
func (r *release) checkFiles(t *testing.T, text string, c *node.Config) {
	t.Helper()
	for _, file := range append(append(secretsOf([]byte(text)), filesOf([]byte(text))...), c.Ledger.Profile) {
		if !within(file, "/etc/assay/secrets") && !within(file, "/etc/assay/profile") || !r.mounts(file) {
			t.Errorf("%s is nowhere in the pod", file)
		}
	}
	s := r.set.Template.Spec
	if s.SecurityContext.FSGroup == 0 || s.SecurityContext.FSGroup != s.SecurityContext.RunAsGroup || s.SecurityContext.FSGroupChangePolicy != "OnRootMismatch" {
		t.Errorf("groups: %+v", s.SecurityContext)
	}
	for _, v := range s.Volumes {
		if v.Secret != nil && v.Secret.DefaultMode != 0o440 {
			t.Errorf("volume %s has mode %04o", v.Name, v.Secret.DefaultMode)
		}
	}
	for _, m := range r.container().VolumeMounts {
		if writable := m.Name == "data" || m.Name == "temporary"; writable == m.ReadOnly {
			t.Errorf("volume %s: read-only is %v", m.Name, m.ReadOnly)
		}
		if m.Name == "data" && (!within(c.Data, m.MountPath) || c.Data == m.MountPath || len(c.Fleets) > 0 && !within(c.Proving.Cache, m.MountPath)) {
			t.Errorf("%s or %s is not on the volume", c.Data, c.Proving.Cache)
		}
	}
	if claims := r.set.VolumeClaimTemplates; len(claims) != 1 || claims[0].Metadata.Name != "data" {
		t.Errorf("claims %+v", claims)
	}
}

func (r *release) checkResources(t *testing.T, c *node.Config) {
	t.Helper()
	n := r.container()
	for _, what := range []string{"memory", "ephemeral-storage"} {
		if n.Resources.Limits[what] == "" || n.Resources.Requests[what] == "" {
			t.Errorf("%s: limits %v, requests %v", what, n.Resources.Limits, n.Resources.Requests)
		}
	}
	most, err := humanize.ParseBytes(n.Resources.Limits["memory"] + "B")
	if err != nil {
		t.Fatal(err)
	}
	checkMemory(t, c, most)
	if n.SecurityContext["readOnlyRootFilesystem"] != true {
		t.Error("the root file system can be written")
	}
	if !regexp.MustCompile(`^assay(:0\.1\.0|@sha256:[0-9a-f]{64})$`).MatchString(n.Image) {
		t.Errorf("image %q", n.Image)
	}
}

// checkToken looks whether there is a token of Kubernetes' where Vault is asked with one, and none elsewhere.
func (r *release) checkToken(t *testing.T, c *node.Config) {
	t.Helper()
	if r.set.Template.Spec.AutomountServiceAccountToken == nil || *r.set.Template.Spec.AutomountServiceAccountToken {
		t.Error("the pod has a token for Kubernetes")
	}
	if wanted := c.Keys.Vault.Login.Method == "kubernetes"; r.mounts("/var/run/secrets/kubernetes.io/serviceaccount/token") != wanted {
		t.Errorf("a token for Vault: want %v", wanted)
	}
}
