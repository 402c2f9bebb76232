package vault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/hashicorp/vault/api"
)

const (
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 8 << 20
	maxCA     = 1 << 20
	// maxComplaint bounds what an error repeats of what Vault says.
	maxComplaint = 300

	minPause = 100 * time.Millisecond
	maxPause = 2 * time.Second
)

// clients makes clients that share connections. What the environment says about Vault (VAULT_ADDR, VAULT_TOKEN, VAULT_SKIP_VERIFY …) is for people at
// a shell: a node does what its configuration says.
type clients struct {
	config Config
	http   *http.Client
}

func newClients(c Config) (*clients, error) {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName},
		TLSHandshakeTimeout: c.Timeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     time.Minute,
	}
	if c.CA != "" {
		pem, err := durable.ReadFile(c.CA, maxCA)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s holds no certificate in PEM", c.CA)
		}
	}
	return &clients{c, &http.Client{
		Transport: transport,
		// Of one attempt, so that a connection that hangs leaves time for another.
		Timeout:       c.Timeout / 2,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the API follows by itself
	}}, nil
}

// with makes a client that presents a token, or none.
func (c *clients) with(token string) (*api.Client, error) {
	client, err := api.NewClient(&api.Config{
		Address:      c.config.Address,
		HttpClient:   c.http,
		MaxRetries:   c.config.Retries,
		MinRetryWait: minPause,
		MaxRetryWait: maxPause,
		Backoff:      backOff,
	})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	client.ClearNamespace()
	if c.config.Namespace != "" {
		client.SetNamespace(c.config.Namespace)
	}
	client.SetWrappingLookupFunc(func(string, string) string { return "" })
	client.ClearToken()
	if token != "" {
		client.SetToken(token)
	}
	return client, nil
}

// Requests to Vault.
const (
	read   = http.MethodGet
	write  = http.MethodPut
	remove = http.MethodDelete
)

// send makes one request and decodes the data of its answer.
func send(ctx context.Context, c *api.Client, method, path string, in, out any) error {
	response, err := sendRaw(ctx, c, method, path, in)
	if response != nil {
		defer response.Body.Close() //nolint:errcheck // read to its end or given up
	}
	if err != nil {
		err = failed(ctx, method, path, err)
		var f *failure
		if errors.As(err, &f) && f.status == http.StatusNotFound && response != nil {
			f.deleted = deletedVersion(response.Body)
		}
		return err
	}
	if out == nil {
		return nil
	}
	answer := struct {
		Data any `json:"data"`
	}{out}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&answer); err != nil {
		return fmt.Errorf("vault: %s %s: reading the answer: %w", method, path, err)
	}
	return nil
}

func sendRaw(ctx context.Context, c *api.Client, method, path string, in any) (*api.Response, error) {
	switch method {
	case read:
		return c.Logical().ReadRawWithContext(ctx, path)
	case remove:
		return c.Logical().DeleteRawWithContext(ctx, path)
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return c.Logical().WriteRawWithContext(ctx, path, body)
}

// failure is a request that Vault answered with an error.
type failure struct {
	request    string
	status     int
	complaints string
	// empty is an answer in Vault's form that complains of nothing.
	empty bool
	// deleted is the answer about a version of a secret that is deleted.
	deleted bool
}

func (f *failure) Error() string {
	if f.complaints == "" {
		return fmt.Sprintf("vault: %s: status %d", f.request, f.status)
	}
	return fmt.Sprintf("vault: %s: status %d: %s", f.request, f.status, f.complaints)
}

// Unwrap makes it keys.ErrUnavailable where trying later may help: Vault is sealed, standing by or overloaded.
func (f *failure) Unwrap() error {
	if f.status >= 500 || f.status == http.StatusTooManyRequests || f.status == http.StatusPreconditionFailed {
		return keys.ErrUnavailable
	}
	return nil
}

// missing reports whether Vault has nothing there. That there is no secrets engine has the same status, and a complaint; a proxy that
// has no Vault behind it has the same status, and does not answer in Vault's form.
func missing(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.status == http.StatusNotFound && f.empty
}

// deletedVersion reports whether an answer is what the key-value engine says of a version that is deleted: what it knows of it, and no data.
func deletedVersion(body io.Reader) bool {
	var answer struct {
		Data struct {
			Data     json.RawMessage `json:"data"`
			Metadata struct {
				Version  int    `json:"version"`
				Deletion string `json:"deletion_time"`
				Gone     bool   `json:"destroyed"`
			} `json:"metadata"`
		} `json:"data"`
	}
	err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(&answer)
	m := answer.Data.Metadata
	return err == nil && string(answer.Data.Data) == "null" && m.Version > 0 && (m.Deletion != "" || m.Gone)
}

func hasStatus(err error, status int) bool {
	var f *failure
	return errors.As(err, &f) && f.status == status
}

// failed says what a request came to. Without an answer, Vault cannot be reached, or the caller has given up.
func failed(ctx context.Context, method, path string, err error) error {
	var answered *api.ResponseError
	if errors.As(err, &answered) {
		empty := !answered.RawError && answered.Errors != nil && len(answered.Errors) == 0
		return &failure{request: method + " " + path, status: answered.StatusCode, complaints: complaints(answered.Errors), empty: empty}
	}
	if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) {
		return fmt.Errorf("vault: %s %s: %w", method, path, cause)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		err = errors.New("no answer in time")
	}
	return fmt.Errorf("vault: %s %s: %w: %w", method, path, err, keys.ErrUnavailable)
}

// complaints puts what Vault says on one line.
func complaints(all []string) string {
	line := strings.Join(strings.Fields(strings.Join(all, "; ")), " ")
	if len(line) > maxComplaint {
		line = strings.ToValidUTF8(line[:maxComplaint], "") + " …"
	}
	return line
}

// backOff doubles the pause before each attempt, and takes a random half off it.
func backOff(least, most time.Duration, attempt int, _ *http.Response) time.Duration {
	pause := least << min(attempt, 16)
	return jitter(min(pause, most))
}
