package ingest

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nats-io/nkeys"
)

// WorkerUser is a worker's identity on the broker. Printing or marshalling one never shows its seed.
type WorkerUser struct {
	// Key is the user's public nkey (U…), Seed the secret one (SU…), which the worker has and the broker does not need.
	Key  string
	Seed []byte
	// Publish and Subscribe are the subjects that it may publish and subscribe to.
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
	for i, u := range l.Users {
		if !nkeys.IsValidPublicUserKey(u.Key) {
			return fmt.Errorf("workers: users[%d]: not a public user nkey", i)
		}
		for _, subject := range append(append([]string(nil), u.Publish...), u.Subscribe...) {
			if subject == "" || len(subject) > maxWorkerSubject || strings.ContainsAny(subject, " \t\r\n\"") {
				return fmt.Errorf("workers: users[%d]: a subject is not one", i)
			}
		}
	}
	return nil
}

const maxWorkerSubject = 256

// config is the workers' part of the server's configuration, each user with a comma before it, and their keys.
func (l *WorkerListener) config() (users string, keys []string) {
	if l == nil {
		return "", nil
	}
	var out strings.Builder
	for _, u := range l.Users {
		fmt.Fprintf(&out, ", { nkey: %s, permissions: { publish: { allow: %s }, subscribe: { allow: %s } } }", u.Key, subjects(u.Publish), subjects(u.Subscribe))
		keys = append(keys, u.Key)
	}
	return out.String(), keys
}

// subjects writes a list. Nothing may be done by whoever has none: an empty list would allow everything.
func subjects(all []string) string {
	if len(all) == 0 {
		all = []string{"assay.nothing"}
	}
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
