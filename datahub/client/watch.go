package client

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/datahub/api/assayv1"
)

const (
	resumePause    = 500 * time.Millisecond
	resumePauseMax = 15 * time.Second
)

// Watch calls see with a request as it stands, then whenever it changed, and with the progress in between, of which one is nil. It returns when nothing more can
// follow. A stream that breaks, or that the node ends for its age, is opened again.
func (c *Client) Watch(ctx context.Context, request string, see func(*assayv1.Request, *assayv1.Progress) error) error {
	var last *assayv1.Request
	return resume(ctx, func(heard func()) error {
		stream, err := c.Requests.WatchRequest(ctx, &assayv1.WatchRequestRequest{Request: request})
		if err != nil {
			return err
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			heard()
			if r := m.GetRequest(); r != nil {
				if proto.Equal(r, last) {
					continue
				}
				last = r
			}
			if err := see(m.GetRequest(), m.GetProgress()); err != nil {
				return stop{err}
			}
		}
	})
}

// WatchQuery calls see with a query as it stands and the latest of its sessions, then with what of both changed; what did not is nil. It returns when nothing more can
// follow. A stream that breaks, or that the node ends for its age, is opened again.
func (c *Client) WatchQuery(ctx context.Context, query string, see func(*assayv1.Query, *assayv1.Session) error) error {
	var lastQuery *assayv1.Query
	var lastSession *assayv1.Session
	return resume(ctx, func(heard func()) error {
		stream, err := c.Queries.WatchQuery(ctx, &assayv1.WatchQueryRequest{Query: query})
		if err != nil {
			return err
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			heard()
			q, s := m.GetQuery(), m.GetSession()
			if proto.Equal(q, lastQuery) {
				q = nil
			}
			if proto.Equal(s, lastSession) {
				s = nil
			}
			if q == nil && s == nil {
				continue
			}
			if q != nil {
				lastQuery = q
			}
			if s != nil {
				lastSession = s
			}
			if err := see(q, s); err != nil {
				return stop{err}
			}
		}
	})
}

// maxSeen bounds the alerts of which WatchAlerts remembers that they came.
const maxSeen = 4096

// WatchAlerts calls see with every alert behind a cursor, then with each new one, for ever. The cursor is for the next call; the alerts of about its time may come again
// then, which their transactions tell.
func (c *Client) WatchAlerts(ctx context.Context, after string, see func(a *assayv1.Alert, cursor string) error) error {
	seen := map[string]bool{}
	return resume(ctx, func(heard func()) error {
		stream, err := c.Audit.WatchAlerts(ctx, &assayv1.WatchAlertsRequest{After: after})
		if err != nil {
			return err
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			heard()
			if id := m.GetAlert().GetTxId(); seen[id] {
				continue
			} else if len(seen) < maxSeen {
				seen[id] = true
			} else {
				seen = map[string]bool{id: true}
			}
			after = m.GetCursor()
			if err := see(m.GetAlert(), after); err != nil {
				return stop{err}
			}
		}
	})
}

// stop is an error of the caller's own.
type stop struct{ error }

// resume follows a stream until it ends by itself, by the caller or by something that another try does not mend.
func resume(ctx context.Context, follow func(heard func()) error) error {
	pause := resumePause
	for {
		err := follow(func() { pause = resumePause })
		var own stop
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &own):
			return own.error
		case ctx.Err() != nil:
			return ctx.Err()
		case !passing(err):
			return err
		}
		wait := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
		pause = min(2*pause, resumePauseMax)
	}
}

// passing reports whether a stream may be opened again: it broke, or the node ended it for its age, or for a reader that was slow.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Canceled, codes.Aborted:
		return true
	}
	return false
}
