package page

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long anything in the browser may take on a slow, busy machine.
const patience = 2 * time.Minute

// browser is a tab of a real Chromium without a window.
type browser struct {
	t   *testing.T
	ctx context.Context

	mutex     sync.Mutex
	requested []string
}

// browse starts a browser, which ends with the test.
func browse(t *testing.T) *browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("this test needs Chromium (Debian's package chromium)")
	}
	b := &browser{t: t}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU)...)
	t.Cleanup(stop)
	b.ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Listen(b.ctx, b.heard); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	}))
	return b
}

func (b *browser) heard(event any) {
	if e, ok := event.(*network.EventRequestWillBeSent); ok {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		b.requested = append(b.requested, e.Request.URL)
	}
}

// requests are the addresses of all that the tab asked for.
func (b *browser) requests() []string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return append([]string{}, b.requested...)
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) open(address string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
}

// evaluate waits for a promise, and gives its value as JSON.
func (b *browser) evaluate(expression string) string {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[any](expression, chromedp.EvalAwaitPromise, chromedp.EvalAsValue))
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// text evaluates to a string.
func (b *browser) text(expression string) string {
	b.t.Helper()
	var out string
	if err := json.Unmarshal([]byte(b.evaluate(expression)), &out); err != nil {
		b.t.Fatalf("%.200s is no string: %v", expression, err)
	}
	return out
}

// wait polls until an expression is true.
func (b *browser) wait(expression string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for tick := time.Tick(20 * time.Millisecond); b.evaluate("!!("+expression+")") != "true"; <-tick {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s did not become true; the status is %s", expression, b.evaluate("document.getElementById('status')?.textContent"))
		}
	}
}

// unpack gives the digest of what the page's own function makes of packed data, or its error.
func (b *browser) unpack(packed []byte, size int) string {
	b.t.Helper()
	said := b.text(fmt.Sprintf(`(() => {
		try {
			const out = unpackLZMA(Uint8Array.from(atob(%q), (c) => c.charCodeAt(0)), %d);
			let text = '';
			for (let i = 0; i < out.length; i += 4096) text += String.fromCharCode(...out.subarray(i, i + 4096));
			return 'ok ' + btoa(text);
		} catch (e) { return e.message; }
	})()`, base64.StdEncoding.EncodeToString(packed), size))
	encoded, ok := strings.CutPrefix(said, "ok ")
	if !ok {
		return said
	}
	out, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		b.t.Fatal(err)
	}
	return digest(out)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// site serves the page and nothing else, and keeps what it was asked for.
type site struct {
	*httptest.Server
	mutex sync.Mutex
	asked []string
}

func serve(t *testing.T) *site {
	html := page(t)
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mutex.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		s.mutex.Unlock()
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(html) //nolint:errcheck // the browser went away
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) requests() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string{}, s.asked...)
}

// file writes the page to a disk, and gives its address there.
func file(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "verify.html")
	if err := os.WriteFile(path, page(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return "file://" + path
}

func write(t *testing.T, name string, b []byte) string {
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func joined(list []string) string { return strings.Join(list, "\n") }
