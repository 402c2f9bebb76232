package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/client/resmgmt"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
)

const (
	// catchUp is how long another organisation's peer may take to see the approvals that our own peer sees.
	catchUp = 30 * time.Second
	// catchUpPoll is how often it is asked.
	catchUpPoll = 100 * time.Millisecond
	// maxOthers bounds the peers of other organisations that endorse a commit.
	maxOthers = MaxOrganisations
)

// Commit makes the definition the channel's, once the organisations have approved it that the channel's policy asks for, by default a majority. They must
// endorse that too: the organisation's own peer does and those of others, one of each organisation. Without others, those are taken that
// the own peer knows to be alive. Committing the committed definition changes nothing.
func (a *Admin) Commit(ctx context.Context, d Definition, others ...Node) error {
	step := "committing " + d.String()
	envelope, err := d.check()
	if err != nil {
		return a.failed(step, "", err)
	}
	if done, err := a.isCommitted(ctx, d, envelope); done || err != nil {
		return a.failed(step, a.config.Peer.Address, err)
	}
	if len(a.config.Orderers) == 0 {
		return a.failed(step, "", errNoOrderer)
	}
	err = a.commit(ctx, d, envelope, others)
	if err != nil && a.committedMeanwhile(ctx, d, envelope, err) {
		return nil
	}
	return a.failed(step, "", err)
}

func (a *Admin) commit(ctx context.Context, d Definition, envelope *common.SignaturePolicyEnvelope, others []Node) error {
	approvals, err := a.readiness(ctx, d, envelope)
	if err != nil {
		return err
	}
	targets, err := a.endorsers(ctx, d, envelope, approvals, others)
	if err != nil {
		return err
	}
	_, err = within(ctx, a, func(ctx context.Context) (struct{}, error) {
		_, err := a.resources.LifecycleCommitCC(a.config.Channel, resmgmt.LifecycleCommitCCRequest{Name: d.Name, Version: d.Version,
			Sequence: d.Sequence, SignaturePolicy: envelope}, resmgmt.WithParentContext(ctx), resmgmt.WithTargets(targets...))
		return struct{}{}, err
	})
	return err
}

// committedMeanwhile reports whether another organisation has committed the definition. Its peer may be ahead of ours.
func (a *Admin) committedMeanwhile(ctx context.Context, d Definition, envelope *common.SignaturePolicyEnvelope, failure error) bool {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	for {
		if done, err := a.isCommitted(ctx, d, envelope); done || err != nil {
			return done
		}
		if text := explain(failure); !strings.Contains(text, "but new definition must be sequence") && !strings.Contains(text, "MVCC_READ_CONFLICT") {
			return false
		}
		if pause(ctx) != nil {
			return false
		}
	}
}

// pause waits until it is time to ask again, or the context ends.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(catchUpPoll):
		return nil
	}
}

// endorsers are our own peer and those of other organisations that answer and see the approvals. Together they meet the channel's policy.
func (a *Admin) endorsers(ctx context.Context, d Definition, envelope *common.SignaturePolicyEnvelope, approvals map[string]bool, others []Node) ([]fab.Peer, error) {
	rule, err := a.lifecycleRule(ctx)
	if err != nil {
		return nil, err
	}
	if met, err := rule.met(approving(approvals)); err != nil {
		return nil, err
	} else if !met {
		return nil, fmt.Errorf("approved by %s, which is not enough; not by %s", list(approving(approvals)), list(named(approvals, false)))
	}
	if !approvals[a.config.MSPID] {
		return nil, fmt.Errorf("%s has not approved it itself", a.config.MSPID)
	}
	if err := a.awaitApprovals(ctx, a.peer, d, envelope, approvals); err != nil {
		return nil, err
	}
	candidates, err := a.candidates(ctx, approvals, others)
	if err != nil {
		return nil, err
	}
	targets, organisations := []fab.Peer{a.peer}, []string{a.config.MSPID}
	var refusals []string
	for _, peer := range candidates {
		if err := a.awaitApprovals(ctx, peer, d, envelope, approvals); err != nil {
			refusals = append(refusals, "; "+peer.URL()+": "+explain(err))
			continue
		}
		targets, organisations = append(targets, peer), append(organisations, peer.MSPID())
	}
	if met, err := rule.met(organisations); err != nil {
		return nil, err
	} else if !met && !slices.Contains(organisations, "") {
		return nil, fmt.Errorf("peers of %s are at hand, whose endorsement is not enough%s", list(organisations), strings.Join(refusals, ""))
	}
	return targets, nil
}

// candidates are peers of other organisations, one of each. Those that are given and not known to our own peer are of an organisation not known.
func (a *Admin) candidates(ctx context.Context, approvals map[string]bool, others []Node) ([]fab.Peer, error) {
	if len(others) == 0 {
		return a.alivePeers(ctx, approving(approvals))
	}
	if len(others) > maxOthers {
		return nil, fmt.Errorf("peers of %d other organisations, at most %d", len(others), maxOthers)
	}
	found, err := a.Peers(ctx)
	if err != nil {
		return nil, err
	}
	var peers []fab.Peer
	for _, n := range others {
		if n.Address == a.config.Peer.Address {
			continue
		}
		at := slices.IndexFunc(found, func(p PeerInfo) bool { return p.Address == n.Address })
		mspID := ""
		if at >= 0 {
			mspID = found[at].MSPID
		}
		if mspID != "" && !approvals[mspID] {
			continue // it would refuse
		}
		peer, err := a.target(n, mspID)
		if err != nil {
			return nil, fmt.Errorf("peer %s: %w", n.Address, err)
		}
		peers = append(peers, peer)
	}
	return peers, nil
}

// alivePeers are peers of other organisations of which our own peer knows, one of each, and only of those in only unless it is nil. The channel's configuration names their TLS roots.
func (a *Admin) alivePeers(ctx context.Context, only []string) ([]fab.Peer, error) {
	found, err := a.Peers(ctx)
	if err != nil {
		return nil, err
	}
	organisations, err := within(ctx, a, func(context.Context) (map[string]*organisation, error) {
		channel, err := a.channel()
		if err != nil {
			return nil, err
		}
		return (&membership{config: channel.ChannelService().ChannelConfig}).all()
	})
	if err != nil {
		return nil, err
	}
	var peers []fab.Peer
	taken := map[string]bool{a.config.MSPID: true}
	for _, p := range found {
		if taken[p.MSPID] || only != nil && !slices.Contains(only, p.MSPID) || p.Address == "" || len(peers) == maxOthers {
			continue
		}
		taken[p.MSPID] = true
		if o := organisations[p.MSPID]; o != nil {
			a.client.EndpointConfig().TLSCACertPool().Add(o.tlsRoots...)
		}
		node := Node{Address: p.Address}
		peer, err := a.client.InfraProvider().CreatePeerFromConfig(&fab.NetworkPeer{
			PeerConfig: fab.PeerConfig{URL: node.url(), GRPCOptions: node.options()}, MSPID: p.MSPID})
		if err != nil {
			return nil, fmt.Errorf("peer %s: %w", p.Address, err)
		}
		peers = append(peers, peer)
	}
	return peers, nil
}

// awaitApprovals waits until a peer sees the approvals.
func (a *Admin) awaitApprovals(ctx context.Context, peer fab.Peer, d Definition, envelope *common.SignaturePolicyEnvelope, want map[string]bool) error {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	for {
		got, err := a.readinessAt(ctx, peer, d, envelope)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(approving(want), func(id string) bool { return !got[id] }) {
			return nil
		}
		if pause(ctx) != nil {
			return fmt.Errorf("has not seen all approvals after %s", catchUp)
		}
	}
}

// isCommitted reports whether the channel has exactly this definition. It is an error if the channel is further.
func (a *Admin) isCommitted(ctx context.Context, d Definition, envelope *common.SignaturePolicyEnvelope) (bool, error) {
	got, _, err := a.Committed(ctx, d.Name)
	switch {
	case errors.Is(err, ErrNotCommitted):
		return false, nil
	case err != nil:
		return false, err
	case got.Sequence == d.Sequence && got.Version == d.Version && equal(got.envelope, envelope):
		return true, nil
	case got.Sequence >= d.Sequence:
		return false, fmt.Errorf("the channel has %s, with %s", got, difference(got, d))
	}
	return false, nil
}

func difference(got *Definition, want Definition) string {
	if got.Sequence == want.Sequence && got.Version == want.Version {
		return "another endorsement policy"
	}
	return fmt.Sprintf("sequence %d next", got.Sequence+1)
}

// Committed returns the channel's definition of a chaincode and which organisations approved it, by MSP id. The error wraps [ErrNotCommitted] where there is none.
func (a *Admin) Committed(ctx context.Context, name string) (*Definition, map[string]bool, error) {
	found, err := within(ctx, a, func(ctx context.Context) ([]resmgmt.LifecycleChaincodeDefinition, error) {
		return a.resources.LifecycleQueryCommittedCC(a.config.Channel, resmgmt.LifecycleQueryCommittedCCRequest{Name: name}, a.options(ctx)...)
	})
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%d definitions of one name", len(found))
	}
	if err != nil {
		if strings.Contains(err.Error(), "namespace "+name+" is not defined") {
			err = ErrNotCommitted
		}
		return nil, nil, a.failed("looking for the definition of "+name, a.config.Peer.Address, err)
	}
	d := found[0]
	return &Definition{Name: d.Name, Version: d.Version, Sequence: d.Sequence, envelope: d.SignaturePolicy}, maps.Clone(d.Approvals), nil
}
