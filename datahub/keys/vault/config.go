package vault

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/assay-net/assay/datahub/keys/reference"
)

// Config says which Vault holds the keys, and how the node logs in. deploy/vault/node.hcl is the policy that it needs.
type Config struct {
	// Address is Vault's URL, as https://vault.example.org:8200. Plain http is taken for a loopback address only. The address may be that of
	// a load balancer or of any node of a cluster: standbys forward.
	Address string `yaml:"address"`
	// Namespace is the namespace that the mounts below are in. Empty for none, and always in the community edition.
	Namespace string `yaml:"namespace"`
	// CA is the path of a PEM file with the authorities that may have issued Vault's certificate. Empty for those of the system.
	CA string `yaml:"ca"`
	// ServerName is the name in Vault's certificate, where it is not the one in the address.
	ServerName string `yaml:"server_name"`
	// Login is how the node proves who it is.
	Login Login `yaml:"login"`
	// Transit is the path of the Transit secrets engine. Default: transit.
	Transit string `yaml:"transit"`
	// KV is the path of the key-value secrets engine, version 2, for secret shares. Default: secret.
	KV string `yaml:"kv"`
	// Prefix begins the name of everything that the node has in Vault, so that nodes of several organisations can share one Vault. It must never
	// change: what was made under another is not found. Default: assay.
	Prefix string `yaml:"prefix"`
	// Timeout bounds one request with all its retries. Default: 15s.
	Timeout time.Duration `yaml:"timeout"`
	// Retries is how often a request is tried again, with growing pauses, when Vault is sealed, fails or cannot be reached. What still fails then is
	// for the caller to try later. Default: 3; -1 for none.
	Retries int `yaml:"retries"`
}

// Login methods.
const (
	AppRole    = "approle"
	Kubernetes = "kubernetes"
	Token      = "token"
)

// Login says how the node proves to Vault who it is. Secrets are references, file:/path or env:NAME, and are read again at each login, so
// they can be replaced while the node runs.
type Login struct {
	// Method is approle, kubernetes or token.
	Method string `yaml:"method"`
	// Mount is the path of the auth method. Default: the method's name. An auth method of type jwt serves kubernetes as well.
	Mount string `yaml:"mount"`
	// Role is, for kubernetes, the role to log in as.
	Role string `yaml:"role"`
	// RoleID is, for approle, the role's id. It is no secret.
	RoleID string `yaml:"role_id"`
	// SecretID is, for approle, a reference to the secret id.
	SecretID reference.Reference `yaml:"secret_id"`
	// ServiceAccount is, for kubernetes, the path of the service account's token. Kubernetes replaces that file now and then, and lets everybody in the pod
	// read it, so its mode is not checked. Default: /var/run/secrets/kubernetes.io/serviceaccount/token.
	ServiceAccount string `yaml:"service_account"`
	// Token is, for token, a reference to the token. It should be renewable and periodic: once it has expired, the node has no keys until the secret is
	// replaced.
	Token reference.Reference `yaml:"token"`
}

const (
	defaultTransit = "transit"
	defaultKV      = "secret"
	defaultPrefix  = "assay"
	defaultTimeout = 15 * time.Second
	maxTimeout     = 5 * time.Minute
	defaultRetries = 3
	maxRetries     = 20

	defaultServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/token"
)

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	for field, value := range map[*string]string{&c.Transit: defaultTransit, &c.KV: defaultKV, &c.Prefix: defaultPrefix, &c.Login.Mount: c.Login.Method} {
		if *field == "" {
			*field = value
		}
	}
	if c.Login.Method == Kubernetes && c.Login.ServiceAccount == "" {
		c.Login.ServiceAccount = defaultServiceAccount
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	switch c.Retries {
	case 0:
		c.Retries = defaultRetries
	case -1:
		c.Retries = 0
	}
	return c
}

// path is one that may stand in a request without being escaped.
var path = regexp.MustCompile(`^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$`)

// prefix leaves room for the names of keys.
var prefix = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Check says whether the configuration is complete. It reads no secret and asks no server.
func (c *Config) Check() error {
	full := c.withDefaults()
	if err := errors.Join(checkAddress(c.Address), full.checkPaths(), full.checkBounds(), full.Login.check()); err != nil {
		return fmt.Errorf("keys: vault: %w", err)
	}
	return nil
}

func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("address must be a URL as https://vault.example.org:8200")
	}
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
			return nil
		}
		return errors.New("address must be https, except for a loopback address")
	}
	return errors.New("address must begin with https://")
}

func (c *Config) checkPaths() error {
	for name, value := range map[string]string{"transit": c.Transit, "kv": c.KV} {
		if !path.MatchString(value) {
			return fmt.Errorf("%s must be the path of a secrets engine, without a slash at either end", name)
		}
	}
	if !prefix.MatchString(c.Prefix) {
		return errors.New("prefix must be 1 to 32 characters of a–z, 0–9 and '-'")
	}
	// Keys are named PREFIX-KIND-NAME: those of one prefix must not be taken for those of another that it begins with.
	for _, kind := range []string{wrapping, derivation, signing} {
		if strings.Contains(c.Prefix+"-", "-"+kind+"-") {
			return fmt.Errorf("prefix must not have %q in it", "-"+kind)
		}
	}
	return nil
}

func (c *Config) checkBounds() error {
	if c.Timeout < time.Second || c.Timeout > maxTimeout {
		return fmt.Errorf("timeout is %s, must be 1s to %s", c.Timeout, maxTimeout)
	}
	if c.Retries < 0 || c.Retries > maxRetries {
		return fmt.Errorf("retries is %d, must be -1 to %d", c.Retries, maxRetries)
	}
	return nil
}

func (l *Login) check() error {
	if !path.MatchString(l.Mount) {
		return errors.New("login: mount must be the path of an auth method, without a slash at either end")
	}
	switch l.Method {
	case AppRole:
		if l.RoleID == "" {
			return errors.New("login: role_id is missing")
		}
		if err := l.SecretID.Check(); err != nil {
			return fmt.Errorf("login: secret_id: %w", err)
		}
	case Kubernetes:
		if l.Role == "" {
			return errors.New("login: role is missing")
		}
	case Token:
		if err := l.Token.Check(); err != nil {
			return fmt.Errorf("login: token: %w", err)
		}
	default:
		return fmt.Errorf("login: method must be %s, %s or %s", AppRole, Kubernetes, Token)
	}
	return nil
}
