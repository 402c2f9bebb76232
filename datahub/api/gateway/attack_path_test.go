package gateway_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// raw writes what no client would, and reads the first line of the answer. The server may answer and close before all is written.
func (w *world) raw(request string) string {
	w.Helper()
	c := must(tls.Dial("tcp", w.gateway.REST().String(), &tls.Config{RootCAs: w.authority.Pool()}))
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		w.Fatal(err)
	}
	_, _ = io.WriteString(c, request)
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

func (w *world) rawGet(target, token string, headers ...string) string {
	w.Helper()
	return w.raw(fmt.Sprintf("GET %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s\r\n", target, token, strings.Join(append(headers, ""), "\r\n")))
}

func refused(line string) bool {
	for _, code := range []string{"400", "401", "403", "404", "405", "413", "414", "415", "431", "501", "505"} {
		if strings.HasPrefix(line, "HTTP/1.1 "+code) || strings.HasPrefix(line, "HTTP/1.0 "+code) {
			return true
		}
	}
	return false
}

// The viewer may read fleets and may not read the trail: no spelling of a path makes one the other, or reaches anything.
func TestAttackSpellingsOfPaths(t *testing.T) {
	w := newWorld(t)
	token := w.token(access.Administrator)
	if line := w.rawGet("/v1/fleets/north", token); !strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Fatalf("the plain spelling: %s", line)
	}
	w.services.take()
	for _, target := range []string{
		"/v1/fleets/north/", "/v1/fleets//north", "//v1/fleets/north", "/v1//fleets/north", "/v1/./fleets/north", "/v1/fleets/./north", "/v1/x/../fleets/north",
		"/v1/fleets/../audit/entries", "/v1/fleets/%2e%2e/audit/entries", "/v1/fleets/..%2faudit%2fentries", "/v1/fleets%2fnorth", "/v1%2ffleets/north",
		"/v1/fleets/%252e%252e/audit/entries", "/v1/fleets/%6eorth", "/v1/fleets/north%2f", "/v1/fleets/north%00", "/v1/fleets/north%0d%0aX:%20y", "/v1/fleets/nor%25th",
		"/v1/fleets/north;x=y", "/v1/fleets/north%3bx", "/v1/fleets\\north", "/v1/fleets/north%5c..", "/V1/fleets/north", "/v1/Fleets/north", "/v1/fleets/north:",
		"/docs/../v1/fleets/north", "/docs/%2e%2e/v1/fleets/north", "/owner/../v1/fleets/north", "/v1/fleets/north/coverage/", "/v1/fleets/nörth", "/v1/fleets/north%20",
		"v1/fleets/north", "http://localhost/v1/fleets/north", "https://elsewhere.example/v1/fleets/north", "*", "/v1/fleets/{fleet}", "/v1/fleets/north#x",
		"/assay.v1.FleetService/GetFleet", "/v1/assay.v1.FleetService/GetFleet", "/v1/fleets/" + strings.Repeat("a", 5000), "/v1/" + strings.Repeat("a/", 500),
	} {
		if line := w.rawGet(target, token); !refused(line) {
			t.Errorf("%s: %s", target, line)
		}
	}
	wantNothingReached(t, w)
}

func TestAttackMethodOverride(t *testing.T) {
	w := newWorld(t, as("owner", ledger.RoleOwner))
	token := w.token(access.Administrator)
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		a := w.rest("GET", "/v1/policies", token, "", func(r *http.Request) { r.Header.Set(header, "POST") })
		b := w.rest("POST", "/v1/fleets", token, "", func(r *http.Request) {
			r.Header.Set(header, "GET")
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		})
		if a.code != http.StatusBadRequest || b.code != http.StatusBadRequest {
			t.Errorf("%s: %d, %d", header, a.code, b.code)
		}
	}
	for _, path := range []string{"/v1/policies?_method=POST", "/v1/policies?method=POST", "/v1/policies?X-HTTP-Method-Override=POST"} {
		if a := w.rest("GET", path, token, ""); a.code == http.StatusOK {
			t.Errorf("%s: %d", path, a.code)
		}
	}
	// A form that is posted falls back to a GET in gateways that allow it.
	if a := w.rest("POST", "/v1/fleets", token, "owner=owner", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }); a.code != http.StatusMethodNotAllowed {
		t.Errorf("a form: %d %s", a.code, a.body)
	}
	for _, verb := range []string{"PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "GETX"} {
		if line := w.raw(fmt.Sprintf("%s /v1/fleets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", verb, token)); !refused(line) {
			t.Errorf("%s: %s", verb, line)
		}
	}
	wantNothingReached(t, w)
}

func TestAttackHeadersThatPretend(t *testing.T) {
	w := newWorld(t)
	token := w.token(access.Viewer)
	for _, name := range smuggled {
		a := w.rest("GET", "/v1/audit/entries", token, "", func(r *http.Request) { r.Header.Set(name, access.Bearer(w.token(access.Administrator))) })
		if a.code != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
		a = w.rest("GET", "/v1/status", "", "", func(r *http.Request) { r.Header.Set(name, access.Bearer(token)) })
		if a.code != http.StatusUnauthorized {
			t.Errorf("%s alone: %d %s", name, a.code, a.body)
		}
	}
	wantNothingReached(t, w)
	// What gets through is looked at as it is by gRPC.
	for name, value := range map[string]string{"Idempotency-Key": "a b", "X-Request-Id": strings.Repeat("a", 200)} {
		if a := w.rest("GET", "/v1/status", token, "", func(r *http.Request) { r.Header.Set(name, value) }); a.code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
		twice := func(r *http.Request) { r.Header[name] = []string{"a", "b"} }
		if a := w.rest("GET", "/v1/status", token, "", twice); a.code != http.StatusBadRequest {
			t.Errorf("%s twice: %d %s", name, a.code, a.body)
		}
	}
	if a := w.rest("GET", "/v1/status", token, "", func(r *http.Request) { r.Header.Set("Grpc-Timeout", "1n") }); a.code != http.StatusOK {
		t.Errorf("a deadline by header: %d %s", a.code, a.body)
	}
}

func TestAttackRequestSmuggling(t *testing.T) {
	w := newWorld(t)
	token := w.token(access.Viewer)
	good := "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\n\r\n"
	for name, request := range map[string]string{
		"two lengths":               "POST /v1/policies:check HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n" + good,
		"length of a kind":          "POST /v1/policies:check HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\n" + good,
		"coding that is none":       "POST /v1/policies:check HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n" + good,
		"two codings":               "POST /v1/policies:check HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + good,
		"space before colon":        "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer " + token + "\r\n\r\n",
		"two hosts":                 "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: elsewhere\r\nAuthorization: Bearer " + token + "\r\n\r\n",
		"no host":                   "GET /v1/status HTTP/1.1\r\nAuthorization: Bearer " + token + "\r\n\r\n",
		"line feed in a value":      "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a\nAuthorization: Bearer x\r\n\r\n",
		"null in a value":           "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\x00\r\n\r\n",
		"body of a GET":             "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\nContent-Length: 2\r\n\r\n{}",
		"chunked body of a GET":     "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token + "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"HTTP/2 by prior knowledge": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"HTTP/0.9":                  "GET /v1/status\r\n\r\n",
	} {
		if line := w.raw(request); !refused(line) {
			t.Errorf("%s: %s", name, line)
		}
	}
	wantNothingReached(t, w)
}

func TestAttackHugeHeaders(t *testing.T) {
	w := newWorld(t)
	token := w.token(access.Viewer)
	if line := w.rawGet("/v1/status", token, "X-Filler: "+strings.Repeat("a", 100<<10)); strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Errorf("one header of 100 KiB: %s", line)
	}
	var many []string
	for i := range 2000 {
		many = append(many, fmt.Sprintf("X-Filler-%d: %s", i, strings.Repeat("a", 20)))
	}
	if line := w.rawGet("/v1/status", token, many...); strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Errorf("2000 headers: %s", line)
	}
	m := method(assayv1.NodeService_GetStatus_FullMethodName)
	if err := call(appendMetadata(with(token), "filler", strings.Repeat("a", 100<<10)), w.dial(nil), m, valid(m)); err == nil {
		t.Error("100 KiB of metadata by gRPC were taken")
	}
	wantNothingReached(t, w)
}

func TestAttackParameters(t *testing.T) {
	w := newWorld(t)
	token := w.token(access.Administrator)
	if a := w.rest("GET", "/v1/requests?owner=owner&page_size=3", token, ""); a.code != http.StatusOK {
		t.Fatalf("good ones: %d %s", a.code, a.body)
	}
	w.services.take()
	for _, path := range []string{
		"/v1/requests?unknown=1", "/v1/requests?owner=owner&owner=lender", "/v1/requests?pageSize=3", "/v1/requests?page_size=x", "/v1/requests?page_size=-1",
		"/v1/requests?page_size=501", "/v1/requests?owner.id=x", "/v1/requests?owner[a]=x", "/v1/requests?=x", "/v1/requests?owner", "/v1/requests?owner=%zz&fleet=a",
		"/v1/requests?owner=a;fleet=b", "/v1/requests?status=99", "/v1/requests?owner=Owner", "/v1/requests?owner=" + strings.Repeat("a", 65),
		"/v1/fleets/north?fleet=south", "/v1/requests/" + digest + "?request=" + strings.Repeat("00", 32), "/v1/grants/owner/g-1?owner=lender",
		"/v1/requests?" + strings.Repeat("owner=a&", 40), "/v1/requests?%00=x", "/v1/requests?owner=%c0%af", "/v1/requests?page_token=%ff", "/v1/requests?%ff=x",
	} {
		if a := w.rest("GET", path, token, ""); a.code != http.StatusBadRequest && path != "/v1/requests?owner" {
			t.Errorf("%s: %d %s", path, a.code, a.body)
		}
	}
	for _, f := range []form{
		{"POST", "/v1/policies?text=permit", `{"text":"permit"}`},
		{"POST", "/v1/requests/" + digest + ":approve?request=" + strings.Repeat("00", 32), `{}`},
		{"POST", "/v1/grants?terms.id=x", bodyOf(method(assayv1.GrantService_CreateGrant_FullMethodName), "terms")},
	} {
		if a := w.rest(f.verb, f.path, token, f.body); a.code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", f.path, a.code, a.body)
		}
	}
	calls := w.services.take()
	if len(calls) > 1 { // the empty parameter is one that is not given
		t.Errorf("reached %v", calls)
	}
}
