// Package queuetest runs a real NATS server for tests of the work queue: JetStream in a directory of the test's, an owner and
// workers with exactly the accounts and permissions that package workqueue asks for, and a port that stays the same when it is restarted.
package queuetest

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
)

// Broker is a server that listens on 127.0.0.1.
type Broker struct {
	t      testing.TB
	name   string
	config string
	store  string
	port   int
	change []func(*server.Options)
	server *server.Server
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
	b := &Broker{t: t, name: "queuetest", config: config(workers), store: t.TempDir(), port: server.RANDOM_PORT}
	b.Up()
	t.Cleanup(b.Down)
	return b
}

// StartCluster starts servers that are one cluster and speak to each other at these addresses, and waits until it takes streams.
func StartCluster(t testing.TB, addresses []string, workers ...string) []*Broker {
	t.Helper()
	routes := make([]*url.URL, len(addresses))
	for i, a := range addresses {
		routes[i] = &url.URL{Scheme: "nats-route", Host: a}
	}
	all := make([]*Broker, len(addresses))
	for i := range all {
		all[i] = &Broker{t: t, name: fmt.Sprint("queuetest-", i), config: config(workers), store: t.TempDir(), port: server.RANDOM_PORT}
		all[i].Options(func(o *server.Options) {
			o.Routes = routes
			o.Cluster.Name, o.Cluster.Host = "queuetest", "127.0.0.1"
			o.Cluster.Port, _ = strconv.Atoi(routes[i].Port())
		})
		all[i].Up()
		t.Cleanup(all[i].Down)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		current := 0
		for _, b := range all {
			if b.server.JetStreamIsCurrent() {
				current++
			}
		}
		if current == len(all) {
			return all
		}
		if time.Now().After(end) {
			t.Fatal("the cluster did not come about in time")
		}
	}
}

func config(workers []string) string {
	owner := workqueue.OwnerMay(Queue, Owner)
	var accounts []workqueue.Account
	var text strings.Builder
	for _, w := range workers {
		a := workqueue.Account{Name: "WORKER_" + w, Login: fmt.Sprintf("user: %[1]s, password: %[1]s", w), May: workqueue.WorkerMay(Queue, w)}
		accounts = append(accounts, a)
		text.WriteString(a.Config("WORK"))
	}
	publish, subscribe := list(owner.Publish), list(owner.Subscribe)
	return fmt.Sprintf(`jetstream: enabled
accounts {
  WORK { jetstream: enabled, exports: %s, users: [ { user: root, password: root },
    { user: %[2]s, password: %[2]s, permissions: { publish: { allow: %[3]s }, subscribe: { allow: %[4]s } } } ] }
  %[5]s
  SYS {}
}
system_account: SYS
`, workqueue.Exports(accounts), Owner, publish, subscribe, text.String())
}

func list(subjects []string) string { return `["` + strings.Join(subjects, `", "`) + `"]` }

// Options changes the server's before it is started again.
func (b *Broker) Options(change func(*server.Options)) { b.change = append(b.change, change) }

// Up starts the server, on the port that it had.
func (b *Broker) Up() {
	b.t.Helper()
	var options server.Options
	if err := options.ProcessConfigString(b.config); err != nil {
		b.t.Fatal(err)
	}
	options.ServerName, options.Host, options.Port, options.StoreDir = b.name, "127.0.0.1", b.port, b.store
	options.NoSigs, options.DisableJetStreamBanner, options.NoLog = true, true, true
	for _, change := range b.change {
		change(&options)
	}
	s, err := server.NewServer(&options)
	if err != nil {
		b.t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		b.t.Fatal("the NATS server did not start")
	}
	b.server, b.port = s, options.Port
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
	if err := os.RemoveAll(b.store); err != nil {
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
