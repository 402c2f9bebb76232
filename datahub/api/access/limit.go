package access

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits are per principal. The zero value of a field is its default.
type Limits struct {
	// Rate is how many calls a second a principal may make, in the long run (50), and Burst how many at once (100).
	Rate  float64
	Burst int
	// Calls is how many of a principal's calls may be served at one time (64), and Streams how many of these answer with a stream (16).
	Calls, Streams int
	// Failures is how many tokens and certificates that are no good one host may show in a minute, and at once (60). What is known to be good is taken from it all the same.
	Failures int
	// Call bounds the time from a call's headers to its answer (30 s), Stream the age of a stream (1 h).
	Call, Stream time.Duration
	// Send bounds how long a reader of a stream may leave a message unread (30 s).
	Send time.Duration
}

func (l *Limits) complete() error {
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{{"call", &l.Call, 30 * time.Second}, {"stream", &l.Stream, time.Hour}, {"send", &l.Send, 30 * time.Second}} {
		if *d.value < 0 || *d.value > 24*time.Hour {
			return fmt.Errorf("limits: %s is %s, must be more than nothing and at most 24h", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.def
		}
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{{"burst", &l.Burst, 100}, {"calls", &l.Calls, 64}, {"streams", &l.Streams, 16}, {"failures", &l.Failures, 60}} {
		if *n.value < 0 || *n.value > 1_000_000 {
			return fmt.Errorf("limits: %s is %d, must be 1 to 1000000", n.name, *n.value)
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	if l.Rate == 0 {
		l.Rate = 50
	}
	if !(l.Rate > 0 && l.Rate <= 1_000_000) {
		return fmt.Errorf("limits: rate is %v a second, must be more than 0 and at most 1000000", l.Rate)
	}
	return nil
}

const (
	// maxPrincipals bounds how many principals are remembered: those whose token or certificate is good, and those who may show nothing.
	maxPrincipals = 10_000
	// largeBodies is how many large bodies a principal may hold at one time, and messages how many messages may be on their way to calls of theirs: each may be as long
	// as any method's until all of it is there.
	largeBodies = 2
	messages    = 4
)

// shares holds every principal's rate and share of calls.
type shares struct {
	limits Limits

	mu sync.Mutex
	of map[string]*share
}

type share struct {
	rate *rate.Limiter
	// bodies are those that are being read before their call, large what is held of large ones.
	calls, streams, bodies, large int
	methods                       map[string]int // of those that are bounded by their rule
	reading                       chan struct{}  // has one of each message that is on its way
}

// place is one call's among its principal's. It is given back once.
type place struct {
	reading  chan struct{}
	giveBack func()
}

func newShares(l Limits) *shares { return &shares{limits: l, of: map[string]*share{}} }

// take admits a call, or says why not.
func (s *shares) take(p Principal, method string, r *Rule, now time.Time) (place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.find(p.key(), now)
	switch {
	case h == nil:
		return place{}, tooMany(time.Second, "too many callers")
	case !h.rate.AllowN(now, 1):
		return place{}, s.tooFast()
	case h.calls >= s.limits.Calls:
		return place{}, tooMany(time.Second, "more than %d calls at once", s.limits.Calls)
	case r.Stream && h.streams >= s.limits.Streams:
		return place{}, tooMany(time.Second, "more than %d streams at once", s.limits.Streams)
	case r.AtOnce > 0 && h.methods[method] >= r.AtOnce:
		return place{}, tooMany(time.Second, "more than %d such calls at once", r.AtOnce)
	}
	h.add(method, r, 1)
	return place{h.reading, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		h.add(method, r, -1)
	}}, nil
}

func (h *share) add(method string, r *Rule, n int) {
	h.calls += n
	if r.Stream {
		h.streams += n
	}
	if r.AtOnce == 0 {
		return
	}
	if h.methods == nil {
		h.methods = map[string]int{}
	}
	if h.methods[method] += n; h.methods[method] == 0 {
		delete(h.methods, method)
	}
}

func (s *shares) tooFast() error {
	return tooMany(time.Duration(float64(time.Second)/s.limits.Rate), "more than %g calls a second", s.limits.Rate)
}

// receive admits a body ahead of its call, which is what will count for the rate. Both functions may be called more than once.
func (s *shares) receive(p Principal, large bool, now time.Time) (read, done func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.find(p.key(), now)
	switch {
	case h == nil:
		return nil, nil, tooMany(time.Second, "too many callers")
	case h.rate.TokensAt(now) < float64(1+h.bodies): // each that is read will be a call
		return nil, nil, s.tooFast()
	case h.calls+h.bodies >= s.limits.Calls:
		return nil, nil, tooMany(time.Second, "more than %d calls at once", s.limits.Calls)
	case large && h.large >= largeBodies:
		return nil, nil, tooMany(time.Second, "more than %d large bodies at once", largeBodies)
	}
	h.bodies++
	read = sync.OnceFunc(func() { s.less(&h.bodies) })
	done = read
	if large {
		h.large++
		done = sync.OnceFunc(func() { read(); s.less(&h.large) })
	}
	return read, done, nil
}

func (s *shares) less(n *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*n--
}

// find gives a principal's share. When there are too many, those go that hold nothing back: no call, and a full burst. It is nil if none could go.
func (s *shares) find(key string, now time.Time) *share {
	h := s.of[key]
	if h != nil {
		return h
	}
	if len(s.of) >= maxPrincipals {
		for k, other := range s.of {
			if other.calls == 0 && other.bodies == 0 && other.large == 0 && other.rate.TokensAt(now) >= float64(s.limits.Burst) {
				delete(s.of, k)
			}
		}
		if len(s.of) >= maxPrincipals {
			return nil
		}
	}
	h = &share{rate: rate.NewLimiter(rate.Limit(s.limits.Rate), s.limits.Burst), reading: make(chan struct{}, messages)}
	s.of[key] = h
	return h
}
