package main

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/fabricnet/durable"
	"github.com/assay-net/assay/zk/commit"
)

// Environment variables in the place of flags, so that a shell names its node once.
const (
	envAPI       = "ASSAY_API"
	envCA        = "ASSAY_CA"
	envTokenFile = "ASSAY_TOKEN_FILE"
	envToken     = "ASSAY_TOKEN"
)

// apiCall is a call of a node's interface, in the name of a person or program of the node's organisation.
type apiCall struct {
	*cli.Printer
	address, ca, serverName, tokenFile string
}

func (c *apiCall) flags(f *pflag.FlagSet) {
	f.StringVar(&c.address, "api", "", "the node's gRPC address, host:port (default $"+envAPI+")")
	f.StringVar(&c.ca, "ca", "", "file with the CA of the node's certificate, DATA/api/ca.pem on its machine (default $"+envCA+", else the system's)")
	f.StringVar(&c.serverName, "server-name", "", "name in the node's certificate, where it is not the host of --api")
	f.StringVar(&c.tokenFile, "token-file", "", "file with a token, for its owner alone (default $"+envTokenFile+", else the token in $"+envToken+")")
}

// with connects and makes a call.
func (c *apiCall) with(ctx context.Context, do func(context.Context, *client.Client) error) error {
	o, err := c.options()
	if err != nil {
		return err
	}
	node, err := client.Dial(o)
	if err != nil {
		return cli.Usage("--api: %w", err)
	}
	defer node.Close() //nolint:errcheck // nothing is on its way
	return told(do(ctx, node))
}

// about makes a call about one request, query or session, by its id.
func (c *apiCall) about(ctx context.Context, what, id string, do func(context.Context, *client.Client) error) error {
	if err := checkID(what, id); err != nil {
		return err
	}
	return c.with(ctx, do)
}

// checkID checks an argument that must be the id of a request, a query or a session.
func checkID(what, id string) error {
	var d commit.Digest
	if err := d.UnmarshalText([]byte(id)); err != nil {
		return cli.Usage("%q is not the id of a %s: 64 hexadecimal digits, as '%s' shows them", id, what, listed[what])
	}
	return nil
}

// listed are the commands that show ids.
var listed = map[string]string{"request": "assay request list", "query": "assay query list", "session": "assay mpc session list"}

func (c *apiCall) options() (o client.Options, err error) {
	given := func(flag, variable string) string {
		if flag != "" {
			return flag
		}
		return os.Getenv(variable)
	}
	o.Address, o.ServerName = given(c.address, envAPI), c.serverName
	if o.Address == "" {
		return o, cli.Usage("--api is missing: the gRPC address of your organisation's node, or $%s", envAPI)
	}
	if path := given(c.ca, envCA); path != "" {
		if o.Roots, err = readRoots(path); err != nil {
			return o, err
		}
	}
	switch path, token := given(c.tokenFile, envTokenFile), os.Getenv(envToken); {
	case path != "":
		info, err := os.Stat(path)
		if err == nil {
			err = durable.CheckPrivate(path, info)
		}
		if err != nil {
			return o, cli.Usage("--token-file: %w", err)
		}
		o.Token = client.TokenFile(path)
	case token != "":
		o.Token = client.Token(strings.TrimSpace(token))
	default:
		return o, cli.Usage("--token-file is missing: 'assay token' makes a token on the node's machine, or set $%s", envToken)
	}
	return o, nil
}

// maxRoots bounds a file of CAs.
const maxRoots = 1 << 20

func readRoots(path string) (*x509.CertPool, error) {
	b, err := readFile(path, maxRoots)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, cli.Usage("--ca: %s holds no certificate in PEM", path)
	}
	return roots, nil
}

// told makes an exit code of what a node says: what it finds fault with in the call itself cannot be carried out as it was written.
func told(err error) error {
	p, ok := client.ProblemOf(err)
	if !ok {
		return err
	}
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case p.Code == codes.InvalidArgument || p.Code == codes.Unauthenticated:
		return cli.Usage("%w", p)
	}
	return cli.No("%w", p)
}
