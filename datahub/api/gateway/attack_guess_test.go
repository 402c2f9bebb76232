package gateway_test

import (
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/gateway"
)

// Whoever guesses, by gRPC or by REST, is soon not looked at any more. Neither known tokens from there nor new ones from elsewhere are kept out.
func TestAttackGuessing(t *testing.T) {
	at := time.Now().Add(time.Minute) // and stays there, so that nothing is forgiven
	w := newWorld(t, func(o *access.Options, _ *gateway.Options) {
		o.Limits.Failures, o.Now = 6, func() time.Time { return at }
	})
	conn, m, known := w.dial(nil), method(status1), w.token(access.Viewer)
	wantCode(t, "a good one", call(with(known), conn, m, valid(m)), codes.OK)
	good := w.signed(t, nil)
	for i := range 3 {
		forged := good[:len(good)-10-i] + "AAAAAAAAAAAAA"[:10+i]
		wantCode(t, "forged", call(with(forged), conn, m, valid(m)), codes.Unauthenticated)
		if a := w.rest("GET", "/v1/status", forged, ""); a.code != http.StatusUnauthorized {
			t.Errorf("forged, by REST: %d %s", a.code, a.body)
		}
	}
	// A token that nobody showed yet, or a certificate, is not looked at now.
	stranger := must(authority.Open(t.TempDir(), "lender", nil))
	for what, err := range map[string]error{"a token": call(with(good), conn, m, valid(m)), "a certificate": w.status(must(stranger.Client()))} {
		wantCode(t, what, err, codes.ResourceExhausted)
	}
	if a := w.rest("GET", "/v1/status", good, ""); a.code != http.StatusTooManyRequests || a.reason() != access.ReasonTooMany {
		t.Errorf("by REST: %d %s", a.code, a.body)
	}
	wantCode(t, "one that is known", call(with(known), conn, m, valid(m)), codes.OK)
	elsewhere := func(t *http.Transport) {
		t.DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP("127.0.0.2")}}).DialContext
	}
	if a := w.restBy(w.client(elsewhere), "GET", "/v1/status", good, ""); a.code != http.StatusOK {
		t.Errorf("from another host: %d %s", a.code, a.body)
	}
}
