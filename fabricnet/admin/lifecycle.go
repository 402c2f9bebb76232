package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hyperledger/fabric-protos-go/common"
	"github.com/hyperledger/fabric-sdk-go/pkg/client/resmgmt"
	"github.com/hyperledger/fabric-sdk-go/pkg/common/providers/fab"
)

// chaincodeNames are those that Fabric takes.
var chaincodeNames = regexp.MustCompile(`^[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*$`)

// askOthers is how long other organisations' peers have to say what they know of approvals.
const askOthers = 5 * time.Second

// Definition is a chaincode as the organisations of a channel agree on it.
type Definition struct {
	Name    string
	Version string
	// Sequence counts the definitions of the name: 1 for the first, one more for each that replaces it.
	Sequence int64
	// Policy is the endorsement policy of every key. A definition that [Admin.Committed] returns has none; ask [Definition.HasPolicy].
	Policy Policy

	envelope *common.SignaturePolicyEnvelope // what the channel has, in a definition that Committed returned
}

func (d Definition) String() string {
	return fmt.Sprintf("%s %s sequence %d", d.Name, d.Version, d.Sequence)
}

// HasPolicy reports whether a definition that [Admin.Committed] returned has exactly the policy that p makes.
func (d Definition) HasPolicy(p Policy) bool {
	want, err := p.Envelope()
	return err == nil && d.envelope != nil && equal(want, d.envelope)
}

func (d Definition) check() (*common.SignaturePolicyEnvelope, error) {
	if len(d.Name) > 64 || !chaincodeNames.MatchString(d.Name) {
		return nil, fmt.Errorf("chaincode name is %.80q, must be at most 64 letters and digits with single - or _ between them", d.Name)
	}
	if d.Version == "" || len(d.Version) > 64 {
		return nil, fmt.Errorf("chaincode version is %.80q, must have 1 to 64 characters", d.Version)
	}
	if d.Sequence < 1 {
		return nil, fmt.Errorf("sequence is %d, must be at least 1", d.Sequence)
	}
	return d.Policy.Envelope()
}

// Installed is a chaincode package on the organisation's peer.
type Installed struct {
	ID    string
	Label string
	// Uses are the definitions that run from it, "channel name version", sorted.
	Uses []string
}

// Install puts a chaincode package on the organisation's peer and returns the package's id. A package that is there already is left.
func (a *Admin) Install(ctx context.Context, pkg []byte) (packageID string, err error) {
	const step = "installing the chaincode package"
	label, err := packageLabel(pkg)
	if err != nil {
		return "", a.failed(step, "", err)
	}
	want, err := PackageID(pkg)
	if err != nil {
		return "", a.failed(step, "", err)
	}
	_, err = within(ctx, a, func(ctx context.Context) (struct{}, error) {
		answers, err := a.resources.LifecycleInstallCC(resmgmt.LifecycleInstallCCRequest{Label: label, Package: pkg}, a.options(ctx)...)
		if err == nil && len(answers) > 0 && answers[0].PackageID != want { // no answers: it was there
			err = fmt.Errorf("the peer calls the package %s, not %s", answers[0].PackageID, want)
		}
		return struct{}{}, err
	})
	if err != nil {
		return "", a.failed(step+" "+label, a.config.Peer.Address, err)
	}
	return want, nil
}

// Installed lists the chaincode packages on the organisation's peer, sorted by id.
func (a *Admin) Installed(ctx context.Context) ([]Installed, error) {
	all, err := within(ctx, a, func(ctx context.Context) ([]Installed, error) {
		answer, err := a.resources.LifecycleQueryInstalledCC(a.options(ctx)...)
		if err != nil {
			return nil, err
		}
		var all []Installed
		for _, p := range answer {
			one := Installed{ID: p.PackageID, Label: p.Label}
			for channel, uses := range p.References {
				for _, use := range uses {
					one.Uses = append(one.Uses, channel+" "+use.Name+" "+use.Version)
				}
			}
			slices.Sort(one.Uses)
			all = append(all, one)
		}
		slices.SortFunc(all, func(x, y Installed) int { return strings.Compare(x.ID, y.ID) })
		return all, nil
	})
	return all, a.failed("listing installed chaincode packages", a.config.Peer.Address, err)
}

// Approve records on the channel that the organisation agrees to the definition and runs it from the package. Approving what is approved already
// changes nothing; with another package, it changes the package.
func (a *Admin) Approve(ctx context.Context, d Definition, packageID string) error {
	step := "approving " + d.String()
	envelope, err := d.check()
	if err != nil {
		return a.failed(step, "", err)
	}
	if packageID == "" {
		return a.failed(step, "", errors.New("no package id"))
	}
	if a.approved(ctx, d, envelope, packageID) {
		return nil
	}
	if len(a.config.Orderers) == 0 {
		return a.failed(step, "", errNoOrderer)
	}
	_, err = within(ctx, a, func(ctx context.Context) (struct{}, error) {
		_, err := a.resources.LifecycleApproveCC(a.config.Channel, resmgmt.LifecycleApproveCCRequest{Name: d.Name, Version: d.Version,
			Sequence: d.Sequence, PackageID: packageID, SignaturePolicy: envelope}, a.options(ctx)...)
		return struct{}{}, err
	})
	if err != nil && a.approved(ctx, d, envelope, packageID) { // someone else of the organisation did
		return nil
	}
	return a.failed(step, a.config.Peer.Address, err)
}

var errNoOrderer = errors.New("no orderer is configured to take the transaction")

// approved reports whether the organisation has approved exactly this.
func (a *Admin) approved(ctx context.Context, d Definition, envelope *common.SignaturePolicyEnvelope, packageID string) bool {
	got, err := within(ctx, a, func(ctx context.Context) (resmgmt.LifecycleApprovedChaincodeDefinition, error) {
		return a.resources.LifecycleQueryApprovedCC(a.config.Channel,
			resmgmt.LifecycleQueryApprovedCCRequest{Name: d.Name, Sequence: d.Sequence}, a.options(ctx)...)
	})
	return err == nil && got.Version == d.Version && got.Sequence == d.Sequence && got.PackageID == packageID &&
		!got.InitRequired && len(got.CollectionConfig) == 0 && equal(got.SignaturePolicy, envelope)
}

// Readiness says of every organisation of the channel, by MSP id, whether it has approved the definition. Peers of other organisations that are alive
// are asked too, since an approval is first known to the peer of the organisation that gave it.
func (a *Admin) Readiness(ctx context.Context, d Definition) (map[string]bool, error) {
	envelope, err := d.check()
	if err == nil {
		var approvals map[string]bool
		if approvals, err = a.readiness(ctx, d, envelope); err == nil {
			return approvals, nil
		}
	}
	return nil, a.failed("asking who approved "+d.String(), a.config.Peer.Address, err)
}

func (a *Admin) readiness(ctx context.Context, d Definition, envelope *common.SignaturePolicyEnvelope) (map[string]bool, error) {
	approvals, err := a.readinessAt(ctx, a.peer, d, envelope)
	if err != nil {
		return nil, err
	}
	peers, err := a.alivePeers(ctx, nil)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askOthers)
	defer cancel()
	answers := make([]map[string]bool, len(peers))
	var asked sync.WaitGroup
	for i, peer := range peers {
		asked.Go(func() { answers[i], _ = a.readinessAt(ctx, peer, d, envelope) }) // one that does not answer knows nothing
	}
	asked.Wait()
	for _, answer := range answers {
		for _, id := range approving(answer) {
			approvals[id] = true
		}
	}
	return approvals, nil
}

func (a *Admin) readinessAt(ctx context.Context, peer fab.Peer, d Definition, envelope *common.SignaturePolicyEnvelope) (map[string]bool, error) {
	return within(ctx, a, func(ctx context.Context) (map[string]bool, error) {
		answer, err := a.resources.LifecycleCheckCCCommitReadiness(a.config.Channel, resmgmt.LifecycleCheckCCCommitReadinessRequest{
			Name: d.Name, Version: d.Version, Sequence: d.Sequence, SignaturePolicy: envelope},
			resmgmt.WithParentContext(ctx), resmgmt.WithTargets(peer))
		if err != nil {
			return nil, err
		}
		approvals := map[string]bool{}
		maps.Copy(approvals, answer.Approvals)
		return approvals, nil
	})
}

// options are those of a request to our own peer.
func (a *Admin) options(ctx context.Context) []resmgmt.RequestOption {
	return []resmgmt.RequestOption{resmgmt.WithParentContext(ctx), resmgmt.WithTargets(a.peer)}
}
