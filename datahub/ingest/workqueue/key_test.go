package workqueue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/assay-net/assay/datahub/keys"
)

func testCodec(t testing.TB) *codec {
	t.Helper()
	c, err := newCodec("prove", Key{1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is sealed opens only as what it was sealed.
func TestSeal(t *testing.T) {
	c := testCodec(t)
	id := c.name([][]byte{[]byte("a")})
	sealed := c.seal(toWorker, id, "1", []byte("payload"))
	if out, err := c.open(toWorker, id, "1", sealed, 7); err != nil || string(out) != "payload" {
		t.Fatalf("%q, %v", out, err)
	}
	if again := c.seal(toWorker, id, "1", []byte("payload")); bytes.Equal(again, sealed) {
		t.Error("the same message twice")
	}
	otherQueue, err := newCodec("other", Key{1})
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := newCodec("prove", Key{2})
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(sealed)
	changed[len(changed)-1] ^= 1
	version := bytes.Clone(sealed)
	version[0]++
	for name, open := range map[string]func() ([]byte, error){
		"other direction": func() ([]byte, error) { return c.open(toOwner, id, "1", sealed, 7) },
		"other job":       func() ([]byte, error) { return c.open(toWorker, ID{}, "1", sealed, 7) },
		"other attempt":   func() ([]byte, error) { return c.open(toWorker, id, "2", sealed, 7) },
		"other queue":     func() ([]byte, error) { return otherQueue.open(toWorker, id, "1", sealed, 7) },
		"other key":       func() ([]byte, error) { return otherKey.open(toWorker, id, "1", sealed, 7) },
		"changed":         func() ([]byte, error) { return c.open(toWorker, id, "1", changed, 7) },
		"other version":   func() ([]byte, error) { return c.open(toWorker, id, "1", version, 7) },
		"too long":        func() ([]byte, error) { return c.open(toWorker, id, "1", sealed, 6) },
		"cut short":       func() ([]byte, error) { return c.open(toWorker, id, "1", sealed[:40], 7) },
		"nothing":         func() ([]byte, error) { return c.open(toWorker, id, "1", nil, 7) },
	} {
		if out, err := open(); err == nil || out != nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestID(t *testing.T) {
	c := testCodec(t)
	a, b := c.name([][]byte{[]byte("ab"), []byte("c")}), c.name([][]byte{[]byte("a"), []byte("bc")})
	if a == b || a != c.name([][]byte{[]byte("ab"), []byte("c")}) {
		t.Error("ids do not tell jobs apart")
	}
	other, err := newCodec("prove", Key{2})
	if err != nil {
		t.Fatal(err)
	}
	if other.name([][]byte{[]byte("ab"), []byte("c")}) == a {
		t.Error("an id does not depend on the key")
	}
	if id, err := parseID(a.String()); err != nil || id != a {
		t.Errorf("%v, %v", id, err)
	}
}

func TestKeyIsNotShown(t *testing.T) {
	k := Key{0xab, 0xcd}
	for _, verb := range []string{"%v", "%s", "%x", "%d", "%#v", "%+v", "%q"} {
		if text := fmt.Sprintf(verb, k); text != redacted {
			t.Errorf("%s shows %s", verb, text)
		}
	}
	if _, err := json.Marshal(map[string]Key{"k": k}); err == nil {
		t.Error("a key was marshalled")
	}
}

// store derives keys as a key store does.
type store struct {
	keys.Store
	names []string
	asked [][]byte
}

func (s *store) Derive(_ context.Context, name string, contexts [][]byte) ([][32]byte, error) {
	s.names, s.asked = append(s.names, name), append(s.asked, contexts...)
	return make([][32]byte, len(contexts)), nil
}

func TestDeriveKey(t *testing.T) {
	s := &store{}
	for _, generation := range []uint32{0, 1} {
		if _, err := DeriveKey(t.Context(), s, "prove", generation); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.asked) != 2 || bytes.Equal(s.asked[0], s.asked[1]) || s.names[0] != KeySecret {
		t.Errorf("asked for %q of %q", s.asked, s.names)
	}
	if _, err := DeriveKey(t.Context(), s, "a/b", 0); err == nil {
		t.Error("derived for a name that is none")
	}
}

func FuzzOpenJob(f *testing.F) {
	c := testCodec(f)
	id := c.name([][]byte{[]byte("a")})
	f.Add("job", id.String(), "1", c.seal(toWorker, id, "1", []byte("payload")))
	f.Add("job", id.String(), "01", []byte{1})
	f.Fuzz(func(t *testing.T, word, idText, attempt string, b []byte) {
		j, err := c.openJob([]string{word, idText, attempt}, b)
		if err == nil && (j.ID.String() != idText || fmt.Sprint(j.Attempt) != attempt || word != "job") {
			t.Errorf("%q %q %q read as %+v", word, idText, attempt, j)
		}
	})
}

func FuzzOpenResult(f *testing.F) {
	c := testCodec(f)
	id := c.name([][]byte{[]byte("a")})
	good := &Result{ID: id, Attempt: 1, Worker: "anna", Kind: Done, Payload: []byte("payload")}
	f.Add("result", id.String(), "anna", c.sealResult(good))
	f.Add("result", id.String(), "anna", c.seal(toOwner, id, "anna", []byte{9, 0}))
	f.Fuzz(func(t *testing.T, word, idText, worker string, b []byte) {
		r, err := c.openResult([]string{word, idText, worker}, b)
		if err == nil && (r.ID.String() != idText || r.Worker != worker || r.Kind < Done || r.Kind > Dead || r.Attempt == 0) {
			t.Errorf("read as %+v", r)
		}
	})
}

func TestOpenResultRefuses(t *testing.T) {
	c := testCodec(t)
	id := c.name(nil)
	for name, plain := range map[string][]byte{"empty": nil, "kind alone": {1}, "no kind": {0, 1}, "unknown kind": {4, 1}, "no attempt": {1, 0}} {
		if _, err := c.openResult([]string{"result", id.String(), "anna"}, c.seal(toOwner, id, "anna", plain)); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

func TestDialRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		s    Server
		want string
	}{
		"no name":            {Server{URL: "nats://127.0.0.1:1", Queue: "prove"}, "client"},
		"far without TLS":    {Server{URL: "nats://192.0.2.1:4222"}, "has no TLS"},
		"one of them far":    {Server{URL: "tls://127.0.0.1:1,nats://example.com:4222"}, "has no TLS"},
		"password in URL":    {Server{URL: "tls://me:secret@127.0.0.1:1"}, "holds a password"},
		"other scheme":       {Server{URL: "ws://127.0.0.1:1"}, `scheme of the URL is "ws"`},
		"no URL":             {Server{URL: "://"}, "not a URL"},
		"roots":              {Server{URL: "tls://127.0.0.1:1", Roots: []byte("x")}, "roots hold no certificate"},
		"client certificate": {Server{URL: "tls://127.0.0.1:1", Certificate: []byte("x")}, "client certificate"},
		"nkey":               {Server{URL: "nats://127.0.0.1:1", Credentials: []byte("SUxxx")}, "seed of an nkey"},
		"credentials":        {Server{URL: "nats://127.0.0.1:1", Credentials: []byte("secret")}, "neither"},
		"nobody there":       {Server{URL: "nats://127.0.0.1:1"}, "connecting to the broker as anna"},
	} {
		if name != "no name" {
			c.s.Queue, c.s.Client = "prove", "anna"
		}
		_, err := Dial(c.s)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
}
