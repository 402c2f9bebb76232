package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assay-net/assay/datahub/api/access/authority"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// said is a stream of what an owner's node says.
type said struct {
	grpc.ServerStreamingClient[assayv1.WatchRequestResponse]
	messages []*assayv1.WatchRequestResponse
	end      error
}

func (s *said) Recv() (*assayv1.WatchRequestResponse, error) {
	if len(s.messages) == 0 {
		return nil, s.end
	}
	m := s.messages[0]
	s.messages = s.messages[1:]
	return m, nil
}

// What another organisation's node says is cut to what progress can be, and does not reach a terminal as it came.
func TestForeignProgressIsBounded(t *testing.T) {
	r := &relay{}
	c := make(chan server.Progress, 1)
	w := &relayed{watchers: map[chan server.Progress]struct{}{c: {}}, stop: func() {}}
	hostile := &assayv1.Progress{Stage: "\x1b[2J" + strings.Repeat("x", 10_000), Done: 1 << 63, Total: 1<<64 - 1}
	done, err := r.receive(t.Context(), &said{messages: []*assayv1.WatchRequestResponse{{Request: &assayv1.Request{Status: assayv1.RequestStatus_REQUEST_STATUS_VERIFIED}}, {Progress: hostile}}, end: io.EOF}, w)
	if !done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
	if p := <-c; len(p.Stage) > maxStage || strings.ContainsRune(p.Stage, '\x1b') || p.Done > maxParts || p.Total > maxParts || p.Done < 0 {
		t.Errorf("believed %+v", p)
	}
	broken := errors.New("broken")
	if done, err := r.receive(t.Context(), &said{end: broken}, w); done || !errors.Is(err, broken) {
		t.Errorf("a broken stream: %v, %v", done, err)
	}
}

// Many who watch share one watch, which ends with the last of them, or when nothing can follow: for those whom the owner tells nothing, at once.
func TestRelayEnds(t *testing.T) {
	l := must(embedded.Create(t.TempDir(), genesis(10), embedded.Options{SRS: contracttest.SRS()}))(t)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	book := must(l.Book(contracttest.Lender))(t)
	r := &relay{book: book, own: contracttest.Lender, neighbours: &neighbours{book: book}, log: slog.New(slog.DiscardHandler)}
	unknown := commit.Digest{1}
	first, stopFirst := r.Watch(unknown)
	select {
	case _, open := <-first:
		if open {
			t.Error("progress of a request that is not there")
		}
	case <-time.After(patience):
		t.Fatal("the watch of a request that is not there goes on")
	}
	stopFirst()

	w := &relayed{watchers: map[chan server.Progress]struct{}{}, stop: func() {}}
	stopped := false
	w.stop = func() { stopped = true }
	other := commit.Digest{2}
	r.watched[other] = w
	r.tell(w, server.Progress{Stage: "proving", Done: 1, Total: 2})
	a, stopA := r.Watch(other)
	_, stopB := r.Watch(other)
	if p := <-a; p.Done != 1 {
		t.Errorf("who comes later sees %+v", p)
	}
	if stopA(); stopped {
		t.Error("it ended while somebody watched")
	}
	if stopB(); !stopped || r.watched[other] != nil {
		t.Error("it goes on although nobody watches")
	}
}

// There are so many watches elsewhere at one time; those of others see no progress.
func TestRelayIsBounded(t *testing.T) {
	r := &relay{watched: map[commit.Digest]*relayed{}}
	for i := range maxRelayed {
		r.watched[commit.Digest{1, byte(i)}] = &relayed{watchers: map[chan server.Progress]struct{}{}, stop: func() {}}
	}
	c, stop := r.Watch(commit.Digest{2})
	defer stop()
	if _, open := <-c; open || len(r.watched) != maxRelayed {
		t.Errorf("%d watches", len(r.watched))
	}
	_, leave := r.Watch(commit.Digest{1})
	if leave(); len(r.watched) != maxRelayed-1 {
		t.Error("one that is watched already is not shared")
	}
}

// What an owner's node sends is bounded in length before it is decoded, and not decompressed.
func TestHostileOwnersMessages(t *testing.T) {
	owner, lender := must(authority.Open(t.TempDir(), "owner", nil))(t), must(authority.Open(t.TempDir(), "lender", nil))(t)
	// decision.reasons, of nothing but empty strings
	reasons := protowire.AppendBytes(protowire.AppendTag(nil, 14, protowire.BytesType), bytes.Repeat([]byte{0x12, 0}, 2<<20))
	for compressor, want := range map[string]codes.Code{"identity": codes.ResourceExhausted, "gzip": codes.Internal} {
		s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{GetCertificate: must(owner.Server("127.0.0.1"))(t), ClientAuth: tls.RequestClientCert})),
			grpc.ForceServerCodec(rawCodec{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
				if err := grpc.SetSendCompressor(stream.Context(), compressor); err != nil {
					return err
				}
				return stream.SendMsg(protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), reasons))
			}))
		l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
		go s.Serve(l) //nolint:errcheck // it ends with the test
		t.Cleanup(s.Stop)
		r := &neighbours{certificate: must(lender.Client())(t)}
		c := must(r.dial(&ledger.NodeRecord{Organisation: "owner", URL: "https://" + l.Addr().String(), Certificate: owner.Certificate()}))(t)
		t.Cleanup(func() { c.Close() }) //nolint:errcheck // the test is over
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		t.Cleanup(cancel)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		stream := must(c.Requests.WatchRequest(ctx, &assayv1.WatchRequestRequest{Request: commit.Digest{}.String()}))(t)
		_, err := stream.Recv()
		runtime.ReadMemStats(&after)
		if status.Code(err) != want {
			t.Errorf("%s: %v", compressor, err)
		}
		// The sender's own are in it; decoded it would be more than 100 MiB.
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 40 {
			t.Errorf("%s: took %d MiB", compressor, took)
		}
	}
}

// rawCodec sends bytes as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (rawCodec) Unmarshal([]byte, any) error   { return nil }
func (rawCodec) Name() string                  { return "proto" }
