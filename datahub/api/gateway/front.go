package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/assay-net/assay/datahub/api/access"
	"github.com/assay-net/assay/datahub/api/assayv1"
)

// front is what every request of REST comes to first.
type front struct {
	calls, docs, issuer http.Handler
	issuerPath          string
	bounds              Bounds
	log                 *slog.Logger
}

const (
	docsPath    = "/docs/"
	openapiPath = "/openapi.json"
	callsPath   = "/v1/"
)

func newFront(o *Options, to *grpc.ClientConn) (http.Handler, error) {
	calls, err := newCalls(o, to)
	if err != nil {
		return nil, err
	}
	docs, err := newDocs()
	if err != nil {
		return nil, err
	}
	f := &front{calls: calls, docs: docs, issuer: o.Issuer, issuerPath: o.IssuerPath, bounds: o.Bounds, log: o.Log}
	return f, f.checkIssuer()
}

// passed are the headers that a call keeps. None can say who a peer is, in what other way a request is meant, or what it should be called with.
var passed = []string{"Authorization", "Content-Type", http.CanonicalHeaderKey(access.IdempotencyHeader), http.CanonicalHeaderKey(access.RequestIDHeader)}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer f.recovered(w, r)
	p := &paced{ResponseWriter: w, control: http.NewResponseController(w), most: f.bounds.Write}
	w = p
	if p.deadline() != nil { // that of the last request on the connection may be over
		return
	}
	secure(w.Header())
	if r.ContentLength != 0 { // declared, or of a length that is not told
		// Whoever is answered before the body is read is not waited for: the connection ends soon after the answer. Reading says otherwise (calls.read).
		w.Header().Set("Connection", "close")
		if p.control.SetReadDeadline(time.Now().Add(f.bounds.Body)) != nil {
			return
		}
		defer p.leave()
	}
	if problem := checkTarget(r); problem != "" {
		refuse(w, access.Refuse(codes.InvalidArgument, access.ReasonInvalid, "%s", problem))
		return
	}
	header := http.Header{}
	for _, name := range passed {
		if values := r.Header[name]; len(values) > 0 {
			header[name] = values
		}
	}
	path := r.URL.Path
	// What is not a call is the same for everyone and takes no header but those of a cache.
	switch {
	case strings.HasPrefix(path, callsPath):
		r.Header, r.Host, r.Trailer = header, "", nil
		f.calls.ServeHTTP(w, r)
	case f.issuer != nil && strings.HasPrefix(path, f.issuerPath+"/"):
		f.issuer.ServeHTTP(w, r)
	case path == openapiPath:
		serveOpenAPI(w, r)
	case strings.HasPrefix(path, docsPath):
		f.docs.ServeHTTP(w, r)
	case path == "/" || path == strings.TrimSuffix(docsPath, "/"):
		http.Redirect(w, r, docsPath, http.StatusSeeOther)
	default:
		refuse(w, errNoPath)
	}
}

var errNoPath = access.Refuse(codes.NotFound, "not_found", "no such path")

func (f *front) recovered(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler { //nolint:errorlint // a sentinel that is panicked with
		panic(p)
	}
	f.log.Error("a request panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
	refuse(w, errPanicked)
}

// errPanicked says nothing to a caller: it is no status.
var errPanicked = errors.New("a request panicked")

// secure sets what a browser is told with every answer.
func secure(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}

// checkTarget accepts a method and a path of one spelling.
func checkTarget(r *http.Request) string {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		return "method: must be GET or POST"
	case len(r.RequestURI) > maxPath:
		return "path: too long"
	case !strings.HasPrefix(r.RequestURI, "/") || r.URL.Host != "" || r.URL.Scheme != "" || r.URL.Fragment != "":
		return "path: must be a path"
	case r.URL.RawPath != "" || !plainPath(r.URL.Path):
		return "path: may hold letters, digits and -._~: between single slashes, and nothing escaped"
	}
	return checkHeaders(r)
}

// checkHeaders refuses what two readers could understand in two ways.
func checkHeaders(r *http.Request) string {
	for _, name := range []string{"Authorization", "Content-Type"} {
		if len(r.Header[name]) > 1 {
			return strings.ToLower(name) + ": given more than once"
		}
	}
	if r.Header.Get("X-Http-Method-Override") != "" || r.Header.Get("X-Http-Method") != "" || r.Header.Get("X-Method-Override") != "" {
		return "method: is not overridden by a header"
	}
	return ""
}

// plainPath accepts a path whose decoded form is its only spelling. The page and the paths that end in no slash are told apart by the front alone.
func plainPath(p string) bool {
	if p == "/" || p == docsPath {
		return true
	}
	if !strings.HasPrefix(p, "/") {
		return false
	}
	for segment := range strings.SplitSeq(p[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
		for i := range len(segment) {
			if !plainByte(segment[i]) {
				return false
			}
		}
	}
	return true
}

func plainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~:", c) >= 0
}

func serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		refuse(w, access.Refuse(codes.Unimplemented, access.ReasonInvalid, "method: must be GET"))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(assayv1.OpenAPI) // the client is gone if this fails
}

// paced gives every write of an answer a deadline of its own.
type paced struct {
	http.ResponseWriter
	control *http.ResponseController
	most    time.Duration
}

func (p *paced) Write(b []byte) (int, error) {
	if err := p.deadline(); err != nil {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}

func (p *paced) deadline() error { return p.control.SetWriteDeadline(time.Now().Add(p.most)) }

// grace is for a body that is on its way while it is refused: who is cut off in the middle of it may not see the answer.
const grace = time.Second

// leave bounds how long the server goes on with a body that nobody reads.
func (p *paced) leave() {
	if p.Header().Get("Connection") != "" {
		_ = p.control.SetReadDeadline(time.Now().Add(grace)) // the connection is gone if this fails
	}
}

// FlushError flushes within the deadline.
func (p *paced) FlushError() error {
	if err := p.deadline(); err != nil {
		return err
	}
	return p.control.Flush()
}

func (p *paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// checkIssuer accepts a path below which nothing else is.
func (f *front) checkIssuer() error {
	if f.issuer == nil {
		return nil
	}
	p := f.issuerPath
	if !plainPath(p) || p == "/" || strings.HasSuffix(p, "/") || strings.HasPrefix(p+"/", callsPath) || strings.HasPrefix(p+"/", docsPath) || p == openapiPath {
		return fmt.Errorf("issuer_path: %q must be a path of this node that is not taken", p)
	}
	return nil
}
