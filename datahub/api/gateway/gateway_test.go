package gateway_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/gateway"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// everything makes an organisation that may call whatever an organisation may.
func everything(o *access.Options, _ *gateway.Options) {
	o.Organisation.Roles = []ledger.Role{ledger.RoleOwner, ledger.RoleFinancier}
}

func TestEveryMethodByGRPCAndByREST(t *testing.T) {
	w := newWorld(t, everything)
	token, callers := w.token(access.Administrator), w.callers()
	for _, m := range methods() {
		name := fullName(m)
		as, conn := callers.of(m)
		if err := call(as, conn, m, valid(m)); err != nil {
			t.Errorf("%s by gRPC: %v", name, err)
		}
		if calls := w.services.take(); len(calls) != 1 || calls[0].method != name || (calls[0].principal.Subject != "ada") != peersAlone(m) {
			t.Errorf("%s by gRPC: reached %v", name, calls)
		}
		for _, f := range forms(m) {
			if a := w.rest(f.verb, f.path, token, f.body); a.code != http.StatusOK {
				t.Errorf("%s %s: %d %s", f.verb, f.path, a.code, a.body)
			}
			if calls := w.services.take(); len(calls) != 1 || calls[0].method != name || calls[0].principal.Kind != access.Person {
				t.Errorf("%s %s: reached %v", f.verb, f.path, calls)
			}
		}
		// What is for peers alone has no form in REST, by which nobody can be a peer.
		if strings.HasPrefix(name, "/assay.v1.") && (len(forms(m)) == 0) != peersAlone(m) {
			t.Errorf("%s: has %d forms in REST", name, len(forms(m)))
		}
	}
}

// The table and the services are one to one: nothing is served that nobody thought of, and no rule is about nothing.
func TestEveryMethodHasARule(t *testing.T) {
	ruled := map[string]bool{}
	for _, name := range access.Rules() {
		ruled[name] = true
	}
	for name := range assayv1.Methods() {
		if !ruled[name] {
			t.Errorf("%s has no rule", name)
		}
		delete(ruled, name)
	}
	for _, name := range []string{healthv1.Health_Check_FullMethodName, healthv1.Health_Watch_FullMethodName, healthv1.Health_List_FullMethodName} {
		delete(ruled, name)
	}
	for name := range ruled {
		t.Errorf("%s has a rule and is no method", name)
	}
}

func TestHeadersThatAreTold(t *testing.T) {
	w := newWorld(t)
	token := w.token(access.Viewer)
	a := w.rest("GET", "/v1/status", token, "", func(r *http.Request) {
		r.Header.Set("X-Request-Id", "mine-1")
		r.Header.Set("Idempotency-Key", "key-1")
	})
	for name, want := range map[string]string{
		"X-Request-Id": "mine-1", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Type": "application/json",
		"Access-Control-Allow-Origin": "", "Server": "", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if calls := w.services.take(); len(calls) != 1 || calls[0].key != "key-1" {
		t.Errorf("reached %v", calls)
	}
	var header metadata.MD
	ctx := metadata.AppendToOutgoingContext(with(token), access.IdempotencyHeader, "key-2", access.RequestIDHeader, "mine-2")
	if _, err := assayv1.NewNodeServiceClient(w.dial(nil)).GetStatus(ctx, &assayv1.GetStatusRequest{}, headerOf(&header)); err != nil {
		t.Fatal(err)
	}
	if got := header.Get(access.RequestIDHeader); len(got) != 1 || got[0] != "mine-2" {
		t.Errorf("request id: %v", got)
	}
	if calls := w.services.take(); len(calls) != 1 || calls[0].key != "key-2" {
		t.Errorf("reached %v", calls)
	}
}

func TestCORSIsNotGranted(t *testing.T) {
	w := newWorld(t)
	a := w.rest("OPTIONS", "/v1/status", "", "", func(r *http.Request) {
		r.Header.Set("Origin", "https://elsewhere.example")
		r.Header.Set("Access-Control-Request-Method", "GET")
	})
	if a.code == http.StatusOK || a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", a.code, a.header)
	}
}

func TestPageAndDocument(t *testing.T) {
	w := newWorld(t)
	page := w.rest("GET", "/docs/", "", "")
	if page.code != http.StatusOK || !strings.Contains(page.body, "swagger-ui-bundle.js") {
		t.Fatalf("page: %d %.200s", page.code, page.body)
	}
	csp := page.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self' 'sha256-", "connect-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") || strings.Contains(csp, "http") {
		t.Errorf("policy %q", csp)
	}
	blocks := regexp.MustCompile(`(?s)<(?:script|style)>(.*?)</(?:script|style)>`).FindAllStringSubmatch(page.body, -1)
	for _, b := range blocks {
		sum := sha256.Sum256([]byte(b[1]))
		if !strings.Contains(csp, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("the policy does not allow what is inline: %.60q", b[1])
		}
	}
	if len(blocks) < 2 || strings.Contains(page.body, " style=\"") || strings.Contains(page.body, " onload=") {
		t.Errorf("%d blocks are inline", len(blocks))
	}
	for _, asset := range []string{"swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "swagger-ui.css", "favicon-32x32.png"} {
		if a := w.rest("GET", "/docs/"+asset, "", ""); a.code != http.StatusOK || len(a.body) == 0 {
			t.Errorf("%s: %d", asset, a.code)
		}
	}
	document := w.rest("GET", "/openapi.json", "", "")
	var parsed struct {
		Swagger string                    `json:"swagger"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(document.body), &parsed); err != nil || parsed.Swagger != "2.0" {
		t.Fatalf("document: %v %q", err, parsed.Swagger)
	}
	if a := w.rest("GET", "/", "", ""); a.code != http.StatusSeeOther || a.header.Get("Location") != "/docs/" {
		t.Errorf("/: %d %v", a.code, a.header)
	}
	for _, f := range []form{{verb: "POST", path: "/docs/"}, {verb: "POST", path: "/openapi.json"}, {verb: "GET", path: "/docs/../v1/status"}, {verb: "GET", path: "/elsewhere"}} {
		if a := w.rest(f.verb, f.path, "", ""); a.code == http.StatusOK {
			t.Errorf("%s %s: %d", f.verb, f.path, a.code)
		}
	}
}

// Every path of the document is one that the gateway serves.
func TestDocumentIsWhatIsServed(t *testing.T) {
	var parsed struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(assayv1.OpenAPI, &parsed); err != nil {
		t.Fatal(err)
	}
	served := map[string]bool{}
	for _, m := range methods() {
		for _, f := range forms(m) {
			served[f.verb+" "+f.path] = true
		}
	}
	for path, verbs := range parsed.Paths {
		for verb := range verbs {
			key := strings.ToUpper(verb) + " " + values.Replace(path)
			if !served[key] {
				t.Errorf("%s is in the document and not served", key)
			}
			delete(served, key)
		}
	}
	for key := range served {
		t.Errorf("%s is served and not in the document", key)
	}
}

func TestIssuerIsServed(t *testing.T) {
	w := newWorld(t)
	a := w.rest("GET", "/owner/jwks.json", "", "")
	if a.code != http.StatusOK || !strings.Contains(a.body, `"kty":"EC"`) || strings.Contains(a.body, `"d":`) {
		t.Errorf("keys: %d %s", a.code, a.body)
	}
	if a := w.rest("GET", "/owner/.well-known/openid-configuration", "", ""); a.code != http.StatusOK || !strings.Contains(a.body, issuerURL) {
		t.Errorf("discovery: %d %s", a.code, a.body)
	}
	if a := w.rest("POST", "/owner/jwks.json", "", "{}"); a.code == http.StatusOK {
		t.Errorf("post: %d", a.code)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	w := newWorld(t)
	for _, address := range []string{w.gateway.REST().String(), w.gateway.GRPC().String()} {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: w.authority.Pool(), MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
		if err == nil {
			_ = c.Close()
			t.Errorf("%s: TLS 1.2 was taken", address)
		}
	}
}

func TestStreamsAreLines(t *testing.T) {
	w := newWorld(t)
	a := w.rest("GET", "/v1/requests/"+digest+":watch", w.token(access.Viewer), "")
	if a.code != http.StatusOK || a.header.Get("Content-Type") != "application/x-ndjson" || !strings.HasSuffix(a.body, "}\n") || !strings.Contains(a.body, `"result"`) {
		t.Errorf("%d %v %q", a.code, a.header, a.body)
	}
}

func TestHealthNeedsNoToken(t *testing.T) {
	w := newWorld(t)
	c := healthv1.NewHealthClient(w.dial(nil))
	if _, err := c.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
		t.Error(err)
	}
	if calls := w.services.take(); len(calls) != 1 || calls[0].principal.Kind != access.Anonymous {
		t.Errorf("reached %v", calls)
	}
	watch, err := c.Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err == nil {
		_, err = watch.Recv()
	}
	wantCode(t, "watch", err, codes.Unauthenticated)
}

func TestOptionsAreChecked(t *testing.T) {
	w := newWorld(t)
	good := gateway.Options{Listen: "127.0.0.1:0", GRPC: "127.0.0.1:0", Guard: w.guard, Register: w.services.register, Certificate: must(w.authority.Server("localhost"))}
	for _, c := range []struct {
		name   string
		change func(*gateway.Options)
		want   string
	}{
		{"no guard", func(o *gateway.Options) { o.Guard = nil }, "required"},
		{"address", func(o *gateway.Options) { o.GRPC = "nowhere" }, "grpc:"},
		{"bounds", func(o *gateway.Options) { o.Bounds.Connections = -1 }, "connections"},
		{"issuer below the calls", func(o *gateway.Options) { o.Issuer, o.IssuerPath = w.issuer.Handler(), "/v1" }, "issuer_path"},
		{"issuer at the root", func(o *gateway.Options) { o.Issuer, o.IssuerPath = w.issuer.Handler(), "/" }, "issuer_path"},
	} {
		o := good
		c.change(&o)
		g, err := gateway.New(o)
		if err == nil {
			g.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	g, err := gateway.New(good)
	if err != nil {
		t.Fatal(err)
	}
	g.Close()
}

func TestNothingIsSaidOfWhoIsBehind(t *testing.T) {
	w := newWorld(t)
	w.rest("GET", "/v1/status", w.token(access.Viewer), "", func(r *http.Request) {
		r.Header.Set("Cookie", "a=b")
		r.Header.Set("User-Agent", "elsewhere")
	})
	calls := w.services.take()
	if len(calls) != 1 {
		t.Fatalf("reached %v", calls)
	}
	for name := range calls[0].md {
		switch name {
		case "authorization", "content-type", "user-agent", ":authority", "x-forwarded-for", "grpc-accept-encoding":
		default:
			t.Errorf("metadata %s: %v", name, calls[0].md[name])
		}
	}
	if agent := calls[0].md.Get("user-agent"); len(agent) != 1 || !strings.HasPrefix(agent[0], "grpc-go") {
		t.Errorf("user agent %v", agent)
	}
}
