package ingest

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/zk/commit"
)

func TestSteps(t *testing.T) {
	d := &track{through: 5}
	for _, c := range []struct {
		sequence, oldest uint64
		want             step
	}{
		{1, 1, stepDuplicate}, {5, 5, stepDuplicate}, {6, 1, stepNext}, {6, 6, stepNext}, {7, 6, stepEarly}, {7, 1, stepEarly}, {7, 7, stepGap},
		{900, 900, stepGap}, {900, 899, stepEarly}, {6 + maxGap, 6 + maxGap, stepGap}, {7 + maxGap, 7 + maxGap, stepAbsurd}, {1 << 62, 1 << 62, stepAbsurd},
	} {
		if got := d.step(c.sequence, c.oldest); got != c.want {
			t.Errorf("sequence %d, oldest %d: step %d, want %d", c.sequence, c.oldest, got, c.want)
		}
	}
}

func TestRecentFramesAreRemembered(t *testing.T) {
	known := Known{ID: commit.DeviceID{1}, Through: 10}
	d := newDevices().get(&known)
	for q := uint64(11); q <= 100; q++ {
		d.take(q, q)
	}
	check := func(sequence, mark uint64, same, known bool) {
		t.Helper()
		if s, k := d.remember(sequence, mark); s != same || k != known {
			t.Errorf("frame %d: same %v, known %v", sequence, s, k)
		}
	}
	check(100, 100, true, true)
	check(37, 37, true, true)
	check(37, 1, false, true)
	check(36, 36, false, false)
	check(101, 101, false, false)
	check(10, 10, false, false)
	d.take(110, 110) // a gap: what is before it is of another run
	check(110, 110, true, true)
	check(105, 105, false, false)
	check(100, 100, false, false)
}

func TestFence(t *testing.T) {
	f := newFence()
	at := func(epoch uint64) func() (uint64, error) { return func() (uint64, error) { return epoch, nil } }
	one, two := must(f.enter(at(7))), must(f.enter(at(8)))
	back := must(f.enter(at(6)))
	if one != 7 || two != 8 || back != 8 {
		t.Fatalf("epochs %d, %d, %d", one, two, back)
	}
	if _, err := f.enter(func() (uint64, error) { return 0, errors.New("before epoch 0") }); err == nil {
		t.Error("entered no epoch")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.wait(ended, 7); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting for 7: %v", err)
	}
	if err := f.wait(t.Context(), 6); err != nil {
		t.Errorf("waiting for 6: %v", err)
	}
	done := make(chan error)
	go func() { done <- f.wait(t.Context(), 8) }()
	f.leave(two)
	f.leave(one)
	f.leave(back)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestStalls(t *testing.T) {
	state := &jetstream.StreamState{Msgs: 1, FirstSeq: 9}
	for _, c := range []struct {
		first, stalls string
		want          int
	}{{"9", "0", 1}, {"9", "4", 5}, {"8", "4", 0}, {"", "", 0}, {"9", "x", 0}, {"9", "-1", 0}} {
		if got := stalls(map[string]string{metaFirst: c.first, metaStalls: c.stalls}, state); got != c.want {
			t.Errorf("%q after %q: %d, want %d", c.first, c.stalls, got, c.want)
		}
	}
	if got := stalls(map[string]string{metaFirst: "9", metaStalls: "4"}, &jetstream.StreamState{FirstSeq: 9}); got != 0 {
		t.Errorf("an empty stream stalls %d times", got)
	}
}

func TestClusterKeys(t *testing.T) {
	keys := must(NewClusterKeys())
	text := keys.Encode()
	again, err := ParseClusterKeys(append([]byte("# a comment\n\n"), text...))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(text), string(again.Encode())); d != "" {
		t.Error("changed on the way")
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", keys, keys, &keys, keys); strings.Contains(shown, "SU") || strings.Contains(shown, "SA") {
		t.Error("keys are printed")
	}
	if _, err := json.Marshal(keys); err == nil {
		t.Error("keys are marshalled")
	}
	environment := must(keys.Environment())
	if len(environment) != 6 || strings.Contains(strings.Join(environment, " "), "=S") {
		t.Errorf("environment of %d", len(environment))
	}
	seed := string(keys.Node)
	for want, text := range map[string]string{
		"issuer is missing":   "node " + seed + "\nauthoriser " + seed + "\nwork " + seed,
		"is not a seed":       strings.Replace(string(text), "issuer SA", "issuer SU", 1),
		"twice":               string(text) + "node " + seed,
		"must be a name":      "node",
		"the name is not":     "other " + seed,
		"at most 8192":        strings.Repeat("#", maxClusterKeys+1),
		"system is not":       strings.Replace(string(text), "system S", "system X", 1),
		"node is not a seed":  strings.Replace(string(text), "node "+seed, "node "+string(keys.Issuer), 1),
		"curve is not a seed": strings.Replace(string(text), "curve "+string(keys.Curve), "curve "+seed, 1),
	} {
		_, err := ParseClusterKeys([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), seed[:20]) {
			t.Errorf("the error quotes a seed")
		}
	}
}

func TestClusterOptions(t *testing.T) {
	keys := must(NewClusterKeys())
	for want, c := range map[string]Cluster{
		"no URL":         {Keys: keys},
		"is missing":     {URLs: []string{"tls://127.0.0.1:1"}},
		"at least 1 MiB": {URLs: []string{"tls://127.0.0.1:1"}, Keys: keys, Backlog: Backlog{MaxBytes: 1}},
	} {
		if _, err := ConnectBroker(t.Context(), c, newRegistry()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ConnectBroker(ended, Cluster{URLs: []string{"tls://127.0.0.1:1"}, Keys: keys}, newRegistry()); err == nil {
		t.Error("connected to nothing")
	}
}

// What a server says of a client decides alone: no field that the client chooses but its name counts, and that must be its certificate's.
func TestDecide(t *testing.T) {
	maker := must(device.NewMaker("maker-a"))
	d := newTestDevice(maker, "1")
	c := newCallout(newRegistry(maker), must(newIssuer()), accountDevices, 0, testLog(t), newBrokerMetrics(nil))
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.certificate.DER()}))
	good := func() *jwt.AuthorizationRequestClaims {
		r := jwt.NewAuthorizationRequestClaims("x")
		r.ClientInformation = jwt.ClientInformation{Type: "mqtt", MQTT: d.id.String()}
		r.TLS = &jwt.ClientTLS{Certs: jwt.StringList{certificate}}
		return r
	}
	for want, change := range map[string]func(*jwt.AuthorizationRequestClaims){
		"":              func(*jwt.AuthorizationRequestClaims) {},
		"protocol":      func(r *jwt.AuthorizationRequestClaims) { r.ClientInformation.Type = "nats" },
		"client_id":     func(r *jwt.AuthorizationRequestClaims) { r.ClientInformation.MQTT = "" },
		"certificate":   func(r *jwt.AuthorizationRequestClaims) { r.TLS = nil },
		"certificate ":  func(r *jwt.AuthorizationRequestClaims) { r.TLS.Certs = nil },
		"certificate  ": func(r *jwt.AuthorizationRequestClaims) { r.TLS.Certs = jwt.StringList{"no PEM"} },
		"certificate   ": func(r *jwt.AuthorizationRequestClaims) {
			r.TLS.Certs = jwt.StringList{certificate + certificate}
		},
		"certificate    ": func(r *jwt.AuthorizationRequestClaims) {
			r.TLS.Certs = jwt.StringList{strings.ReplaceAll(certificate, "CERTIFICATE", "PUBLIC KEY")}
		},
	} {
		r := good()
		change(r)
		id, reason, err := c.decide(r)
		if reason != strings.TrimSpace(want) || (err == nil) != (want == "") || err == nil && id != d.id {
			t.Errorf("reason %q, error %v, want %q", reason, err, want)
		}
	}
	r := good()
	r.TLS.VerifiedChains = []jwt.StringList{{certificate, "its issuer"}} // a server that verifies puts it there
	r.TLS.Certs = nil
	if id, _, err := c.decide(r); err != nil || id != d.id {
		t.Errorf("a verified chain: %v", err)
	}
	c.ban(d.id, time.Hour)
	if _, reason, _ := c.decide(good()); reason != "banned" {
		t.Errorf("banned: reason %q", reason)
	}
}
