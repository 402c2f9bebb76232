package node

import (
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/api/server"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/embedded"
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
	done, err := r.receive(&said{messages: []*assayv1.WatchRequestResponse{{Request: &assayv1.Request{Status: assayv1.RequestStatus_REQUEST_STATUS_VERIFIED}}, {Progress: hostile}}, end: io.EOF}, w)
	if !done || err != nil {
		t.Fatalf("%v, %v", done, err)
	}
	if p := <-c; len(p.Stage) > maxStage || strings.ContainsRune(p.Stage, '\x1b') || p.Done > maxParts || p.Total > maxParts || p.Done < 0 {
		t.Errorf("believed %+v", p)
	}
	broken := errors.New("broken")
	if done, err := r.receive(&said{end: broken}, w); done || !errors.Is(err, broken) {
		t.Errorf("a broken stream: %v, %v", done, err)
	}
}

// Many who watch share one watch, which ends with the last of them, or when nothing can follow: for those whom the owner tells nothing, at once.
func TestRelayEnds(t *testing.T) {
	l := must(embedded.Create(t.TempDir(), genesis(10), embedded.Options{SRS: contracttest.SRS()}))(t)
	t.Cleanup(func() { l.Close() }) //nolint:errcheck // the test is over
	r := &relay{book: must(l.Book(contracttest.Lender))(t), own: contracttest.Lender, log: slog.New(slog.DiscardHandler)}
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
