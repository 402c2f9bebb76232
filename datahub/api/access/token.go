package access

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// RolesClaim is the claim that lists roles.
	RolesClaim = "assay_roles"
	// MaxLifetime is the longest that a token may be valid, from issue to end.
	MaxLifetime = time.Hour
	// Leeway is how far an issuer's clock may be from the node's.
	Leeway = 30 * time.Second
	// MaxSubject and MaxAudience bound what a token says, maxToken the whole.
	MaxSubject  = 128
	MaxAudience = 128
	maxToken    = 8 << 10
	maxTokenID  = 128
	// maxRemembered bounds how many tokens are remembered as good.
	maxRemembered = 4096
)

// Audience is what a token for an organisation's node names.
func Audience(organisation string) string { return "assay:" + organisation }

// algorithms are those that a token may be signed with. There is none among them for which a public key would be a secret.
var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.EdDSA, jose.RS256}

// claims are what is read of a token.
type claims struct {
	jwt.Claims
	Roles []string `json:"assay_roles"`
}

// tokens verifies tokens for one audience.
type tokens struct {
	audience, organisation string
	issuers                map[string]*keyCache
	now                    func() time.Time

	mu         sync.Mutex
	remembered map[[sha256.Size]byte]remembered
}

// remembered is a token that was verified, while its issuer's keys are the same.
type remembered struct {
	principal  Principal
	expiry     time.Time
	keys       *keyCache
	generation uint64
}

func newTokens(o *Options) (*tokens, error) {
	t := &tokens{
		audience: o.Audience, organisation: o.Organisation.ID, now: o.Now,
		issuers: map[string]*keyCache{}, remembered: map[[sha256.Size]byte]remembered{},
	}
	if len(o.Issuers) > MaxIssuers {
		return nil, fmt.Errorf("issuers: %d, at most %d", len(o.Issuers), MaxIssuers)
	}
	for _, i := range o.Issuers {
		if err := i.check(); err != nil {
			return nil, err
		}
		if t.issuers[i.URL] != nil {
			return nil, fmt.Errorf("issuer %q is listed twice", i.URL)
		}
		t.issuers[i.URL] = newKeyCache(i, o.Now)
	}
	return t, nil
}

// bearer is the token in the one Authorization header of a call.
func bearer(values []string) (string, error) {
	if len(values) != 1 {
		return "", fmt.Errorf("authorization: given %d times, must be given once", len(values))
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "bearer") || token == "" {
		return "", errors.New(`authorization: must be "Bearer" and a token`)
	}
	if len(token) > maxToken {
		return "", fmt.Errorf("token: has %d bytes, at most %d", len(token), maxToken)
	}
	return token, nil
}

// verify says who holds a token. It returns errUnreachable if that cannot be known now. What is not remembered as good is one of the attempts.
func (t *tokens) verify(ctx context.Context, a *attempts, token string) (Principal, error) {
	digest := sha256.Sum256([]byte(token))
	t.mu.Lock()
	known, ok := t.remembered[digest]
	t.mu.Unlock()
	if ok {
		generation, err := known.keys.current(ctx)
		if err != nil {
			return Principal{}, err
		}
		if generation == known.generation {
			if t.now().After(known.expiry.Add(Leeway)) {
				return Principal{}, fmt.Errorf("token: it ended at %s", known.expiry.UTC().Format(time.RFC3339))
			}
			return known.principal, nil
		}
	}
	var checked remembered
	err := a.try(ctx, func() (err error) { checked, err = t.check(ctx, token); return err })
	if err != nil {
		return Principal{}, err
	}
	t.remember(digest, checked)
	return checked.principal, nil
}

func (t *tokens) remember(digest [sha256.Size]byte, r remembered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.remembered) >= maxRemembered {
		clear(t.remembered) // all are verified again, which is seldom
	}
	t.remembered[digest] = r
}

// check verifies a token in full. What it says is trusted only behind the signature; the issuer it claims only picks whose keys are tried.
func (t *tokens) check(ctx context.Context, token string) (remembered, error) {
	// Compact form only: what is not is not looked at, and has no place for a second signature.
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil || len(jws.Signatures) != 1 {
		return remembered{}, fmt.Errorf("token: not a JWT that is signed with one of %v", algorithms)
	}
	claimed := &claims{}
	if err := decodeClaims(jws.UnsafePayloadWithoutVerification(), claimed); err != nil {
		return remembered{}, err
	}
	keys, ok := t.issuers[claimed.Issuer]
	if !ok {
		return remembered{}, errors.New("token: its issuer is not one of this node's")
	}
	verified, generation, err := verifyWith(ctx, keys, jws)
	if err != nil {
		return remembered{}, err
	}
	if err := t.judge(verified, keys.issuer); err != nil {
		return remembered{}, err
	}
	return remembered{
		principal: Principal{
			Kind: Person, Organisation: t.organisation, Subject: verified.Subject, Issuer: verified.Issuer, TokenID: verified.ID,
			Roles: knownRoles(verified.Roles), Until: verified.Expiry.Time().Add(Leeway),
		},
		expiry: verified.Expiry.Time(), keys: keys, generation: generation,
	}, nil
}

// verifyWith reads the claims behind a signature of the issuer's.
func verifyWith(ctx context.Context, keys *keyCache, jws *jose.JSONWebSignature) (*claims, uint64, error) {
	header := jws.Signatures[0].Protected
	if header.KeyID == "" {
		return nil, 0, errors.New("token: names no key (kid)")
	}
	key, generation, err := keys.find(ctx, header.KeyID)
	if err != nil {
		return nil, 0, err
	}
	if header.Algorithm != key.Algorithm {
		return nil, 0, errors.New("token: its algorithm is not its key's")
	}
	payload, err := jws.Verify(key.Key)
	if err != nil {
		return nil, 0, errors.New("token: the signature is not its issuer's")
	}
	verified := &claims{}
	return verified, generation, decodeClaims(payload, verified)
}

// judge checks what a verified token says.
func (t *tokens) judge(c *claims, issuer string) error {
	now := t.now()
	switch {
	case c.Issuer != issuer:
		return errors.New("token: its issuer is not one of this node's")
	case len(c.Audience) != 1 || c.Audience[0] != t.audience:
		return fmt.Errorf("token: it is not for %s alone", t.audience)
	case c.Expiry == nil || c.IssuedAt == nil:
		return errors.New("token: it must say when it was issued (iat) and when it ends (exp)")
	case now.After(c.Expiry.Time().Add(Leeway)):
		return fmt.Errorf("token: it ended at %s", c.Expiry.Time().UTC().Format(time.RFC3339))
	case c.IssuedAt.Time().After(now.Add(Leeway)):
		return errors.New("token: it was issued in the future")
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(Leeway)):
		return errors.New("token: it is not valid yet")
	case !c.Expiry.Time().After(c.IssuedAt.Time()) || c.Expiry.Time().Sub(c.IssuedAt.Time()) > MaxLifetime:
		return fmt.Errorf("token: it must be valid for more than nothing and at most %s", MaxLifetime)
	case len(c.Roles) > maxRoles:
		return fmt.Errorf("token: %d roles, at most %d", len(c.Roles), maxRoles)
	}
	if err := ledger.CheckText("token: its subject", c.Subject, MaxSubject, true); err != nil {
		return err
	}
	return ledger.CheckText("token: its id (jti)", c.ID, maxTokenID, true)
}
