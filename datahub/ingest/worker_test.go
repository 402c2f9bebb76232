package ingest

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func TestWorkersAreApart(t *testing.T) {
	options, roots := embeddedOptions(t)
	if testing.Short() {
		t.Skip("starts a broker")
	}
	worker, other, intruder := must(NewWorkerUser([32]byte{1})), must(NewWorkerUser([32]byte{2})), must(NewWorkerUser([32]byte{3}))
	for _, u := range []*WorkerUser{&worker, &other} {
		u.Publish, u.Subscribe = []string{"work.>"}, []string{">"}
	}
	options.Workers = &WorkerListener{Listen: "127.0.0.1:0", TLS: options.TLS, Users: []WorkerUser{worker, other}}
	b := must(StartBroker(t.Context(), options, newRegistry()))
	defer b.Close()
	url := "tls://" + b.WorkerAddress()
	config := nats.Secure(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
	if c, err := nats.Connect(url, config, must(nkeyOption(intruder.Seed))); err == nil {
		c.Close()
		t.Error("a key that was not given connected")
	}
	if c, err := nats.Connect(url, config); err == nil {
		c.Close()
		t.Error("a client without a key connected")
	}
	c := must(nats.Connect(url, config, must(nkeyOption(worker.Seed))))
	defer c.Close()
	neighbour := must(nats.Connect(url, config, must(nkeyOption(other.Seed))))
	defer neighbour.Close()
	heard := must(c.SubscribeSync(">"))
	work := must(b.Work())
	defer work.Close()
	must(work.Subscribe("work.question", func(m *nats.Msg) { m.Respond([]byte("answer")) })) //nolint:errcheck // the request tells
	for _, c := range []*nats.Conn{c, work} {
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for subject, from := range map[string]*nats.Conn{"assay.v1.x.up": b.Conn(), "work": work, "work.1": work, "work.2": neighbour} {
		if err := from.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		if err := from.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := neighbour.Request("work.question", nil, patience); err != nil || string(m.Data) != "answer" {
		t.Errorf("what a worker asks: %v, %v", m, err)
	}
	// Everything that a worker asks for is answered by what it may use; what it hears is that only.
	if err := c.PublishRequest("work.question", "own.inbox", nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"work.question", "own.inbox"} {
		if m, err := heard.NextMsg(patience); err != nil || m.Subject != want {
			t.Errorf("a worker heard %v, %v, want %s only", m, err, want)
		}
	}
	for name, conn := range map[string]*nats.Conn{"a worker": c, "the node": work} {
		if _, err := must(conn.JetStream(nats.MaxWait(time.Second))).AccountInfo(); (err == nil) != (conn == work) {
			t.Errorf("JetStream for %s: %v", name, err)
		}
	}
}

func TestWorkersMayDoWhatIsTheirsOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a broker")
	}
	options, roots := embeddedOptions(t)
	able, unable := must(NewWorkerUser([32]byte{1})), must(NewWorkerUser([32]byte{2}))
	able.Publish, able.Subscribe = []string{"work.result"}, []string{"inbox.able"}
	options.Workers = &WorkerListener{Listen: "127.0.0.1:0", TLS: options.TLS, Users: []WorkerUser{able, unable}}
	b := must(StartBroker(t.Context(), options, newRegistry()))
	defer b.Close()
	work := must(b.Work())
	defer work.Close()
	heard := must(work.SubscribeSync("work.>"))
	if err := work.Flush(); err != nil {
		t.Fatal(err)
	}
	dial := func(u WorkerUser) *nats.Conn {
		t.Helper()
		c := must(nats.Connect("tls://"+b.WorkerAddress(), nats.Secure(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}), must(nkeyOption(u.Seed))))
		t.Cleanup(c.Close)
		return c
	}
	for _, u := range []WorkerUser{unable, able} {
		c := dial(u)
		for _, subject := range []string{"work.job", "work.other", "work.result"} {
			if err := c.Publish(subject, []byte(u.Key)); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := heard.NextMsg(patience); err != nil || m.Subject != "work.result" || string(m.Data) != able.Key {
		t.Errorf("heard %v, %v", m, err)
	}
	c := dial(able)
	inbox, other := must(c.SubscribeSync("inbox.able")), must(c.SubscribeSync("inbox.other"))
	for _, reply := range []string{"inbox.other", "inbox.able"} {
		if err := c.PublishRequest("work.result", reply, nil); err != nil {
			t.Fatal(err)
		}
		m, err := heard.NextMsg(patience)
		if err != nil {
			t.Fatal(err)
		}
		if m.Reply == reply {
			t.Error("a reply subject comes through as the worker wrote it")
		}
		if err := m.Respond(nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := inbox.NextMsg(patience); err != nil {
		t.Error(err)
	}
	if n, _, _ := other.Pending(); n != 0 {
		t.Error("a worker heard what is not its own")
	}
}

func TestWorkerUserIsNotPrinted(t *testing.T) {
	u := must(NewWorkerUser([32]byte{1}))
	if again := must(NewWorkerUser([32]byte{1})); again.Key != u.Key || string(again.Seed) != string(u.Seed) {
		t.Error("another key from the same secret")
	}
	if shown := fmt.Sprintf("%v %+v %#v", u, u, &u); strings.Contains(shown, "SU") {
		t.Error("the seed is printed")
	}
	if _, err := json.Marshal(u); err == nil {
		t.Error("the seed is marshalled")
	}
}
