package page

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	protocol "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/assay-net/assay/cmd/assay-verify/verdict"
	"github.com/assay-net/assay/cmd/assay-verify/verdict/verdicttest"
	"github.com/assay-net/assay/zk/verify"
)

func fixture(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "verdict", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shown reads the verdict that the page shows back into a document.
const shown = `(() => {
	const main = document.getElementById('verdict');
	const answer = main.querySelector('.answer');
	return JSON.stringify({
		title: main.querySelector('h1').textContent, answer: answer.textContent, tone: answer.className.replace('answer ', ''),
		lead: [...main.querySelectorAll(':scope > p:not(.answer)')].map((p) => p.textContent),
		sections: [...main.querySelectorAll('section')].map((s) => ({
			title: s.querySelector('h2').textContent,
			rows: [...s.querySelectorAll('tr')].map((r) => ({ label: r.cells[0].textContent, text: r.cells[1].textContent,
				tone: r.cells[1].className === 'exact' ? '' : r.cells[1].className, exact: r.cells[1].className === 'exact' })),
			notes: [...s.querySelectorAll('li')].map((n) => n.textContent),
		})),
	});
})()`

// verifies gives the page files, and reads what it shows.
func (b *browser) verifies(files verdict.Files) *verdict.Document {
	b.t.Helper()
	b.wait("document.getElementById('status').textContent === 'Ready.' || document.getElementById('status').textContent.startsWith('Verified')")
	b.do(
		chromedp.SetUploadFiles(chromedp.CSS("#bundle"), []string{write(b.t, "bundle.cbor", files.Bundle)}),
		chromedp.SetUploadFiles(chromedp.CSS("#trust"), []string{write(b.t, "trust.json", files.Trust)}),
	)
	if files.Ceremony != nil {
		b.do(chromedp.SetUploadFiles(chromedp.CSS("#ceremony"), []string{write(b.t, "transcript.json", files.Ceremony)}))
	} else {
		b.evaluate(`(() => { const e = document.getElementById('ceremony'); e.value = ''; e.dispatchEvent(new Event('change')); })()`)
	}
	id := ""
	if !files.Ledger.IsZero() {
		id = files.Ledger.String()
	}
	b.evaluate(`document.getElementById('ledger').value = '` + id + `'`)
	b.wait("!document.getElementById('verify').disabled")
	b.do(chromedp.Click(chromedp.CSS("#verify")))
	b.wait("!document.getElementById('verdict').hidden && document.getElementById('status').textContent.startsWith('Verified')")
	out := new(verdict.Document)
	if err := json.Unmarshal([]byte(b.text(shown)), out); err != nil {
		b.t.Fatal(err)
	}
	return out
}

// native is the same verdict from this process, without the time.
func native(files verdict.Files) *verdict.Document { return verdict.Check(files).Document() }

// untimed takes out of a document when it was made, and what an empty list is.
func untimed(d *verdict.Document) *verdict.Document {
	for i := range d.Sections {
		s := &d.Sections[i]
		var rows []verdict.Row
		for _, r := range s.Rows {
			if r.Label != "Checked" {
				rows = append(rows, r)
			}
		}
		if s.Rows = rows; len(s.Notes) == 0 {
			s.Notes = nil
		}
	}
	return d
}

// In a real browser, from a server and from a disk, the page gives the verdict that the program gives, of valid and of tampered files, and asks nobody for anything.
func TestVerdictsInABrowser(t *testing.T) {
	site := serve(t)
	good, trust := fixture(t, "holds.cbor"), fixture(t, "holds.trust.json")
	made, transcript := fixture(t, "ceremony.trust.json"), fixture(t, "ceremony.transcript.json")
	parsed, err := verify.ParseBundle(good)
	if err != nil {
		t.Fatal(err)
	}
	parsed.Disclosed[1].SetUint64(1)
	total, err := parsed.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	g := verdicttest.Genesis()
	id := g.ID()
	other := id
	other[0]++
	for _, address := range []string{site.URL + "/", file(t)} {
		b := browse(t)
		b.open(address)
		for _, c := range []struct {
			name  string
			files verdict.Files
			want  string
		}{
			{"a valid bundle", verdict.Files{Bundle: good, Trust: trust, Ledger: id}, "VALID. Every claim holds."},
			{"a ledger that is not compared", verdict.Files{Bundle: good, Trust: trust}, "VALID. Every claim holds."},
			{"a claim that does not hold", verdict.Files{Bundle: fixture(t, "fails.cbor"), Trust: fixture(t, "fails.trust.json"), Ledger: id}, "NOT EVERY CLAIM HOLDS"},
			{"a total that was changed", verdict.Files{Bundle: total, Trust: trust, Ledger: id}, "NOT VALID."},
			{"a bundle cut short", verdict.Files{Bundle: good[:len(good)/2], Trust: trust, Ledger: id}, "NOT VALID."},
			{"an export that was changed", verdict.Files{Bundle: good, Trust: []byte(strings.Replace(string(trust), `"height": 40`, `"height": 41`, 1)), Ledger: id}, "NOT VALID."},
			{"a ceremony", verdict.Files{Bundle: good, Trust: made, Ceremony: transcript, Ledger: id}, "VALID. Every claim holds."},
			{"a ceremony that is not told", verdict.Files{Bundle: good, Trust: made, Ledger: id}, "VALID. Every claim holds."},
			{"another ceremony", verdict.Files{Bundle: good, Trust: trust, Ceremony: transcript, Ledger: id}, "NOT VALID."},
			{"a transcript cut short", verdict.Files{Bundle: good, Trust: made, Ceremony: transcript[:len(transcript)/2], Ledger: id}, "NOT VALID."},
			{"another ledger", verdict.Files{Bundle: good, Trust: trust, Ledger: other}, "NOT VALID."},
		} {
			got := b.verifies(c.files)
			if !strings.Contains(got.Answer, c.want) {
				t.Errorf("%s: %q, want %q", c.name, got.Answer, c.want)
			}
			if diff := cmp.Diff(untimed(native(c.files)), untimed(got)); diff != "" {
				t.Errorf("%s: the page differs from the program (-program +page):\n%s", c.name, diff)
			}
		}
		if got := b.requests(); len(got) != 1 || got[0] != address {
			t.Errorf("the tab asked for %q, want the page alone", got)
		}
	}
	if got := joined(site.requests()); got != "GET /" {
		t.Errorf("the server was asked for\n%s", got)
	}
}

// Files that are dropped anywhere on the page, in any order, come to their places.
func TestDropping(t *testing.T) {
	b := browse(t)
	b.open(file(t))
	b.wait("document.getElementById('status').textContent === 'Ready.'")
	encoded := func(name string) string { return base64.StdEncoding.EncodeToString(fixture(t, name)) }
	b.evaluate(fmt.Sprintf(`(() => {
		const file = (text, name) => new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name);
		const dataTransfer = new DataTransfer();
		dataTransfer.items.add(file(%q, 'a'));
		dataTransfer.items.add(file(%q, 'b'));
		dataTransfer.items.add(file(%q, 'c'));
		document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
	})()`, encoded("ceremony.transcript.json"), encoded("ceremony.trust.json"), encoded("holds.cbor")))
	b.wait("!document.getElementById('verify').disabled")
	if got := b.text("['bundle', 'trust', 'ceremony'].map((id) => document.getElementById(id).files[0].name).join('')"); got != "cba" {
		t.Errorf("the files are in the places of %q", got)
	}
	b.do(chromedp.Click(chromedp.CSS("#verify")))
	b.wait("!document.getElementById('verdict').hidden")
	if got := b.text("document.querySelector('.answer').textContent"); got != "VALID. Every claim holds." {
		t.Errorf("got %q", got)
	}
}

// Files that cannot be read are said to be, and a verdict never stands beside other files than it is about.
func TestFilesThatChange(t *testing.T) {
	b := browse(t)
	b.open(file(t))
	b.wait("document.getElementById('status').textContent === 'Ready.'")
	dropped := func(files string) string {
		return fmt.Sprintf(`(() => { const e = new Event('drop', { bubbles: true, cancelable: true }); e.dataTransfer = { files: [%s] }; document.body.dispatchEvent(e); })()`, files)
	}
	b.evaluate(dropped(`{ slice: () => ({ text: () => Promise.reject(new Error('it is a folder')) }) }`))
	b.wait("document.getElementById('status').textContent === 'What was dropped cannot be read: it is a folder'")
	b.evaluate(`globalThis.slow = new File(['x'], 'slow'); slow.arrayBuffer = () => new Promise((done) => { globalThis.goOn = () => done(new ArrayBuffer(1)); })`)
	b.evaluate(dropped(`slow, new File(['{}'], 'trust')`))
	b.wait("!document.getElementById('verify').disabled")
	b.do(chromedp.Click(chromedp.CSS("#verify")))
	b.wait("globalThis.goOn !== undefined")
	b.evaluate(`document.getElementById('ledger').dispatchEvent(new Event('input'))`)
	b.evaluate(`goOn()`)
	b.wait("document.getElementById('status').textContent.startsWith('Not checked: another choice')")
	b.wait("document.getElementById('verdict').hidden")
}

// The policy stops every way out that a script has, if one were in the page, and every way in for one.
func TestNothingLeaves(t *testing.T) {
	site := serve(t)
	b := browse(t)
	b.open(site.URL + "/")
	b.wait("document.getElementById('status').textContent === 'Ready.'")
	away := site.URL + "/away"
	for name, try := range map[string]string{
		"fetch":       `fetch('AWAY').then(() => 'out', () => 'refused')`,
		"request":     `new Promise((done) => { const x = new XMLHttpRequest(); x.onload = () => done('out'); x.onerror = () => done('refused'); try { x.open('POST', 'AWAY'); x.send('secret'); } catch { done('refused'); } })`,
		"socket":      `new Promise((done) => { try { const s = new WebSocket('AWAY'.replace('http', 'ws')); s.onopen = () => done('out'); s.onerror = () => done('refused'); } catch { done('refused'); } })`,
		"events":      `new Promise((done) => { const s = new EventSource('AWAY'); s.onopen = () => done('out'); s.onerror = () => done('refused'); })`,
		"beacon":      `(() => { try { return navigator.sendBeacon('AWAY', 'secret') ? 'sent, and seen at the server' : 'refused'; } catch { return 'refused'; } })()`,
		"picture":     `new Promise((done) => { const i = new Image(); i.onload = () => done('out'); i.onerror = () => done('refused'); i.src = 'AWAY'; })`,
		"style sheet": `new Promise((done) => { const l = document.createElement('link'); l.rel = 'stylesheet'; l.onload = () => done('out'); l.onerror = () => done('refused'); l.href = 'AWAY'; document.head.append(l); })`,
		"frame":       `new Promise((done) => { const f = document.createElement('iframe'); f.onload = f.onerror = () => done('refused, or seen at the server'); f.src = 'AWAY'; document.body.append(f); })`,
		"worker":      `new Promise((done) => { try { const w = new Worker('AWAY'); w.onmessage = () => done('out'); w.onerror = () => done('refused'); } catch { done('refused'); } })`,
		"form":        `(() => { const f = document.createElement('form'); f.action = 'AWAY'; f.method = 'post'; document.body.append(f); f.submit(); return 'refused, or seen at the server'; })()`,
		"script":      `(() => { const s = document.createElement('script'); try { s.text = 'globalThis.ran = 1'; document.body.append(s); } catch { } return globalThis.ran ? 'out' : 'refused'; })()`,
		"markup":      `(() => { try { document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); return 'out'; } catch { return 'refused'; } })()`,
		"handler":     `(() => { const x = document.createElement('b'); try { x.setAttribute('onclick', 'globalThis.ran = 1'); x.click(); } catch { } return globalThis.ran ? 'out' : 'refused'; })()`,
	} {
		if got := b.text(strings.ReplaceAll(try, "AWAY", away)); got == "out" {
			t.Errorf("%s: got %s", name, got)
		}
	}
	b.open(site.URL + "/") // what was on its way has come by then
	if got := joined(site.requests()); got != "GET /\nGET /" {
		t.Errorf("the server was asked for\n%s", got)
	}
}

// What the page saves is the verdict, in the forms that the program writes.
func TestSaving(t *testing.T) {
	b := browse(t)
	b.open(file(t))
	g := verdicttest.Genesis()
	files := verdict.Files{Bundle: fixture(t, "holds.cbor"), Trust: fixture(t, "holds.trust.json"), Ledger: g.ID()}
	b.verifies(files)
	html, text, raw := b.saved(t, "#save-html", "verdict.html"), b.saved(t, "#save-text", "verdict.txt"), b.saved(t, "#save-json", "verdict.json")
	v := new(verdict.Verdict)
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatal(err)
	}
	if v.CheckedAt == nil || time.Since(*v.CheckedAt) < 0 || v.Outcome != verdict.Holds {
		t.Fatalf("checked at %v: %s", v.CheckedAt, v.Outcome)
	}
	files.At = *v.CheckedAt
	if diff := cmp.Diff(native(files).HTML(), string(html)); diff != "" {
		t.Errorf("the saved page differs (-program +page):\n%s", diff)
	}
	if diff := cmp.Diff(native(files).Text(), string(text)); diff != "" {
		t.Errorf("the saved text differs (-program +page):\n%s", diff)
	}
}

// saved clicks on a link and waits for the file.
func (b *browser) saved(t *testing.T, link, name string) []byte {
	t.Helper()
	dir := t.TempDir()
	allow := chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, protocol.SetDownloadBehavior, protocol.SetDownloadBehaviorParams{Behavior: protocol.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir})
		return err
	})
	b.do(allow, chromedp.Click(chromedp.CSS(link)))
	deadline := time.Now().Add(patience)
	for tick := time.Tick(20 * time.Millisecond); ; <-tick {
		if out, err := os.ReadFile(filepath.Join(dir, name)); err == nil && len(out) > 0 {
			return out
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was not saved", name)
		}
	}
}
