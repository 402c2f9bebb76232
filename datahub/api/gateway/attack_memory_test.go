package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
)

// bloated is a message of the length that the largest method takes, of nothing but empty strings: decoded it is a multiple of that, and compressed a thousandth.
func bloated() []byte {
	empty := protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), nil) // terms.fleets
	terms := bytes.Repeat(empty, (access.LargestRequest()-16)/len(empty))
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), terms)
}

// What a message costs is known before it is decoded: by nobody's call nothing, by anybody's no more than its method takes.
func TestAttackMessagesThatGrowWhenDecoded(t *testing.T) {
	slow(t)
	w := newWorld(t, everything)
	m, message := method(assayv1.GrantService_CreateGrant_FullMethodName), bloated()
	for name, c := range map[string]struct {
		token string
		o     []grpc.CallOption
		want  []codes.Code
	}{
		"nobody's, compressed":   {"", []grpc.CallOption{grpc.UseCompressor("gzip")}, []codes.Code{codes.Unauthenticated}},
		"nobody's":               {"", nil, []codes.Code{codes.Unauthenticated}},
		"a viewer's":             {w.token(access.Viewer), nil, []codes.Code{codes.PermissionDenied}},
		"an administrator's":     {w.token(access.Administrator), nil, []codes.Code{codes.ResourceExhausted}},
		"and theirs, compressed": {w.token(access.Administrator), []grpc.CallOption{grpc.UseCompressor("gzip")}, []codes.Code{codes.InvalidArgument}},
	} {
		conn := w.dial(nil)
		const calls = 8
		errs := make([]error, calls)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var group sync.WaitGroup
		for i := range calls {
			group.Go(func() {
				errs[i] = send(with(c.token), conn, m, message, append([]grpc.CallOption{grpc.MaxCallSendMsgSize(math.MaxInt32)}, c.o...)...)
			})
		}
		group.Wait()
		runtime.ReadMemStats(&after)
		for _, err := range errs {
			wantCode(t, name, err, c.want...)
		}
		// What is counted has the client's own copies in it. Decoded, each would be more than 150 MiB.
		if each := (after.TotalAlloc - before.TotalAlloc) / calls; each > 40<<20 {
			t.Errorf("%s: %d MiB for a message of %d", name, each>>20, len(message)>>20)
		}
	}
	wantNothingReached(t, w)
}

// Nobody's call is refused without its message, so that those who send none take no places.
func TestAttackCallsWithoutMessages(t *testing.T) {
	w := newWorld(t)
	m := method(assayv1.ProofService_VerifyBundle_FullMethodName)
	for range 3 {
		conn := w.dial(nil)
		for range 60 {
			must(conn.NewStream(context.Background(), streamDesc, fullName(m))) // and no message
		}
	}
	conn := w.dial(nil)
	for i := range 20 {
		wantCode(t, fmt.Sprintf("nobody %d", i), call(context.Background(), conn, m, valid(m)), codes.Unauthenticated)
	}
	wantCode(t, "a viewer", call(with(w.token(access.Viewer)), conn, m, valid(m)), codes.OK)
}
