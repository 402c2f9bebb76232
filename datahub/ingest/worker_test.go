package ingest

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

func TestWorkersAreApart(t *testing.T) {
	options, roots := embeddedOptions(t)
	if testing.Short() {
		t.Skip("starts a broker")
	}
	worker, intruder := must(NewWorkerUser([32]byte{1})), must(NewWorkerUser([32]byte{2}))
	worker.Publish, worker.Subscribe = []string{">"}, []string{">"}
	options.Workers = &WorkerListener{Listen: "127.0.0.1:0", TLS: options.TLS, Users: []WorkerUser{worker}}
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
	heard := must(c.SubscribeSync(">"))
	work := must(b.Work())
	defer work.Close()
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := b.Conn().Publish("assay.v1.x.up", nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	if err := work.Publish("work", nil); err != nil {
		t.Fatal(err)
	}
	if m, err := heard.NextMsg(patience); err != nil || m.Subject != "work" {
		t.Errorf("a worker heard %v, %v, want the work only", m, err)
	}
	if _, err := must(c.JetStream()).AccountInfo(); err != nil {
		t.Errorf("JetStream for workers: %v", err)
	}
}

func TestWorkersMayDoWhatIsTheirsOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a broker")
	}
	options, roots := embeddedOptions(t)
	able, unable := must(NewWorkerUser([32]byte{1})), must(NewWorkerUser([32]byte{2}))
	able.Publish, able.Subscribe = []string{"work.result"}, []string{"work.job"}
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
	jobs := must(c.SubscribeSync("work.job"))
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := work.Publish("work.job", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := jobs.NextMsg(patience); err != nil {
		t.Error(err)
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
