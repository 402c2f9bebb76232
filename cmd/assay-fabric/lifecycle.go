package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/fabricnet/admin"
)

// definitionFlags name the definition that a command is about.
type definitionFlags struct {
	version  string
	sequence int64
}

func (f *definitionFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.version, "version", "", "the contract's version, as the organisations call it")
	c.Flags().Int64Var(&f.sequence, "sequence", 0, "the definition's sequence (default the next, or the committed one if that has this version)")
	cli.Require(c, "version")
}

// definition fills in the sequence. What the channel has committed comes with it; nil if nothing.
func (s *session) definition(ctx context.Context, f definitionFlags) (d admin.Definition, committed *admin.Definition, approvals map[string]bool, err error) {
	d = admin.Definition{Name: s.profile.Chaincode, Version: f.version, Sequence: f.sequence}
	if d.Policy, err = s.policy(); err != nil {
		return d, nil, nil, cli.Usage("%w", err)
	}
	committed, approvals, err = s.Committed(ctx, d.Name)
	if errors.Is(err, admin.ErrNotCommitted) {
		committed, err = nil, nil
	}
	if err != nil || d.Sequence != 0 {
		return d, committed, approvals, err
	}
	switch {
	case committed == nil:
		d.Sequence = 1
	case committed.Version == d.Version && committed.HasPolicy(d.Policy):
		d.Sequence = committed.Sequence
	default:
		d.Sequence = committed.Sequence + 1
	}
	return d, committed, approvals, nil
}

func newApproveCommand(p *cli.Printer) *cobra.Command {
	var on connection
	var f definitionFlags
	var packageID string
	c := &cobra.Command{
		Use:   "approve --version VERSION --package-id ID",
		Short: "Approve a definition of the contract for the organisation",
		Long: `Approve records on the channel that the organisation agrees to a definition of the contract, and which package it runs it from. An
organisation that comes late approves what is committed already.`,
		Example: `  assay-fabric contract approve --version 2 --package-id assay_2:4f0c… --profile profiles/bank.json \
    --admin-cert admin.pem --admin-key admin.key --orderer orderer.example:7050=orderer-roots.pem`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error {
				d, _, _, err := s.definition(ctx, f)
				if err != nil {
					return err
				}
				if err := s.Approve(ctx, d, packageID); err != nil {
					return err
				}
				o := newDefinitionObject("approved", d)
				o.PackageID = packageID
				return printDefinition(p, o, "APPROVED %s by %s", &o, s.profile.MSPID)
			})
		},
	}
	f.flags(c)
	c.Flags().StringVar(&packageID, "package-id", "", "the id of an installed package")
	cli.Require(c, "package-id")
	on.flags(c)
	return c
}

func newReadinessCommand(p *cli.Printer) *cobra.Command {
	var on connection
	var f definitionFlags
	c := &cobra.Command{
		Use:   "readiness --version VERSION",
		Short: "Show which organisations have approved a definition",
		Long: `Readiness shows which organisations have approved a definition of the contract. The exit code is 1 unless they are those that the channel's
policy asks for, which is when it can be committed.`,
		Example: `  assay-fabric contract readiness --version 2 --org regulator`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error { return readiness(ctx, p, s, f) })
		},
	}
	f.flags(c)
	on.flags(c)
	return c
}

func readiness(ctx context.Context, p *cli.Printer, s *session, f definitionFlags) error {
	d, committed, approvals, err := s.definition(ctx, f)
	if err != nil {
		return err
	}
	o := newDefinitionObject("readiness", d)
	o.Committed = committed != nil && committed.Sequence == d.Sequence
	if !o.Committed {
		if approvals, err = s.Readiness(ctx, d); err != nil {
			return err
		}
	}
	o.Approvals = approvals
	if err := printDefinition(p, o, "%s", &o); err != nil {
		return err
	}
	ready, err := s.Committable(ctx, approvals)
	if err == nil && !ready {
		err = fmt.Errorf("%s cannot be committed yet", &o)
	}
	return err
}

func newCommitCommand(p *cli.Printer) *cobra.Command {
	var on connection
	var f definitionFlags
	var endorsers []string
	c := &cobra.Command{
		Use:   "commit --version VERSION",
		Short: "Commit a definition that enough organisations have approved",
		Long: `Commit makes a definition the channel's, once the organisations have approved it that the channel's policy asks for. They must endorse
that too: by default with peers that the own peer knows of, else with those of --endorser, one of each organisation.`,
		Example: `  assay-fabric contract commit --version 2 --org regulator`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			others, err := parseNodes("--endorser", endorsers)
			if err != nil {
				return cli.Usage("%w", err)
			}
			return on.with(c.Context(), func(ctx context.Context, s *session) error {
				d, _, _, err := s.definition(ctx, f)
				if err != nil {
					return err
				}
				if err := s.Commit(ctx, d, others...); err != nil {
					return err
				}
				o := newDefinitionObject("committed", d)
				o.Committed = true
				return printDefinition(p, o, "COMMITTED %s", &o)
			})
		},
	}
	f.flags(c)
	c.Flags().StringArrayVar(&endorsers, "endorser", nil, "a peer of another organisation, [NAME@]HOST:PORT=ROOTS (repeatable)")
	on.flags(c)
	return c
}

func newUpgradeCommand(p *cli.Printer) *cobra.Command {
	var on connection
	var f definitionFlags
	c := &cobra.Command{
		Use:   "upgrade FILE --version VERSION",
		Short: "Install and approve a new version, and commit it when enough have",
		Long: `Upgrade takes the organisation to a new version of the contract: it installs the package, approves the next sequence of the definition
with it, and commits that if its approval was the last that the channel's policy asks for. Every organisation calls it once, in any order, with the same version. An
organisation's contract service of the new version must run by the time the definition is committed.`,
		Example: `  assay-fabric contract upgrade assay_2.tgz --version 2 --org regulator`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error { return upgrade(ctx, p, s, f, args[0]) })
		},
	}
	f.flags(c)
	on.flags(c)
	return c
}

func upgrade(ctx context.Context, p *cli.Printer, s *session, f definitionFlags, path string) error {
	d, committed, _, err := s.definition(ctx, f)
	if err != nil {
		return err
	}
	if committed == nil {
		return fmt.Errorf("%s: nothing is committed that could be upgraded; use install, approve and commit", d.Name)
	}
	o := newDefinitionObject("upgrade", d)
	if o.PackageID, err = s.installFile(ctx, path); err != nil {
		return err
	}
	if err := s.Approve(ctx, d, o.PackageID); err != nil {
		return err
	}
	var approvals map[string]bool
	if o.Committed = committed.Sequence == d.Sequence; o.Committed {
		_, approvals, err = s.Committed(ctx, d.Name)
	} else {
		approvals, o.Committed, err = s.commitIfReady(ctx, d)
	}
	if err != nil {
		return err
	}
	o.Approvals = approvals
	if o.Committed {
		return printDefinition(p, o, "COMMITTED %s", &o)
	}
	return printDefinition(p, o, "APPROVED %s by %s; it waits for others", &o, s.profile.MSPID)
}

// commitIfReady commits a definition if enough organisations have approved it.
func (s *session) commitIfReady(ctx context.Context, d admin.Definition) (approvals map[string]bool, committed bool, err error) {
	if approvals, err = s.Readiness(ctx, d); err != nil {
		return nil, false, err
	}
	ready, err := s.Committable(ctx, approvals)
	if err != nil || !ready {
		return approvals, false, err
	}
	return approvals, true, s.Commit(ctx, d)
}

func newCommittedCommand(p *cli.Printer) *cobra.Command {
	var on connection
	c := &cobra.Command{
		Use:   "committed",
		Short: "Show the channel's definition of the contract",
		Long: `Committed shows the channel's definition of the contract, who approved it, and whether its endorsement policy is the one of the
consortium's genesis. The exit code is 1 if there is none, or if the policy is another.`,
		Example: `  assay-fabric contract committed --org regulator --json`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return on.with(c.Context(), func(ctx context.Context, s *session) error { return showCommitted(ctx, p, s) })
		},
	}
	on.flags(c)
	return c
}

func showCommitted(ctx context.Context, p *cli.Printer, s *session) error {
	policy, err := s.policy()
	if err != nil {
		return cli.Usage("%w", err)
	}
	d, approvals, err := s.Committed(ctx, s.profile.Chaincode)
	if err != nil {
		return err
	}
	ours := d.HasPolicy(policy)
	o := newDefinitionObject("definition", *d)
	o.Approvals, o.Committed, o.Consortium = approvals, true, &ours
	if ours {
		o.Policy = policy.String()
	}
	if err := printDefinition(p, o, "COMMITTED %s, endorsement policy %s", &o, o.Policy); err != nil {
		return err
	}
	if !ours {
		return fmt.Errorf("the endorsement policy of %s is not the consortium's, %s", &o, policy)
	}
	return nil
}

func sortedKeys(m map[string]bool) []string { return slices.Sorted(maps.Keys(m)) }
