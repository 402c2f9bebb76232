package access

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// signed is a token of a key.
func signed(t testing.TB, alg jose.SignatureAlgorithm, key any, id string, c *clock, change func(*claims)) string {
	t.Helper()
	now := c.now()
	payload := claims{Claims: jwt.Claims{
		Issuer: "https://i.example", Subject: "ada", Audience: jwt.Audience{"assay:owner"}, ID: "1",
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Minute)),
	}, Roles: []string{"viewer", "editor", "viewer"}}
	if change != nil {
		change(&payload)
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil))
	return must(jwt.Signed(signer).Claims(payload).Serialize())
}

func newTestTokens(t testing.TB, c *clock, s *source) *tokens {
	t.Helper()
	return must(newTokens(&Options{
		Organisation: ledger.Organisation{ID: "owner"}, Audience: "assay:owner", Issuers: []Issuer{{URL: "https://i.example", Keys: s.keys}}, Now: c.now,
	}))
}

func TestEveryAlgorithmThatIsTaken(t *testing.T) {
	c, s := newClock(), &source{}
	ec, rs := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(rsa.GenerateKey(rand.Reader, 2048))
	_, ed := must2(ed25519.GenerateKey(rand.Reader))
	s.be(nil, jose.JSONWebKey{Key: ec.Public(), KeyID: "ec"}, jose.JSONWebKey{Key: rs.Public(), KeyID: "rs"}, jose.JSONWebKey{Key: ed.Public(), KeyID: "ed"})
	tokens := newTestTokens(t, c, s)
	for id, token := range map[string]string{
		"ec": signed(t, jose.ES256, ec, "ec", c, nil), "rs": signed(t, jose.RS256, rs, "rs", c, nil), "ed": signed(t, jose.EdDSA, ed, "ed", c, nil),
	} {
		p, err := tokens.verify(t.Context(), nil, token)
		if err != nil || p.Kind != Person || p.Subject != "ada" || p.Organisation != "owner" || p.TokenID != "1" || len(p.Roles) != 1 || p.Roles[0] != Viewer {
			t.Errorf("%s: %+v, %v", id, p, err)
		}
	}
	// The right key under another's id, and an algorithm that the key could do but is not published for.
	for name, token := range map[string]string{
		"another's id": signed(t, jose.ES256, ec, "rs", c, nil), "PS256": signed(t, jose.PS256, rs, "rs", c, nil), "RS512": signed(t, jose.RS512, rs, "rs", c, nil),
	} {
		if _, err := tokens.verify(t.Context(), nil, token); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestTimesOfATokenHaveALeeway(t *testing.T) {
	c, s := newClock(), &source{}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	s.be(nil, jose.JSONWebKey{Key: key.Public(), KeyID: "a"})
	date := func(d time.Duration) *jwt.NumericDate { return jwt.NewNumericDate(c.now().Add(d)) }
	for name, x := range map[string]struct {
		change func(*claims)
		ok     bool
	}{
		"ended within the leeway":   {func(p *claims) { p.IssuedAt, p.Expiry = date(-time.Minute), date(-Leeway) }, true},
		"ended before it":           {func(p *claims) { p.IssuedAt, p.Expiry = date(-time.Minute), date(-Leeway-time.Second) }, false},
		"issued within the leeway":  {func(p *claims) { p.IssuedAt = date(Leeway) }, true},
		"issued behind it":          {func(p *claims) { p.IssuedAt = date(Leeway + time.Second) }, false},
		"begins within the leeway":  {func(p *claims) { p.NotBefore = date(Leeway) }, true},
		"begins behind it":          {func(p *claims) { p.NotBefore = date(Leeway + time.Second) }, false},
		"an hour":                   {func(p *claims) { p.Expiry = date(MaxLifetime) }, true},
		"more than an hour":         {func(p *claims) { p.Expiry = date(MaxLifetime + time.Second) }, false},
		"long before, for one hour": {func(p *claims) { p.IssuedAt, p.Expiry = date(-2*time.Hour), date(time.Minute) }, false},
	} {
		tokens := newTestTokens(t, c, s)
		if _, err := tokens.verify(t.Context(), nil, signed(t, jose.ES256, key, "a", c, x.change)); (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRememberedTokensEnd(t *testing.T) {
	c, s := newClock(), &source{}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	public := jose.JSONWebKey{Key: key.Public(), KeyID: "a"}
	s.be(nil, public)
	tokens := newTestTokens(t, c, s)
	token := signed(t, jose.ES256, key, "a", c, nil)
	verify := func() error { _, err := tokens.verify(t.Context(), nil, token); return err }
	if err := verify(); err != nil || len(tokens.remembered) != 1 {
		t.Fatalf("%v, %d remembered", err, len(tokens.remembered))
	}
	c.pass(time.Minute + Leeway)
	if err := verify(); err != nil {
		t.Errorf("within the leeway: %v", err)
	}
	c.pass(time.Second)
	if err := verify(); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("after its end: %v", err)
	}
	// The issuer withdraws the key: a token that is remembered goes with it.
	token = signed(t, jose.ES256, key, "a", c, func(p *claims) { p.Expiry = jwt.NewNumericDate(c.now().Add(MaxLifetime)) })
	if err := verify(); err != nil {
		t.Fatal(err)
	}
	s.be(nil, ecKey("a"))
	c.pass(keysFresh)
	waitFor(t, "the withdrawn key", func() bool { return verify() != nil })
	// And when the issuer is gone for long, what is remembered does not count either.
	s.be(nil, public)
	c.pass(keysFresh)
	waitFor(t, "the key again", func() bool { return verify() == nil })
	s.be(errors.New("down"))
	c.pass(keysUsable)
	if err := verify(); !errors.Is(err, errUnreachable) {
		t.Errorf("an issuer that is gone: %v", err)
	}
}

func TestRememberedTokensAreBounded(t *testing.T) {
	tokens := newTestTokens(t, newClock(), &source{})
	for i := range 3 * maxRemembered {
		tokens.remember([32]byte{byte(i), byte(i >> 8)}, remembered{})
	}
	if n := len(tokens.remembered); n > maxRemembered {
		t.Errorf("%d remembered", n)
	}
}

func TestOptionsOfTokens(t *testing.T) {
	good := Options{Organisation: ledger.Organisation{ID: "owner"}}
	for name, change := range map[string]func(*Options){
		"organisation": func(o *Options) { o.Organisation.ID = "" },
		"audience":     func(o *Options) { o.Audience = "a\nb" },
		"issuer":       func(o *Options) { o.Issuers = []Issuer{{URL: "http://elsewhere.example"}} },
		"twice":        func(o *Options) { o.Issuers = []Issuer{{URL: "https://a"}, {URL: "https://a"}} },
		"issuers":      func(o *Options) { o.Issuers = make([]Issuer, MaxIssuers+1) },
		"rate":         func(o *Options) { o.Limits.Rate = -1 },
		"burst":        func(o *Options) { o.Limits.Burst = -1 },
		"stream":       func(o *Options) { o.Limits.Stream = -1 },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), name) && name != "organisation" && name != "issuers" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

func TestDistinctNames(t *testing.T) {
	for text, ok := range map[string]bool{
		`{}`: true, `{"a":1,"b":{"a":1}}`: true, `{"a":[1,{"b":2}],"b":null}`: true,
		`{"a":1,"a":2}`: false, `{"a":1,"A":2}`: false, `{"kid":1,"\u212Aid":2}`: false, `[]`: false, `1`: false, ``: false, `{"a":1`: false, `{"a":1}{}`: false, `{"a"}`: false, `{a:1}`: false,
		`{` + strings.TrimSuffix(strings.Repeat(`"x":1,`, 3), ",") + `}`: false,
	} {
		if err := distinctNames([]byte(text)); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
	var many bytes.Buffer
	many.WriteString("{")
	for i := range maxClaims + 1 {
		if i > 0 {
			many.WriteString(",")
		}
		many.WriteString(`"` + strings.Repeat("a", i+1) + `":1`)
	}
	many.WriteString("}")
	if distinctNames(many.Bytes()) == nil {
		t.Error("too many claims were taken")
	}
}

func FuzzToken(f *testing.F) {
	c, s := newClock(), &source{}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	s.be(nil, jose.JSONWebKey{Key: key.Public(), KeyID: "a"})
	tokens := newTestTokens(f, c, s)
	good := signed(f, jose.ES256, key, "a", c, nil)
	f.Add("Bearer " + good)
	f.Add("Bearer a.b.c")
	f.Add("bearer eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, header string) {
		token, err := bearer([]string{header})
		if err != nil {
			return
		}
		if _, err := tokens.verify(t.Context(), nil, token); err == nil && token != good {
			// Base64 has bits to spare at its end; nothing else may differ.
			if strings.TrimRight(token, "=")[:len(good)-1] != good[:len(good)-1] {
				t.Errorf("%q was taken", token)
			}
		}
	})
}

func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"iss":"a","aud":["b"],"exp":1e9,"iat":1,"sub":"c","jti":"d","assay_roles":["viewer"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &claims{}
		if decodeClaims(b, c) == nil {
			_ = (&tokens{audience: "b", now: time.Now}).judge(c, c.Issuer)
		}
	})
}
