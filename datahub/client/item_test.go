package client_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
	"github.com/assay-net/assay/datahub/client"
	"github.com/assay-net/assay/zk/commit"
)

// others is another organisation's node, whose answers may be anything.
type others struct {
	assayv1.UnimplementedSessionServiceServer
	answer func(*assayv1.FetchItemRequest, func(data []byte, offset uint64) error) error
}

func (o *others) FetchItem(in *assayv1.FetchItemRequest, out grpc.ServerStreamingServer[assayv1.FetchItemResponse]) error {
	return o.answer(in, func(data []byte, offset uint64) error {
		return out.Send(&assayv1.FetchItemResponse{Data: data, Offset: offset})
	})
}

// serving calls a node that answers so.
func serving(t *testing.T, answer func(*assayv1.FetchItemRequest, func([]byte, uint64) error) error) *client.Client {
	t.Helper()
	n := &node{t: t}
	certificate := n.certify()
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13})))
	assayv1.RegisterSessionServiceServer(s, &others{answer: answer})
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	n.address = listener.Addr().String()
	go s.Serve(listener) //nolint:errcheck // it ends with the test
	t.Cleanup(s.Stop)
	return n.dial(nil)
}

func TestItemIsFetched(t *testing.T) {
	session, item := commit.Digest{1}, bytes.Repeat([]byte("0123456789"), 20_000)
	c := serving(t, func(in *assayv1.FetchItemRequest, send func([]byte, uint64) error) error {
		if in.GetSession() != session.String() || in.GetItem() != "input of rival" || in.GetSize() != uint32(len(item)) {
			return status.Errorf(codes.InvalidArgument, "asked is %v", in)
		}
		for offset := 0; offset < len(item); offset += 64 << 10 {
			if err := send(item[offset:min(offset+64<<10, len(item))], uint64(offset)); err != nil {
				return err
			}
		}
		return nil
	})
	if got := must(c.Item(within(t), session, "input of rival", len(item)))(t); !bytes.Equal(got, item) {
		t.Errorf("got %d bytes of %d", len(got), len(item))
	}
	for _, size := range []int{-1, 0, client.MaxItem + 1} {
		if _, err := c.Item(within(t), session, "input of rival", size); err == nil || !strings.Contains(err.Error(), "size") {
			t.Errorf("size %d: %v", size, err)
		}
	}
}

// Whatever the other side sends, an item is of the size that was asked for, or none.
func TestHostileItems(t *testing.T) {
	const size = 10
	for name, chunks := range map[string][]struct {
		data   string
		offset uint64
	}{
		"nothing": nil, "too little": {{"01234", 0}}, "too much": {{"0123456789a", 0}}, "too much in the end": {{"01234567", 0}, {"89a", 8}}, "an empty chunk": {{"", 0}, {"0123456789", 0}},
		"twice": {{"01234", 0}, {"01234", 0}}, "a gap": {{"01234", 0}, {"6789a", 6}}, "more behind it": {{"0123456789", 0}, {"a", 10}}, "from the middle": {{"56789", 5}},
		"far off": {{"0123456789", 1 << 63}},
	} {
		c := serving(t, func(_ *assayv1.FetchItemRequest, send func([]byte, uint64) error) error {
			for _, chunk := range chunks {
				if err := send([]byte(chunk.data), chunk.offset); err != nil {
					return err
				}
			}
			return nil
		})
		if got, err := c.Item(within(t), commit.Digest{}, "public", size); err == nil || got != nil || !strings.HasPrefix(err.Error(), "item: ") {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
	}
	c := serving(t, func(_ *assayv1.FetchItemRequest, send func([]byte, uint64) error) error {
		for { // for ever: the caller leaves
			if err := send(make([]byte, 64<<10), 0); err != nil {
				return err
			}
		}
	})
	if _, err := c.Item(within(t), commit.Digest{}, "public", size); err == nil {
		t.Error("an item without an end is taken")
	}
}

// Why there is no item is told apart, and what else goes wrong is none of these.
func TestWhyThereIsNoItem(t *testing.T) {
	if testing.Short() {
		t.Skip("waits between tries")
	}
	for name, c := range map[string]struct {
		says error
		want error
	}{
		"not yet":           {access.Refuse(codes.FailedPrecondition, "not_yet", "there is no such item yet"), client.ErrNotYet},
		"another condition": {access.Refuse(codes.FailedPrecondition, "expired", "over"), nil},
		"forbidden":         {access.Refuse(codes.PermissionDenied, access.ReasonForbidden, "not for you"), client.ErrForbidden},
		"unknown":           {access.Refuse(codes.NotFound, "not_found", "nothing"), client.ErrUnknown},
		"away":              {access.Refuse(codes.Unavailable, access.ReasonUnavailable, "later"), nil},
		"no such method":    {status.Error(codes.Unimplemented, "what?"), nil},
	} {
		node := serving(t, func(_ *assayv1.FetchItemRequest, send func([]byte, uint64) error) error {
			if name == "unknown" { // behind a part of it
				if err := send([]byte("0"), 0); err != nil {
					return err
				}
			}
			return c.says
		})
		_, err := node.Item(within(t), commit.Digest{}, "public", 2)
		for _, known := range []error{client.ErrNotYet, client.ErrForbidden, client.ErrUnknown} {
			if errors.Is(err, known) != (known == c.want) {
				t.Errorf("%s: %v is %v: %t", name, err, known, errors.Is(err, known))
			}
		}
		if p, ok := client.ProblemOf(err); !ok || p.Code != status.Code(c.says) {
			t.Errorf("%s: the problem is %v", name, p)
		}
	}
}

// A node that says nothing is not waited for beyond the context's end.
func TestItemOfASilentNode(t *testing.T) {
	over := make(chan struct{})
	c := serving(t, func(*assayv1.FetchItemRequest, func([]byte, uint64) error) error { <-over; return nil })
	t.Cleanup(func() { close(over) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Item(ctx, commit.Digest{}, "public", 2); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

// What a node says with its no goes into errors and logs: little of it, on one line, and nothing that steers a terminal. More than any node has to say is not taken.
func TestWordsOfANoAreFew(t *testing.T) {
	for name, c := range map[string]struct {
		says    string
		unknown bool
	}{"some": {strings.Repeat("no\x1b[2J\n", 2_000), true}, "a flood": {strings.Repeat("no such", 200_000), false}} {
		node := serving(t, func(*assayv1.FetchItemRequest, func([]byte, uint64) error) error {
			return status.Error(codes.NotFound, c.says)
		})
		_, err := node.Item(within(t), commit.Digest{}, "public", 2)
		if err == nil || errors.Is(err, client.ErrUnknown) != c.unknown || len(err.Error()) > 2_000 || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%s: %.4000q", name, err)
		}
	}
}

// What a node does not have yet is asked for again and again: that takes no memory for it.
func TestNothingTakesNoMemory(t *testing.T) {
	c := serving(t, func(*assayv1.FetchItemRequest, func([]byte, uint64) error) error {
		return access.Refuse(codes.FailedPrecondition, "not_yet", "there is no such item yet")
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 8 {
		if _, err := c.Item(within(t), commit.Digest{}, "public", client.MaxItem); !errors.Is(err, client.ErrNotYet) {
			t.Fatal(err)
		}
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > client.MaxItem {
		t.Errorf("took %d MiB", (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}
