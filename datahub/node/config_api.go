package node

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// API is the node's interface for its organisation's people and programs, and for other organisations' nodes.
type API struct {
	// Listen is for REST, GRPC for gRPC. Without GRPC there is no interface.
	Listen string `yaml:"listen"`
	GRPC   string `yaml:"grpc"`
	// Names are in the certificate that callers see.
	Names []string `yaml:"names"`
	// URL is where others find GRPC, as the ledger has it.
	URL string `yaml:"url"`
	// Audience is what tokens must be for.
	Audience          string   `yaml:"audience"`
	Issuers           []Issuer `yaml:"issuers"`
	BuiltInIssuer     bool     `yaml:"built_in_issuer"`
	RequestsPerSecond float64  `yaml:"requests_per_second"`
	Burst             int      `yaml:"burst"`
	Failures          int      `yaml:"failures_per_minute"`
}

// Issuer is an OpenID Connect issuer whose tokens are taken.
type Issuer struct {
	URL   string `yaml:"url"`
	Roots string `yaml:"roots"`
}

// Requests says how an owner decides.
type Requests struct {
	Approve string `yaml:"approve"`
}

// Values of Requests.Approve.
const (
	byPolicy = "policy"
	byPerson = "person"
)

// Review is what the node does to keep others honest.
type Review struct {
	// Verify is for regulators if it is nil.
	Verify     *bool `yaml:"verify"`
	Alert      bool  `yaml:"alert"`
	OpenEpochs bool  `yaml:"open_epochs"`
}

func (c *Config) checkAPI() error {
	a := &c.API
	for field, at := range map[string]string{"api.listen": a.Listen, "api.grpc": a.GRPC} {
		if err := address(field, at); err != nil {
			return err
		}
	}
	switch {
	case a.GRPC == "" && a.Listen != "":
		return errors.New("api.listen: is given without api.grpc, which it leads to")
	case len(a.Names) == 0 || len(a.Names) > authority.MaxNames-1: // the published host is one more
		return fmt.Errorf("api.names: there are %d, must be 1 to %d", len(a.Names), authority.MaxNames-1)
	case slices.Contains(a.Names, ""):
		return errors.New("api.names: one is empty")
	case !(a.RequestsPerSecond > 0 && a.RequestsPerSecond <= 1e6):
		return fmt.Errorf("api.requests_per_second is %v, must be above 0 and at most a million", a.RequestsPerSecond)
	case a.Burst < 1 || a.Burst > 1e6:
		return fmt.Errorf("api.burst is %d, must be 1 to a million", a.Burst)
	case a.Failures < 1 || a.Failures > 1e6:
		return fmt.Errorf("api.failures_per_minute is %d, must be 1 to a million", a.Failures)
	case len(a.Issuers) > access.MaxIssuers-1: // the built-in one is one more
		return fmt.Errorf("api.issuers: there are %d, at most %d", len(a.Issuers), access.MaxIssuers-1)
	}
	if err := ledger.CheckText("api.audience", a.Audience, access.MaxAudience, false); err != nil {
		return err
	}
	if a.GRPC != "" {
		if _, err := a.published(a.GRPC); err != nil {
			return err
		}
	}
	return a.checkIssuers()
}

func (a *API) checkIssuers() error {
	seen := map[string]bool{}
	for i, issuer := range a.Issuers {
		field := fmt.Sprintf("api.issuers[%d].url", i)
		if err := access.CheckIssuerURL(field, issuer.URL); err != nil {
			return err
		}
		if seen[issuer.URL] || a.BuiltInIssuer && issuer.URL == a.IssuerURL() {
			return fmt.Errorf("%s: %q is another issuer's", field, issuer.URL)
		}
		seen[issuer.URL] = true
	}
	return nil
}

// published is how the ledger says where the node is, which listens at an address.
func (a *API) published(listening string) (string, error) {
	field, at := "api.url", a.URL
	if at == "" {
		field, at = "api.grpc", listening
	}
	at = strings.TrimPrefix(at, "https://")
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return "", fmt.Errorf("%s is %q, must be host:port: %w", field, at, err)
	}
	if ip := net.ParseIP(host); field == "api.grpc" && (host == "" || ip != nil && ip.IsUnspecified()) {
		host = a.Names[0] // it listens at every address of the machine
	}
	out := "https://" + net.JoinHostPort(host, port)
	if u, err := url.Parse(out); err != nil || u.String() != out || u.Path != "" || host == "" || len(out) > ledger.MaxURL {
		return "", fmt.Errorf("%s is %q, must be host:port of at most %d bytes", field, at, ledger.MaxURL)
	}
	return out, nil
}

// certified are the names in the node's certificate: those that were given, and the one that the ledger sends others to.
func (a *API) certified(published string) []string {
	names := slices.Clone(a.Names)
	if u, err := url.Parse(published); err == nil && !slices.Contains(names, u.Hostname()) {
		names = append(names, u.Hostname())
	}
	return names
}

// IssuerURL is the name of the node's own issuer, and where its keys are for others who take its tokens. It depends on the configuration alone, so that tokens can be
// made while the node does not run.
func (a *API) IssuerURL() string {
	host := a.Names[0]
	if _, port, err := net.SplitHostPort(a.Listen); err == nil && port != "0" && port != "" {
		host = net.JoinHostPort(host, port)
	}
	return "https://" + host + "/issuer"
}

func (c *Config) checkRequests() error {
	if !oneOf(c.Requests.Approve, byPolicy, byPerson) {
		return fmt.Errorf("requests.approve is %q, must be %s or %s", c.Requests.Approve, byPolicy, byPerson)
	}
	return nil
}

// CheckFor holds the configuration against the organisation's roles on the ledger.
func (c *Config) CheckFor(own *ledger.Organisation) error {
	owns := own.Has(ledger.RoleOwner)
	switch {
	case owns && len(c.Fleets) == 0:
		return fmt.Errorf("fleets: there are none, and organisation %s is an owner", own.ID)
	case !owns && len(c.Fleets) > 0:
		return fmt.Errorf("fleets: organisation %s is no owner, and can have none", own.ID)
	}
	return nil
}

// Of reports whether an organisation's node verifies what others had verified.
func (r *Review) Of(own *ledger.Organisation) bool {
	if r.Verify != nil {
		return *r.Verify
	}
	return own.Has(ledger.RoleRegulator)
}

// CheckFiles reads the certificates that the configuration names, as a start would.
func (c *Config) CheckFiles() error {
	for i := range c.API.Issuers {
		if _, err := c.issuerRoots(i); err != nil {
			return err
		}
	}
	return nil
}
