package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/admin"
	"github.com/assay-net/assay/fabricnet/localnet"
	"github.com/assay-net/assay/fabricnet/profile"
)

// connection is whose administrator a command is, and of which network.
type connection struct {
	profile     string
	certificate string
	key         string
	orderers    []string
	dir         string
	org         string
	timeout     time.Duration
}

const connectionHelp = `

On a real network, say which organisation you administer with --profile, as which administrator with --admin-cert and --admin-key, and
where transactions go with --orderer [NAME@]HOST:PORT=ROOTS, where ROOTS is a PEM file of TLS root certificates and NAME the one in the
node's certificate, if it is not HOST. On a local network, --org ORGANISATION (and --dir) says all of this.`

// flags defines the flags that say all this.
func (c *connection) flags(command *cobra.Command) {
	command.Long += connectionHelp
	flags := command.Flags()
	flags.StringVar(&c.profile, "profile", "", "the organisation's connection profile")
	flags.StringVar(&c.certificate, "admin-cert", "", "certificate of an administrator of the organisation, PEM")
	flags.StringVar(&c.key, "admin-key", "", "the administrator's EC key, PEM")
	flags.StringArrayVar(&c.orderers, "orderer", nil, "an orderer, [NAME@]HOST:PORT=ROOTS (repeatable)")
	flags.StringVar(&c.org, "org", "", "an organisation of the local network in --dir, instead of --profile")
	flags.StringVar(&c.dir, "dir", defaultDir, "the local network's folder")
	flags.DurationVar(&c.timeout, "timeout", 2*time.Minute, "give up after this time")
	command.MarkFlagsOneRequired("profile", "org")
	command.MarkFlagsMutuallyExclusive("profile", "org")
	command.MarkFlagsMutuallyExclusive("profile", "dir")
	command.MarkFlagsMutuallyExclusive("org", "admin-cert")
	command.MarkFlagsMutuallyExclusive("org", "admin-key")
	command.MarkFlagsMutuallyExclusive("org", "orderer")
	command.MarkFlagsRequiredTogether("admin-cert", "admin-key")
}

// session is an administrator at work.
type session struct {
	*admin.Admin
	profile *profile.Profile
}

// with opens the administrator and does something as it, within the timeout.
func (c *connection) with(ctx context.Context, do func(ctx context.Context, s *session) error) error {
	if c.timeout <= 0 {
		return cli.Usage("--timeout is %s, must be more than 0", c.timeout)
	}
	p, config, err := c.settings()
	if err != nil {
		return cli.Usage("%w", err)
	}
	a, err := admin.Open(config)
	if err != nil {
		return cli.Usage("%w", err)
	}
	defer a.Close()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return do(ctx, &session{a, p})
}

func (c *connection) settings() (*profile.Profile, admin.Config, error) {
	if c.org != "" {
		return c.localSettings()
	}
	if c.certificate == "" {
		return nil, admin.Config{}, fmt.Errorf("--profile needs --admin-cert and --admin-key: its own identity is a client's")
	}
	p, err := profile.Read(c.profile)
	if err != nil {
		return nil, admin.Config{}, err
	}
	config := admin.Config{MSPID: p.MSPID, Certificate: c.certificate, Key: c.key, Channel: p.Channel,
		Peer: admin.Node{Address: p.Peer.Address, ServerName: p.Peer.ServerName, TLSRoots: p.Peer.TLSRoots}}
	config.Orderers, err = parseNodes("--orderer", c.orderers)
	return p, config, err
}

func (c *connection) localSettings() (*profile.Profile, admin.Config, error) {
	n, err := localnet.Open(c.dir)
	if err != nil {
		return nil, admin.Config{}, err
	}
	config, err := n.Admin(c.org)
	if err != nil {
		return nil, admin.Config{}, err
	}
	p, err := profile.Read(n.Profile(c.org))
	return p, config, err
}

// parseNodes reads nodes in the form [NAME@]HOST:PORT=ROOTS.
func parseNodes(flag string, texts []string) ([]admin.Node, error) {
	var nodes []admin.Node
	for _, text := range texts {
		endpoint, roots, ok := strings.Cut(text, "=")
		name, address, named := strings.Cut(endpoint, "@")
		if !named {
			name, address = "", endpoint
		}
		if !ok || roots == "" || address == "" || named && name == "" {
			return nil, fmt.Errorf("%s is %q, must be [NAME@]HOST:PORT=ROOTS", flag, text)
		}
		nodes = append(nodes, admin.Node{Address: address, ServerName: name, TLSRoots: roots})
	}
	return nodes, nil
}

// policy is the consortium's endorsement policy.
func (s *session) policy() (admin.Policy, error) {
	g, err := s.profile.ReadGenesis()
	if err != nil {
		return admin.Policy{}, err
	}
	return admin.EndorsementPolicy(g), nil
}
