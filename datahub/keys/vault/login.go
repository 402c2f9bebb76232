package vault

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/hashicorp/vault/api"
	"github.com/hashicorp/vault/api/auth/approle"
	"github.com/hashicorp/vault/api/auth/kubernetes"
)

// maxServiceAccount bounds a service account's token.
const maxServiceAccount = 64 << 10

// login proves who the node is and returns a token with its lifetime.
func (c *clients) login(ctx context.Context) (*api.Secret, error) {
	secret, err := c.loginBy(ctx)
	if err != nil {
		return nil, fmt.Errorf("logging in to Vault by %s: %w", c.config.Login.Method, err)
	}
	return secret, nil
}

func (c *clients) loginBy(ctx context.Context) (*api.Secret, error) {
	if c.config.Login.Method == Token {
		return c.loginByToken(ctx)
	}
	method, err := c.method()
	if err != nil {
		return nil, refused{err}
	}
	client, err := c.with("")
	if err != nil {
		return nil, err
	}
	secret, err := client.Auth().Login(ctx, method)
	if err != nil {
		return nil, loginFailed(failed(ctx, write, "auth/"+c.config.Login.Mount+"/login", err))
	}
	if secret == nil || secret.Auth == nil || secret.Auth.ClientToken == "" {
		return nil, refused{errors.New("the answer holds no token")}
	}
	return secret, nil
}

// method reads the secret, which may be another than last time.
func (c *clients) method() (api.AuthMethod, error) {
	l := &c.config.Login
	if l.Method == Kubernetes {
		b, err := durable.ReadFile(l.ServiceAccount, maxServiceAccount)
		if err != nil {
			return nil, fmt.Errorf("service_account: %w", err)
		}
		defer clear(b)
		return kubernetes.NewKubernetesAuth(l.Role, kubernetes.WithMountPath(l.Mount), kubernetes.WithServiceAccountToken(strings.TrimSpace(string(b))))
	}
	b, err := l.SecretID.Read()
	if err != nil {
		return nil, fmt.Errorf("secret_id: %w", err)
	}
	defer clear(b)
	return approle.NewAppRoleAuth(l.RoleID, &approle.SecretID{FromString: string(b)}, approle.WithMountPath(l.Mount))
}

// loginByToken takes a token as it is, and asks how long it will live.
func (c *clients) loginByToken(ctx context.Context) (*api.Secret, error) {
	b, err := c.config.Login.Token.Read()
	if err != nil {
		return nil, refused{fmt.Errorf("token: %w", err)}
	}
	defer clear(b)
	token := string(b)
	client, err := c.with(token)
	if err != nil {
		return nil, err
	}
	var self struct {
		TTL       int  `json:"ttl"`
		Renewable bool `json:"renewable"`
	}
	if err := send(ctx, client, read, lookupSelf, nil, &self); err != nil {
		return nil, loginFailed(err)
	}
	return &api.Secret{Auth: &api.SecretAuth{ClientToken: token, LeaseDuration: self.TTL, Renewable: self.Renewable}}, nil
}

// loginFailed tells a login that Vault refuses, or a Vault that is another than the configured one, from a Vault that cannot answer.
func loginFailed(err error) error {
	var f *failure
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &f) && !errors.Is(err, keys.ErrUnavailable) || errors.As(err, &certificate) {
		return refused{err}
	}
	return err
}
