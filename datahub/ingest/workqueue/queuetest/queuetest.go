// Package queuetest runs a real NATS server for tests of the work queue: JetStream in a directory of the test's, an owner and
// workers with exactly the permissions that package workqueue asks for, and a port that stays the same when it is restarted.
package queuetest

import (
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
)

// Broker is a server that listens on 127.0.0.1.
type Broker struct {
	t       testing.TB
	options server.Options
	server  *server.Server
}

// Queue is the queue that users have permissions for, Owner the owner's name.
const (
	Queue = "prove"
	Owner = "owner"
)

// Start starts a server that knows the owner and the named workers, each with the password that [Credentials] gives. It is
// stopped with the test.
func Start(t testing.TB, workers ...string) *Broker {
	t.Helper()
	b := &Broker{t: t, options: server.Options{
		ServerName: "queuetest", Host: "127.0.0.1", Port: server.RANDOM_PORT, StoreDir: t.TempDir(), JetStream: true,
		NoSigs: true, DisableJetStreamBanner: true, NoLog: true,
	}}
	b.options.Users = append(b.options.Users, user(Owner, workqueue.OwnerMay(Queue, Owner)), &server.User{Username: "root", Password: "root"})
	for _, w := range workers {
		b.options.Users = append(b.options.Users, user(w, workqueue.WorkerMay(Queue, w)))
	}
	b.Up()
	t.Cleanup(b.Down)
	return b
}

func user(name string, may workqueue.Permissions) *server.User {
	return &server.User{Username: name, Password: name, Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: may.Publish}, Subscribe: &server.SubjectPermission{Allow: may.Subscribe},
	}}
}

// Options changes the server's before it is started again.
func (b *Broker) Options(change func(*server.Options)) { change(&b.options) }

// Up starts the server, on the port that it had.
func (b *Broker) Up() {
	b.t.Helper()
	options := b.options
	s, err := server.NewServer(&options)
	if err != nil {
		b.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		b.t.Fatal("the NATS server did not start")
	}
	b.server, b.options.Port = s, options.Port
}

// Down stops the server and waits until it has.
func (b *Broker) Down() {
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
		b.server = nil
	}
}

// Forget removes what a server that is down has stored.
func (b *Broker) Forget() {
	b.t.Helper()
	if err := os.RemoveAll(b.options.StoreDir); err != nil {
		b.t.Fatal(err)
	}
}

// URL is where the server listens.
func (b *Broker) URL() string { return b.server.ClientURL() }

// Credentials are a user's.
func Credentials(name string) []byte { return []byte(name + ":" + name) }

// Dial connects as a user, "root" being allowed everything.
func (b *Broker) Dial(name string) *nats.Conn {
	b.t.Helper()
	nc, err := workqueue.Dial(workqueue.Server{URL: b.URL(), Credentials: Credentials(name), Queue: Queue, Client: name})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(nc.Close)
	return nc
}
