package gateway_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/issuer"
)

// refusedEverywhere tries a token by gRPC, by REST and by stream.
func (w *world) refusedEverywhere(t *testing.T, what, token string) {
	t.Helper()
	conn := w.dial(nil)
	for _, name := range []string{assayv1.NodeService_GetStatus_FullMethodName, assayv1.RequestService_WatchRequest_FullMethodName, assayv1.PolicyService_PublishPolicy_FullMethodName} {
		m := method(name)
		err := call(with(token), conn, m, valid(m))
		wantCode(t, what+": "+name, err, codes.Unauthenticated)
		if reason(err) != access.ReasonUnauthenticated {
			t.Errorf("%s: reason %q", what, reason(err))
		}
		f := forms(m)[0]
		a := w.rest(f.verb, f.path, token, f.body)
		if a.code != http.StatusUnauthorized || a.reason() != access.ReasonUnauthenticated || a.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: %s %s: %d %s", what, f.verb, f.path, a.code, a.body)
		}
		if token != "" && (strings.Contains(fmt.Sprint(err), token) || strings.Contains(a.body, token)) {
			t.Errorf("%s: the answer repeats the token", what)
		}
	}
	if calls := w.services.take(); len(calls) != 0 {
		t.Errorf("%s: reached %v", what, calls)
	}
	if token != "" && strings.Contains(w.logged(), token) {
		t.Errorf("%s: the log has the token", what)
	}
}

func TestAttackNoToken(t *testing.T) {
	w := newWorld(t)
	w.refusedEverywhere(t, "no token", "")
}

func TestAttackTokenOfAnotherAudience(t *testing.T) {
	w := newWorld(t)
	for _, audience := range []string{"assay:lender", "owner", "assay:owner2", "ASSAY:OWNER"} {
		token := must(w.issuer.Mint(issuer.Claims{Subject: "ada", Audience: audience, Roles: access.Roles(), Lifetime: access.MaxLifetime}))
		w.refusedEverywhere(t, audience, token)
	}
}

func TestAttackExpiredToken(t *testing.T) {
	w := newWorld(t)
	token := w.signed(t, claims{"exp": time.Now().Add(-time.Minute).Unix(), "iat": time.Now().Add(-10 * time.Minute).Unix()})
	w.refusedEverywhere(t, "expired", token)
}

func TestAttackTokenSignedByAnotherIssuer(t *testing.T) {
	w := newWorld(t)
	// Another issuer that takes the name, and one that has a name of its own.
	for _, url := range []string{issuerURL, "https://issuer.example/other"} {
		other := must(issuer.Open(t.Context(), t.TempDir(), issuer.Options{URL: url}))
		token := must(other.Mint(issuer.Claims{Subject: "ada", Audience: "assay:owner", Roles: access.Roles(), Lifetime: access.MaxLifetime}))
		w.refusedEverywhere(t, url, token)
	}
	// A key of the attacker's under the id of the issuer's.
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	w.refusedEverywhere(t, "same key id", w.signedWith(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: w.keyID()}}, nil))
	// A token that brings its key along.
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true}))
	w.refusedEverywhere(t, "key in the header", must(must(signer.Sign(w.claims(nil))).CompactSerialize()))
}

func TestAttackAlgorithmNone(t *testing.T) {
	w := newWorld(t)
	for _, alg := range []string{"none", "None", "NONE", ""} {
		header := must(json.Marshal(map[string]string{"alg": alg, "typ": "JWT", "kid": w.keyID()}))
		token := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(w.claims(nil)) + "."
		w.refusedEverywhere(t, "alg "+alg, token)
	}
	// The signature left out of a good token, and cut.
	good := w.token(access.Administrator)
	w.refusedEverywhere(t, "no signature", good[:strings.LastIndexByte(good, '.')+1])
	w.refusedEverywhere(t, "no last part", good[:strings.LastIndexByte(good, '.')])
	w.refusedEverywhere(t, "cut signature", good[:len(good)-4])
}

// The public key is no secret: who signs with it as one must not be believed.
func TestAttackHMACWithThePublicKey(t *testing.T) {
	w := newWorld(t)
	public := must(w.issuer.Keys(t.Context())).Keys[0]
	secrets := map[string][]byte{
		"jwk":  must(public.MarshalJSON()),
		"pkix": must(x509.MarshalPKIXPublicKey(public.Key)),
		"raw":  must(public.Key.(*ecdsa.PublicKey).Bytes()),
	}
	for name, secret := range secrets {
		for _, alg := range []jose.SignatureAlgorithm{jose.HS256, jose.HS512} {
			for len(secret) < 64 {
				secret = append(secret, 0)
			}
			key := jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: secret, KeyID: public.KeyID}}
			w.refusedEverywhere(t, string(alg)+" with "+name, w.signedWith(t, key, nil))
		}
	}
}

func TestAttackOtherAlgorithms(t *testing.T) {
	w := newWorld(t)
	key := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	w.refusedEverywhere(t, "ES384", w.signedWith(t, jose.SigningKey{Algorithm: jose.ES384, Key: jose.JSONWebKey{Key: key, KeyID: w.keyID()}}, nil))
}

func TestAttackTokenWithoutRoles(t *testing.T) {
	w := newWorld(t)
	conn := w.dial(nil)
	for name, roles := range map[string]any{"none": nil, "empty": []string{}, "unknown": []string{"root", "Administrator", "admin"}} {
		token := w.signed(t, claims{access.RolesClaim: roles})
		for _, m := range methods() {
			if rule, _ := access.RuleOf(fullName(m)); rule.Anonymous {
				continue
			}
			wantCode(t, name+": "+fullName(m), call(with(token), conn, m, valid(m)), codes.PermissionDenied)
			for _, f := range forms(m) {
				if a := w.rest(f.verb, f.path, token, f.body); a.code != http.StatusForbidden {
					t.Errorf("%s: %s %s: %d %s", name, f.verb, f.path, a.code, a.body)
				}
			}
		}
		if calls := w.services.take(); len(calls) != 0 {
			t.Errorf("%s: reached %v", name, calls)
		}
	}
	w.refusedEverywhere(t, "roles that are no list", w.signed(t, claims{access.RolesClaim: "administrator"}))
}

func TestAttackMalformedClaims(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	long := strings.Repeat("x", 200)
	for name, c := range map[string]claims{
		"two audiences":         {"aud": []string{"assay:owner", "assay:lender"}},
		"no audience":           {"aud": nil},
		"not valid yet":         {"nbf": now.Add(5 * time.Minute).Unix()},
		"issued in the future":  {"iat": now.Add(5 * time.Minute).Unix(), "exp": now.Add(10 * time.Minute).Unix()},
		"valid for a day":       {"exp": now.Add(24 * time.Hour).Unix()},
		"valid for ever":        {"exp": 1e300},
		"no end":                {"exp": nil},
		"no begin":              {"iat": nil},
		"ends before it begins": {"iat": now.Unix(), "exp": now.Add(-10 * time.Second).Unix()},
		"end that is no number": {"exp": "tomorrow"},
		"no subject":            {"sub": ""},
		"long subject":          {"sub": long},
		"subject of two lines":  {"sub": "a\nb"},
		"no id":                 {"jti": nil},
		"long id":               {"jti": long},
		"many roles":            {access.RolesClaim: strings.Split(long, "")},
	} {
		w.refusedEverywhere(t, name, w.signed(t, c))
	}
	w.refusedEverywhere(t, "no key id", w.signedWith(t, jose.SigningKey{Algorithm: jose.ES256, Key: w.private(t)}, nil))
	// Two audiences in two claims: readers differ in which counts.
	for name, audiences := range map[string][2]string{"claim twice": {"assay:lender", "assay:owner"}, "claim twice, the other way": {"assay:owner", "assay:lender"}} {
		first := w.claims(claims{"aud": audiences[0]})
		twice := append(first[:len(first)-1], []byte(`,"AUD":"`+audiences[1]+`"}`)...)
		w.refusedEverywhere(t, name, must(must(w.signer(t).Sign(twice)).CompactSerialize()))
	}
	w.refusedEverywhere(t, "not compact", must(w.signer(t).Sign(w.claims(nil))).FullSerialize())
	w.refusedEverywhere(t, "huge", strings.Repeat("a", 9<<10))
}

func TestAttackAuthorizationHeaderTwice(t *testing.T) {
	w := newWorld(t)
	good, conn := w.token(access.Administrator), w.dial(nil)
	m := method(assayv1.NodeService_GetStatus_FullMethodName)
	for _, other := range []string{good, "x", w.token(access.Viewer)} {
		ctx := metadata.AppendToOutgoingContext(with(good), access.AuthorizationHeader, access.Bearer(other))
		wantCode(t, "twice", call(ctx, conn, m, valid(m)), codes.Unauthenticated)
		a := w.rest("GET", "/v1/status", good, "", func(r *http.Request) { r.Header.Add("Authorization", access.Bearer(other)) })
		if a.code != http.StatusBadRequest {
			t.Errorf("twice by REST: %d %s", a.code, a.body)
		}
	}
	for _, header := range []string{"Basic " + good, good, "Bearer", "Bearer  " + good, "Bearer " + good + ", Bearer " + good, "Bearer\t" + good} {
		ctx := metadata.NewOutgoingContext(t.Context(), metadata.Pairs(access.AuthorizationHeader, header))
		if err := call(ctx, conn, m, valid(m)); err == nil {
			t.Errorf("%.12q was taken", header)
		}
		if a := w.rest("GET", "/v1/status", "", "", func(r *http.Request) { r.Header.Set("Authorization", header) }); a.code != http.StatusUnauthorized {
			t.Errorf("%.12q by REST: %d %s", header, a.code, a.body)
		}
	}
	// In a parameter, a cookie or a body a token is none.
	for _, path := range []string{"/v1/status?access_token=" + good, "/v1/status?authorization=Bearer%20" + good} {
		if a := w.rest("GET", path, "", "", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "authorization", Value: good}) }); a.code != http.StatusUnauthorized {
			t.Errorf("in a parameter: %d", a.code)
		}
	}
	if calls := w.services.take(); len(calls) != 0 {
		t.Errorf("reached %v", calls)
	}
}
