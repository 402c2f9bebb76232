package node

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// operations serves /metrics, /healthz and /readyz. It has no access control: it belongs on a loopback or management address, and shows counts only.
type operations struct {
	listener net.Listener
	server   *http.Server
}

// Readiness is what /readyz answers: what the node needs, and what is wrong with it, empty where nothing is.
type Readiness struct {
	Ready bool              `json:"ready"`
	Parts map[string]string `json:"parts"`
}

func newOperations(address string, profiling bool, gatherer prometheus.Gatherer, ready func(context.Context) Readiness) (*operations, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }) //nolint:errcheck // the client went away
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		state := ready(r.Context())
		w.Header().Set("Content-Type", "application/json")
		if !state.Ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		json.NewEncoder(w).Encode(state) //nolint:errcheck // the client went away
	})
	if profiling {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return &operations{listener, &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
	}}, nil
}

// run serves until it is told to stop.
func (o *operations) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- o.server.Serve(o.listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := o.server.Shutdown(stop); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// readyWithin bounds how long the node waits for the answers of what it needs.
const readyWithin = 5 * time.Second

// Ready says what the node needs and does not have.
func (n *Node) Ready(ctx context.Context) Readiness {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	checks := map[string]func(context.Context) error{
		"ledger": func(ctx context.Context) error { _, err := n.opened(ctx); return err },
		"clock":  n.checkClock,
	}
	if n.owns() {
		checks["store"], checks["broker"] = n.storage.Store.Check, n.broker.Check
	}
	if n.api != nil {
		checks["interface"] = n.checkPublished
	}
	r := Readiness{Ready: true, Parts: map[string]string{}}
	for name, check := range checks {
		r.Parts[name] = ""
		if err := check(ctx); err != nil {
			r.Ready, r.Parts[name] = false, err.Error()
		}
	}
	return r
}

// names are the parts, in order.
func (r *Readiness) names() []string { return slices.Sorted(maps.Keys(r.Parts)) }
