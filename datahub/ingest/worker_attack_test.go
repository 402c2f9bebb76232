package ingest

import (
	"bytes"
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/ingest/workqueue/queuetest"
)

// workers are two users that may do what workers of a queue need.
func workers() (honest, evil WorkerUser) {
	for name, u := range map[string]*WorkerUser{"honest": &honest, "evil": &evil} {
		*u = must(NewWorkerUser([32]byte{name[0]}))
		may := workqueue.WorkerMay(queuetest.Queue, name)
		u.Publish, u.Subscribe = may.Publish, may.Subscribe
	}
	return honest, evil
}

// attacked works on a job beside a worker that attacks the queue, and looks whether all is there afterwards.
func attacked(t *testing.T, b *Broker, dial func(name string, seed []byte) *nats.Conn) {
	t.Helper()
	honest, evil := workers()
	key := workqueue.Key{1}
	work := must(b.Work())
	t.Cleanup(work.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q := must(workqueue.Open(ctx, work, workqueue.Options{Key: key, AckWait: time.Second}))
	c := must(workqueue.Join(ctx, dial("honest", honest.Seed), "honest", workqueue.Options{Key: key}))
	do := func(job string, before func()) *workqueue.Result {
		id := q.ID([]byte(job))
		if err := q.Submit(ctx, workqueue.Job{ID: id, Attempt: 1, Payload: []byte(job)}); err != nil {
			t.Fatal(err)
		}
		w := must(q.Watch(id))
		defer w.Close()
		d := must(c.Next(ctx))
		before()
		if err := d.Finish(ctx, []byte("answer to "+job)); err != nil {
			t.Fatal(err)
		}
		return must(w.Next(ctx, 1))
	}
	first := do("first", func() {})
	js := must(jetstream.New(work))
	stored := func() []byte {
		s := must(js.Stream(ctx, "ASSAY_WORK_prove_RESULTS"))
		return must(s.GetLastMsgForSubject(ctx, "assay-work.prove.result."+first.ID.String()+".honest")).Data
	}
	before := stored()
	r := do("second", func() {
		queuetest.Attack(t, dial("evil", evil.Seed), "evil", first.ID.String(), "honest")
		if err := js.DeleteStream(ctx, "none"); err == nil { // a call that is queued behind others that change something
			t.Error("deleted a stream that is not there")
		}
	})
	if string(r.Payload) != "answer to second" || r.Worker != "honest" {
		t.Errorf("got %+v", r)
	}
	if !bytes.Equal(stored(), before) {
		t.Error("the first result is another")
	}
	if d := must(q.Depth(ctx)); d != (workqueue.Depth{}) {
		t.Errorf("the queue holds %+v", d)
	}
}

func dialWorker(t *testing.T, url string, config *tls.Config) func(string, []byte) *nats.Conn {
	return func(name string, seed []byte) *nats.Conn {
		t.Helper()
		prefix := nats.CustomInboxPrefix("_INBOX_work_" + queuetest.Queue + "_" + name)
		c := must(nats.Connect(url, nats.Secure(config), must(nkeyOption(seed)), prefix))
		t.Cleanup(c.Close)
		return c
	}
}

func TestWorkersAttackTheQueue(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a broker")
	}
	options, roots := embeddedOptions(t)
	honest, evil := workers()
	options.Workers = &WorkerListener{Listen: "127.0.0.1:0", TLS: options.TLS, Users: []WorkerUser{honest, evil}}
	b := must(StartBroker(t.Context(), options, newRegistry()))
	defer b.Close()
	attacked(t, b, dialWorker(t, "tls://"+b.WorkerAddress(), &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}))
}

// The same on a server in a process of its own, with the configuration that is given as an example and the accounts that a node writes
// for it, which the server reads while it runs.
func TestWorkersAttackTheQueueOfACluster(t *testing.T) {
	server := newNATSProcess(t, must(device.NewMaker("maker-a")))
	honest, evil := workers()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"nats-server.conf", "workers.conf"} {
		write(name, must(os.ReadFile("../../deploy/nats/"+name)))
	}
	server.config = filepath.Join(dir, "nats-server.conf")
	server.start()
	b := server.broker(t, newRegistry())
	config := &tls.Config{RootCAs: server.roots, ServerName: "127.0.0.1"}
	url := "tls://" + server.url
	if known(url, config, honest) {
		t.Error("a worker that the server does not know connected")
	}
	reload := func(users ...WorkerUser) {
		t.Helper()
		write("workers.conf", must(WorkerAccounts(users)))
		eventually(t, "the server knows these workers only", func() bool {
			// A new account's imports come with the second time that the server reads its configuration.
			if err := server.command.Process.Signal(syscall.SIGHUP); err != nil {
				t.Fatal(err)
			}
			return known(url, config, honest) && known(url, config, evil) == (len(users) == 2)
		})
	}
	reload(honest, evil)
	attacked(t, b.Broker, dialWorker(t, url, config))
	reload(honest)
}

// known says whether a worker can connect and gets an answer.
func known(url string, config *tls.Config, u WorkerUser) bool {
	c, err := nats.Connect(url, nats.Secure(config), must(nkeyOption(u.Seed)), nats.CustomInboxPrefix(strings.TrimSuffix(u.Subscribe[0], ".>")))
	if err != nil {
		return false
	}
	defer c.Close()
	_, err = c.Request("$JS.API.CONSUMER.INFO.ASSAY_WORK_prove_JOBS.workers", nil, time.Second)
	return err == nil
}

func TestWorkersOfAListener(t *testing.T) {
	honest, _ := workers()
	anything := honest
	anything.Publish = []string{">"}
	for want, users := range map[string][]WorkerUser{"the same key": {honest, honest}, "may publish to anything": {anything}} {
		if _, err := WorkerAccounts(users); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if text := string(must(WorkerAccounts([]WorkerUser{honest}))); strings.Contains(text, string(honest.Seed)) {
		t.Error("the accounts hold a seed")
	}
}
