package prove_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/datahub/prove"
	"github.com/assay-net/assay/zk/commit"
)

func profile() *prove.Profile {
	return &prove.Profile{
		Version: prove.ProfileVersion, Broker: "tls://node.example:4222", Roots: "PEM", Queue: "prove", Worker: "anna", SRS: commit.Digest{9},
		Credentials: "env:ASSAY_TEST_CREDENTIALS", QueueKey: "env:ASSAY_TEST_QUEUE_KEY",
	}
}

func TestProfile(t *testing.T) {
	b, err := profile().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	p, err := prove.ParseProfile(b)
	if err != nil || !reflect.DeepEqual(p, profile()) {
		t.Fatalf("read as %+v, %v", p, err)
	}
	t.Setenv("ASSAY_TEST_CREDENTIALS", "anna:pass")
	if _, err := p.Secrets(nil); err == nil || !strings.Contains(err.Error(), "ASSAY_TEST_QUEUE_KEY") {
		t.Errorf("without the key: %v", err)
	}
	t.Setenv("ASSAY_TEST_QUEUE_KEY", strings.Repeat("0a", 32))
	s, err := p.Secrets(nil)
	if err != nil || string(s.Credentials) != "anna:pass" || s.Queue[31] != 10 {
		t.Errorf("secrets %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", s, s, s, s); strings.Contains(text, "pass") {
		t.Errorf("shown: %s", text)
	}
	if _, err := json.Marshal(s); err == nil {
		t.Error("secrets were marshalled")
	}
}

func TestSealedProfile(t *testing.T) {
	anna, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	ben, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	p := profile()
	if err := p.Seal(prove.Secrets{Credentials: []byte("anna:pass"), Queue: workqueue.Key{1, 2}}, anna.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	b, err := p.Marshal()
	if err != nil || bytes.Contains(b, []byte("pass")) {
		t.Fatalf("%s, %v", b, err)
	}
	if p, err = prove.ParseProfile(b); err != nil {
		t.Fatal(err)
	}
	s, err := p.Secrets([]byte("# a comment\n" + anna.String() + "\n"))
	if err != nil || string(s.Credentials) != "anna:pass" || s.Queue != (workqueue.Key{1, 2}) {
		t.Errorf("secrets %v", err)
	}
	for name, identity := range map[string]string{"another's": ben.String(), "none": "", "garbage": "AGE-SECRET-KEY-1"} {
		if _, err := p.Secrets([]byte(identity)); err == nil {
			t.Errorf("opened with identity %s", name)
		}
	}
	if err := p.Seal(prove.Secrets{}, "age1nobody"); err == nil {
		t.Error("sealed to nobody")
	}
}

func TestParseProfileRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *prove.Profile)
		want   string
	}{
		"version":   {func(p *prove.Profile) { p.Version = "v2" }, "version"},
		"no broker": {func(p *prove.Profile) { p.Broker = "" }, "broker"},
		"no SRS":    {func(p *prove.Profile) { p.SRS = commit.Digest{} }, "srs"},
		"worker":    {func(p *prove.Profile) { p.Worker = "a.*" }, "worker"},
		"queue":     {func(p *prove.Profile) { p.Queue = "" }, "queue"},
		"both":      {func(p *prove.Profile) { p.Sealed = "x" }, "one of them"},
		"reference": {func(p *prove.Profile) { p.QueueKey = "plain" }, "reference to a secret"},
	} {
		p := profile()
		c.change(p)
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prove.ParseProfile(b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error about %q", name, err, c.want)
		}
	}
	for _, text := range []string{"", "{}{}", `{"version":"assay-prove-worker/v1","more":1}`, strings.Repeat(" ", prove.MaxProfile+1)} {
		if _, err := prove.ParseProfile([]byte(text)); err == nil {
			t.Errorf("accepted %.40q", text)
		}
	}
}

func TestReadQueueKey(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) reference.Reference {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return reference.Reference("file:" + path)
	}
	if k, err := prove.ReadQueueKey(file("good", strings.Repeat("07", 32)+"\n", 0o600)); err != nil || k[0] != 7 {
		t.Error(err)
	}
	for name, r := range map[string]reference.Reference{
		"none": "", "not a reference": "abc", "not there": "file:/nonexistent/key", "too short": file("short", "0707", 0o600),
		"too long": file("long", strings.Repeat("07", 33), 0o600), "not hexadecimal": file("text", strings.Repeat("xy", 32), 0o600),
		"open to all": file("open", strings.Repeat("07", 32), 0o644),
	} {
		if _, err := prove.ReadQueueKey(r); err == nil || strings.Contains(err.Error(), "0707") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
