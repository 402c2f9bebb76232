package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
)

type proofService struct {
	assayv1.UnimplementedProofServiceServer
	*Server
}

// GetProof gives the verdict on the ledger.
func (s *proofService) GetProof(ctx context.Context, in *assayv1.GetProofRequest) (*assayv1.GetProofResponse, error) {
	id, err := digestOf("request", in.GetRequest())
	if err != nil {
		return nil, err
	}
	entry, err := s.visible(ctx, id)
	if err != nil {
		return nil, err
	}
	if entry.Verdict == nil {
		return nil, notFound(fmt.Sprintf("request %s is %s: there is no proof", id, entry.Status))
	}
	v, err := recordedVerdict(entry)
	if err != nil {
		return nil, err
	}
	return &assayv1.GetProofResponse{Proof: &assayv1.Proof{
		Request: id.String(), Verdict: verdictMessage(v), Bundle: entry.Verdict.Bundle.String(), VerifiedAt: stamp(entry.Verdict.Time), TxId: entry.Verdict.TxID,
	}}, nil
}

func recordedVerdict(e *ledger.RequestEntry) (*verify.Verdict, error) {
	v := new(verify.Verdict)
	if err := json.Unmarshal(e.Verdict.Verdict, v); err != nil {
		return nil, fmt.Errorf("%w: verdict of request %s: %w", errFault, e.ID, err)
	}
	return v, nil
}

func verdictMessage(v *verify.Verdict) *assayv1.Verdict {
	m := &assayv1.Verdict{
		Fleet: v.Fleet, Owner: v.Owner, Epoch: v.Epoch, StatementDigest: v.Digest, Holds: v.Holds(), Claims: claimMessages(v.Claims), Disclosed: totalMessages(v.Disclosed),
		Enrolled: v.Coverage.Enrolled, Attested: v.Coverage.Attested, Percent: v.Coverage.Percent, Retired: v.Coverage.Retired,
		Chunks: uint32(len(v.Chunks)), MissingChunks: uint32(len(v.Coverage.Missing)), Unsafe: v.Unsafe,
	}
	for _, k := range v.Keys {
		shown := &assayv1.KeyVerdict{CircuitId: k.CircuitID, Digest: k.Digest.String(), Setup: k.Setup}
		if k.Status.Current() != verify.StateActive {
			shown.Status = k.Status.String()
		}
		m.Keys = append(m.Keys, shown)
	}
	return m
}

func claimMessages(claims []verify.ClaimVerdict) []*assayv1.ClaimVerdict {
	var out []*assayv1.ClaimVerdict
	for _, c := range claims {
		out = append(out, &assayv1.ClaimVerdict{Claim: c.Claim, Holds: c.Holds})
	}
	return out
}

func totalMessages(totals []statement.DisclosedTotal) []*assayv1.DisclosedTotal {
	var out []*assayv1.DisclosedTotal
	for _, t := range totals {
		out = append(out, &assayv1.DisclosedTotal{Name: t.Name, Value: t.Value, Unit: t.Unit})
	}
	return out
}

// DownloadBundle sends the bundle that the verdict's transaction recorded.
func (s *proofService) DownloadBundle(in *assayv1.DownloadBundleRequest, out grpc.ServerStreamingServer[assayv1.DownloadBundleResponse]) error {
	ctx := out.Context()
	id, err := digestOf("request", in.GetRequest())
	if err != nil {
		return err
	}
	if _, err := s.visible(ctx, id); err != nil {
		return err
	}
	bundle, err := s.load(ctx, func() ([]byte, error) { return s.Book.Bundle(ctx, id) })
	if err != nil {
		return err
	}
	return inChunks(bundle, func(data []byte, offset uint64, sum string) error {
		return out.Send(&assayv1.DownloadBundleResponse{Data: data, Offset: offset, Size: uint64(len(bundle)), Sha256: sum})
	})
}

// load makes a file, a few at a time.
func (s *Server) load(ctx context.Context, make func() ([]byte, error)) ([]byte, error) {
	return few(ctx, s.loads, make)
}

// few makes something, as many at a time as there is room for.
func few(ctx context.Context, room *semaphore.Weighted, make func() ([]byte, error)) ([]byte, error) {
	if err := room.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer room.Release(1)
	return make()
}

// chunkBytes is how much of a file a message of a stream holds.
const chunkBytes = 256 << 10

func inChunks(file []byte, send func(data []byte, offset uint64, sum string) error) error {
	digest := sha256.Sum256(file)
	sum := hex.EncodeToString(digest[:])
	for offset := 0; offset < len(file); offset += chunkBytes {
		if err := send(file[offset:min(offset+chunkBytes, len(file))], uint64(offset), sum); err != nil {
			return gone(err)
		}
	}
	return nil
}

// VerifyBundle verifies a bundle against the ledger, a few at a time.
func (s *proofService) VerifyBundle(ctx context.Context, in *assayv1.VerifyBundleRequest) (*assayv1.VerifyBundleResponse, error) {
	asked, err := verify.BundleStatement(in.GetBundle())
	if err != nil {
		return &assayv1.VerifyBundleResponse{Problem: clip(err.Error())}, nil
	}
	if err := s.checks.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer s.checks.Release(1)
	facts, err := s.facts(ctx, asked.Fleet, asked.Epoch)
	if code := ledger.CodeOf(err); code == ledger.NotFound || code == ledger.Invalid || code == ledger.Expired {
		return &assayv1.VerifyBundleResponse{Problem: clip(err.Error())}, nil
	}
	if err != nil {
		return nil, err
	}
	keys, err := s.rings.ring(ctx, s.Book)
	if err != nil {
		return nil, err
	}
	verdict, err := verify.VerifyBundle(in.GetBundle(), &facts.Facts, keys)
	if err != nil {
		return &assayv1.VerifyBundleResponse{Problem: clip(err.Error())}, nil
	}
	recorded, err := s.recorded(ctx, asked.Digest(s.Book.ID()), sha256.Sum256(in.GetBundle()))
	if err != nil {
		return nil, err
	}
	return &assayv1.VerifyBundleResponse{Verdict: verdictMessage(verdict), Recorded: recorded}, nil
}

// recorded reports whether the ledger has the verdict of this very bundle.
func (s *Server) recorded(ctx context.Context, request, bundle commit.Digest) (bool, error) {
	entry, err := s.Book.RequestEntry(ctx, request)
	if ledger.CodeOf(err) == ledger.NotFound {
		return false, nil
	}
	return err == nil && entry.Verdict != nil && entry.Verdict.Bundle == bundle, err
}

// keyrings keeps the keys that are pinned on the ledger, parsed.
type keyrings struct {
	mu     sync.Mutex
	digest [sha256.Size]byte
	last   *verify.Keyring
}

func (k *keyrings) ring(ctx context.Context, book ledger.Book) (*verify.Keyring, error) {
	published, err := book.Keys(ctx)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(ledger.Encode(published))
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.last != nil && k.digest == digest {
		return k.last, nil
	}
	ring, err := verify.NewKeyring(published)
	if err != nil {
		return nil, fmt.Errorf("%w: pinned keys: %w", errFault, err)
	}
	k.digest, k.last = digest, ring
	return ring, nil
}
