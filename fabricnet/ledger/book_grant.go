package ledger

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// PublishPolicy puts a policy text of the caller's in force and returns its digest. A Conflict says that it is in force already.
func (b Book) PublishPolicy(ctx context.Context, text []byte) (commit.Digest, Receipt, error) {
	receipt, err := b.submit(ctx, FnPublishPolicy, PublishPolicy{Text: text}, nil)
	return sha256.Sum256(text), receipt, err
}

// Grant gives a permission about fleets of the caller's.
func (b Book) Grant(ctx context.Context, terms policy.Terms) (Receipt, error) {
	return b.submit(ctx, FnGrant, Grant{Terms: terms}, nil)
}

// Revoke ends a grant of the caller's at once.
func (b Book) Revoke(ctx context.Context, args Revoke) (Receipt, error) {
	return b.submit(ctx, FnRevoke, args, nil)
}

// StartProof says that the caller proves an approved request, without which no proof of it is taken. It does nothing where the ledger says so already.
func (b Book) StartProof(ctx context.Context, request commit.Digest) error {
	_, refused := b.submit(ctx, FnStartProof, RequestRef{Request: request}, nil)
	if CodeOf(refused) != Conflict {
		return refused
	}
	entry, err := b.RequestEntry(ctx, request)
	if err != nil {
		return fmt.Errorf("%w (then %w)", refused, err)
	}
	if entry.Status != StatusProving {
		return refused
	}
	return nil
}

// Fail ends an approved request without an answer.
func (b Book) Fail(ctx context.Context, args Fail) (Receipt, error) {
	return b.submit(ctx, FnFail, args, nil)
}

// PublishNode says where the caller's node is, and which CA signs its TLS certificates.
func (b Book) PublishNode(ctx context.Context, args PublishNode) (Receipt, error) {
	return b.submit(ctx, FnPublishNode, args, nil)
}

// Alert raises an alert. Regulators only.
func (b Book) Alert(ctx context.Context, args Alert) (Receipt, error) {
	return b.submit(ctx, FnAlert, args, nil)
}

// Assess asks the contract what it would say to an approval, or to an answer once it is approved.
func (b Book) Assess(ctx context.Context, request commit.Digest) (Assessment, error) {
	return query[Assessment](ctx, b, QueryAssess, Assess{Request: request})
}

// AssessProof asks the contract what it would say to a proof with this verdict. It does not verify the proof.
func (b Book) AssessProof(ctx context.Context, request commit.Digest, v *verify.Verdict) (Assessment, error) {
	shown, err := ShownBy(v)
	if err != nil {
		return Assessment{}, err
	}
	return b.AssessShown(ctx, request, shown)
}

// AssessShown asks the contract what it would say to a proof that shows this.
func (b Book) AssessShown(ctx context.Context, request commit.Digest, shown Shown) (Assessment, error) {
	return query[Assessment](ctx, b, QueryAssess, Assess{Request: request, Shown: &shown})
}

// Policies lists an owner's policies in the order of their digests, without the texts.
func (b Book) Policies(ctx context.Context, owner string) ([]PolicyEntry, error) {
	return query[[]PolicyEntry](ctx, b, QueryPolicies, PoliciesOf{Owner: owner})
}

// Policy finds a policy of an owner's, the one in force without a digest.
func (b Book) Policy(ctx context.Context, owner string, digest *commit.Digest) (PolicyRecord, error) {
	return query[PolicyRecord](ctx, b, QueryPolicy, PolicyRef{Owner: owner, Digest: digest})
}

// Nodes lists the organisations' nodes by organisation.
func (b Book) Nodes(ctx context.Context) ([]NodeRecord, error) {
	return query[[]NodeRecord](ctx, b, QueryNodes, Nothing{})
}

// Bundle is the proof that a verified request was answered with, as the verdict's transaction recorded it.
func (b Book) Bundle(ctx context.Context, request commit.Digest) ([]byte, error) {
	entry, err := b.RequestEntry(ctx, request)
	if err != nil {
		return nil, err
	}
	if entry.Verdict == nil {
		return nil, Refuse(NotFound, "request %s is %s: there is no proof of it", request, entry.Status)
	}
	recorded, err := b.Recorded(ctx, entry.Verdict.TxID)
	if err != nil {
		return nil, fmt.Errorf("reading the proof of request %s: %w", request, err)
	}
	if recorded.Call.Function != FnSubmitProof {
		return nil, fmt.Errorf("reading the proof of request %s: transaction %s recorded %s", request, entry.Verdict.TxID, recorded.Call.Function)
	}
	args, err := Decode[SubmitProof]("arguments", recorded.Call.Args, maxBundleArgs)
	if err != nil {
		return nil, fmt.Errorf("reading the proof of request %s: %w", request, err)
	}
	if got := commit.Digest(sha256.Sum256(args.Bundle)); args.Request != request || got != entry.Verdict.Bundle {
		return nil, fmt.Errorf("reading the proof of request %s: transaction %s holds bundle %s of request %s, the verdict names %s",
			request, entry.Verdict.TxID, got, args.Request, entry.Verdict.Bundle)
	}
	return args.Bundle, nil
}
