package ingest

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nats-io/nkeys"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
)

// WorkerUser is a worker's identity on the broker. Printing or marshalling one never shows its seed.
type WorkerUser struct {
	// Key is the user's public nkey (U…), Seed the secret one (SU…), which the worker has and the broker does not need.
	Key  string
	Seed []byte
	// Publish are the subjects that it may publish to, which reach the account of the queues as requests: what is answered comes to the
	// worker. Subscribe are those that it may hear, in an account of its own.
	Publish, Subscribe []string
}

const redactedWorker = "[worker]"

// NewWorkerUser makes the user whose key is these 32 secret bytes: the same from the same.
func NewWorkerUser(secret [32]byte) (WorkerUser, error) {
	pair, err := nkeys.FromRawSeed(nkeys.PrefixByteUser, secret[:])
	if err != nil {
		return WorkerUser{}, errors.New("worker: the secret makes no key")
	}
	seed, err := pair.Seed()
	if err != nil {
		return WorkerUser{}, errors.New("worker: the secret makes no seed")
	}
	public, err := pair.PublicKey()
	if err != nil {
		return WorkerUser{}, errors.New("worker: the secret makes no public key")
	}
	return WorkerUser{Key: public, Seed: seed}, nil
}

// String returns a placeholder.
func (WorkerUser) String() string { return redactedWorker }

// Format writes a placeholder whatever the verb.
func (WorkerUser) Format(f fmt.State, _ rune) { io.WriteString(f, redactedWorker) } //nolint:errcheck // fmt.State keeps its own error

// MarshalJSON refuses: storing a seed must be a decision, taken by copying it.
func (WorkerUser) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a worker is not marshalled")
}

// check keeps what goes into the server's configuration to what it is meant to be.
func (l *WorkerListener) check() error {
	if l == nil {
		return nil
	}
	if l.TLS == nil {
		return errors.New("workers: no TLS configuration")
	}
	return checkUsers(l.Users)
}

const maxWorkerSubject = 256

func checkUsers(users []WorkerUser) error {
	seen := map[string]bool{}
	for i, u := range users {
		if !nkeys.IsValidPublicUserKey(u.Key) {
			return fmt.Errorf("workers: users[%d]: not a public user nkey", i)
		}
		if seen[u.Key] {
			return fmt.Errorf("workers: users[%d]: another has the same key", i)
		}
		seen[u.Key] = true
		for _, subject := range slices.Concat(u.Publish, u.Subscribe) {
			if subject == "" || len(subject) > maxWorkerSubject || strings.ContainsAny(subject, " \t\r\n\"") {
				return fmt.Errorf("workers: users[%d]: a subject is not one", i)
			}
		}
		for _, subject := range u.Publish {
			// It is imported from the account of the queues, where JetStream's API is.
			if subject[0] == '*' || subject[0] == '>' {
				return fmt.Errorf("workers: users[%d]: may publish to anything", i)
			}
		}
	}
	return nil
}

// accounts are the workers', each its own, which import from the account of the queues what they may publish.
func (l *WorkerListener) accounts() []workqueue.Account {
	if l == nil {
		return nil
	}
	return accounts(l.Users)
}

func accounts(users []WorkerUser) []workqueue.Account {
	out := make([]workqueue.Account, len(users))
	for i, u := range users {
		out[i] = workqueue.Account{
			Name: accountWorker + u.Key, Login: "nkey: " + u.Key,
			May: workqueue.Permissions{Publish: u.Publish, Subscribe: u.Subscribe},
		}
	}
	return out
}

// WorkerAccounts writes the workers' accounts as the servers of a cluster include them (workers.conf beside
// deploy/nats/nats-server.conf). It is public.
func WorkerAccounts(users []WorkerUser) ([]byte, error) {
	if err := checkUsers(users); err != nil {
		return nil, err
	}
	out := []byte("# The accounts of prove-workers. A node wrote them; nats-server.conf includes them.\n")
	for _, a := range accounts(users) {
		out = append(out, a.Config(accountWork)...)
	}
	return out, nil
}
