package server

import (
	"context"
	"strings"
	"time"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/policy"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
)

type policyService struct {
	assayv1.UnimplementedPolicyServiceServer
	*Server
}

// PublishPolicy puts a text in force. One that is in force already stays so.
func (s *policyService) PublishPolicy(ctx context.Context, in *assayv1.PublishPolicyRequest) (*assayv1.PublishPolicyResponse, error) {
	if _, err := policy.Parse([]byte(in.GetText())); err != nil {
		return nil, invalid("text", err)
	}
	digest, receipt, refused := s.Book.PublishPolicy(ctx, []byte(in.GetText()))
	if refused != nil && ledger.CodeOf(refused) != ledger.Conflict {
		return nil, refused
	}
	if err := s.Book.Await(ctx, receipt.Height); err != nil {
		return nil, err
	}
	published, err := s.policy(ctx, s.Organisation, &digest)
	if refused != nil && (ledger.CodeOf(err) == ledger.NotFound || err == nil && !published.GetInForce()) {
		return nil, refused // something else changed in between
	}
	return &assayv1.PublishPolicyResponse{Policy: published}, err
}

// GetPolicy reads the policy in force, or one by its digest.
func (s *policyService) GetPolicy(ctx context.Context, in *assayv1.GetPolicyRequest) (*assayv1.GetPolicyResponse, error) {
	var digest *commit.Digest
	if in.GetDigest() != "" {
		d, err := digestOf("digest", in.GetDigest())
		if err != nil {
			return nil, err
		}
		digest = &d
	}
	p, err := s.policy(ctx, in.GetOwner(), digest)
	return &assayv1.GetPolicyResponse{Policy: p}, err
}

// policy is the policy of a digest as of when it was first published, or the one in force.
func (s *policyService) policy(ctx context.Context, owner string, digest *commit.Digest) (*assayv1.Policy, error) {
	inForce, err := s.Book.Policy(ctx, owner, nil)
	if err != nil {
		return nil, err
	}
	p := inForce
	if digest != nil {
		if p, err = s.Book.Policy(ctx, owner, digest); err != nil {
			return nil, err
		}
	}
	return policyMessage(&p, inForce.Digest), nil
}

// CheckPolicy parses a text.
func (s *policyService) CheckPolicy(_ context.Context, in *assayv1.CheckPolicyRequest) (*assayv1.CheckPolicyResponse, error) {
	set, err := policy.Parse([]byte(in.GetText()))
	if err != nil {
		return &assayv1.CheckPolicyResponse{Problems: problems(err)}, nil
	}
	return &assayv1.CheckPolicyResponse{Digest: commit.Digest(set.Digest()).String()}, nil
}

// maxProblems bounds the problems of a text that are told at once.
const maxProblems = 64

// problems are the lines of an error.
func problems(err error) []string {
	var out []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line = strings.TrimSpace(line); line != "" && len(out) < maxProblems {
			out = append(out, clip(line))
		}
	}
	return out
}

// ExplainRequest asks the contract about a request, or evaluates a text that is given.
func (s *policyService) ExplainRequest(ctx context.Context, in *assayv1.ExplainRequestRequest) (*assayv1.ExplainRequestResponse, error) {
	if in.GetStatement() == "" && in.GetText() == "" {
		id, err := digestOf("request", in.GetRequest())
		if err != nil {
			return nil, err
		}
		a, err := s.Book.Assess(ctx, id)
		if err != nil {
			return nil, err
		}
		return &assayv1.ExplainRequestResponse{Assessment: assessmentMessage(&a)}, nil
	}
	q, err := s.questionOf(ctx, in)
	if err != nil {
		return nil, err
	}
	text := []byte(in.GetText())
	if len(text) == 0 {
		inForce, err := s.Book.Policy(ctx, q.Fleet.Owner, nil)
		if err != nil {
			return nil, err
		}
		text = inForce.Text
	}
	set, err := policy.Parse(text)
	if err != nil {
		return nil, invalid("text", err)
	}
	d := set.Decide(q)
	return &assayv1.ExplainRequestResponse{Assessment: &assayv1.Assessment{
		Allowed: d.Allowed, Approval: d.Approval, Reasons: d.Reasons, PolicyIds: d.Policies, Policies: []string{commit.Digest(set.Digest()).String()},
	}}, nil
}

// questionOf is the question of a request on the ledger, or of a statement that nobody asked yet.
func (s *policyService) questionOf(ctx context.Context, in *assayv1.ExplainRequestRequest) (*policy.Question, error) {
	asked, by, err := s.asked(ctx, in)
	if err != nil {
		return nil, err
	}
	if by.Fleet, err = s.Book.Fleet(ctx, asked.Fleet); err != nil {
		return nil, err
	}
	now, err := s.Book.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	by.Epoch, by.Time = now.Epoch, time.Unix(now.Now, 0)
	if o, ok := s.Genesis.Organisation(asked.Requester); ok {
		by.Roles = o.Roles
	}
	q, err := ledger.QuestionOf(asked, by)
	if err != nil {
		return nil, invalid("statement", err)
	}
	return q, nil
}

func (s *policyService) asked(ctx context.Context, in *assayv1.ExplainRequestRequest) (*statement.Statement, ledger.Asker, error) {
	if in.GetRequest() != "" {
		id, err := digestOf("request", in.GetRequest())
		if err != nil {
			return nil, ledger.Asker{}, err
		}
		entry, err := s.Book.RequestEntry(ctx, id)
		if err != nil {
			return nil, ledger.Asker{}, err
		}
		asked, err := statement.Parse(entry.Request.Statement)
		return asked, ledger.Asker{Attributes: entry.Request.Attributes}, err
	}
	asked, err := readStatement(in.GetStatement())
	if err == nil {
		err = s.complete(asked, "")
	}
	if err != nil {
		return nil, ledger.Asker{}, invalid("statement", err)
	}
	return asked, ledger.Asker{}, nil
}
