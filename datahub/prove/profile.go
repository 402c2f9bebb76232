package prove

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/datahub/keys/reference"
	"github.com/assay-net/assay/zk/commit"
)

// ProfileVersion and MaxProfile are a profile file's version and size.
const (
	ProfileVersion = "assay-prove-worker/v1"
	MaxProfile     = 64 << 10
)

// Profile is the file that a node writes for one worker, and `assay prove-worker` reads. It holds no secret in the clear: each is
// named by a reference, or all are sealed to the worker's age recipient.
type Profile struct {
	Version string `json:"version"`
	// Broker is the URL of the node's broker, such as tls://node.example:4222.
	Broker string `json:"broker"`
	// Roots are the CAs in PEM that the broker's certificate comes from, and ServerName what it is for, if not the URL's host.
	Roots      string `json:"roots,omitempty"`
	ServerName string `json:"server_name,omitempty"`
	// Queue is the queue's name on the broker, Worker the name under which the broker lets this worker answer.
	Queue  string `json:"queue"`
	Worker string `json:"worker"`
	// SRS is the digest of the powers of tau that the ledger pins. A worker whose key cache holds others does not start.
	SRS commit.Digest `json:"srs"`
	// Credentials and QueueKey name the secrets, file:/absolute/path or env:NAME: a NATS credentials file, a user's nkey seed or
	// user:password; and the queue's key, 64 hexadecimal digits.
	Credentials reference.Reference `json:"credentials,omitempty"`
	QueueKey    reference.Reference `json:"queue_key,omitempty"`
	// Sealed holds both secrets instead, encrypted with age, as text (see Seal).
	Sealed string `json:"sealed,omitempty"`
}

// Secrets are what a worker needs beside its profile.
type Secrets struct {
	Credentials []byte
	Queue       workqueue.Key
}

// String returns a placeholder.
func (Secrets) String() string { return "[worker's secrets]" }

// Format writes a placeholder whatever the verb.
func (s Secrets) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) } //nolint:errcheck // fmt.State keeps its own error

// MarshalJSON refuses: Seal is how secrets are stored.
func (Secrets) MarshalJSON() ([]byte, error) {
	return nil, errors.New("a worker's secrets are not marshalled; seal them instead")
}

type wireSecrets struct {
	Credentials []byte `json:"credentials"`
	QueueKey    string `json:"queue_key"`
}

// ParseProfile reads a profile and checks what can be checked without its secrets. Unknown fields are refused.
func ParseProfile(b []byte) (*Profile, error) {
	if len(b) > MaxProfile {
		return nil, fmt.Errorf("worker profile: longer than %d bytes", MaxProfile)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	p := new(Profile)
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("worker profile: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("worker profile: trailing data")
	}
	return p, p.check()
}

func (p *Profile) check() error {
	switch {
	case p.Version != ProfileVersion:
		return fmt.Errorf("worker profile: version is %q, want %q", p.Version, ProfileVersion)
	case p.Broker == "":
		return errors.New("worker profile: broker is missing")
	case p.SRS.IsZero():
		return errors.New("worker profile: srs is missing")
	case p.Sealed != "" && (p.QueueKey != "" || p.Credentials != ""):
		return errors.New("worker profile: secrets are sealed and named by reference; one of them")
	}
	for name, r := range map[string]reference.Reference{"credentials": p.Credentials, "queue_key": p.QueueKey} {
		if r == "" {
			continue
		}
		if err := r.Check(); err != nil {
			return fmt.Errorf("worker profile: %s: %w", name, err)
		}
	}
	if err := errors.Join(workqueue.CheckWorker(p.Worker), workqueue.CheckQueue(p.Queue)); err != nil {
		return fmt.Errorf("worker profile: %w", err)
	}
	return nil
}

// Marshal writes the profile for ParseProfile.
func (p *Profile) Marshal() ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(p, "", "  ")
	return append(b, '\n'), err
}

// Seal encrypts the secrets into the profile, to an age recipient (age1…) whose identity only the worker has.
func (p *Profile) Seal(s Secrets, recipient string) error {
	to, err := age.ParseX25519Recipient(strings.TrimSpace(recipient))
	if err != nil {
		return fmt.Errorf("worker profile: recipient: %w", err)
	}
	plain, err := json.Marshal(wireSecrets{s.Credentials, hex.EncodeToString(s.Queue[:])})
	if err != nil {
		return err
	}
	var out bytes.Buffer
	text := armor.NewWriter(&out)
	w, err := age.Encrypt(text, to)
	if err != nil {
		return fmt.Errorf("worker profile: sealing: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return fmt.Errorf("worker profile: sealing: %w", err)
	}
	if err := errors.Join(w.Close(), text.Close()); err != nil {
		return fmt.Errorf("worker profile: sealing: %w", err)
	}
	p.Sealed, p.QueueKey, p.Credentials = out.String(), "", ""
	return nil
}

// Secrets returns the profile's: those it names, or those that an age identity file opens.
func (p *Profile) Secrets(identity []byte) (Secrets, error) {
	if p.Sealed != "" {
		return p.unseal(identity)
	}
	var s Secrets
	var err error
	if p.Credentials != "" {
		if s.Credentials, err = p.Credentials.Read(); err != nil {
			return Secrets{}, fmt.Errorf("worker's credentials: %w", err)
		}
	}
	if s.Queue, err = ReadQueueKey(p.QueueKey); err != nil {
		return Secrets{}, err
	}
	return s, nil
}

func (p *Profile) unseal(identity []byte) (Secrets, error) {
	if len(identity) == 0 {
		return Secrets{}, errors.New("worker profile: secrets are sealed, and no identity is given to open them")
	}
	identities, err := age.ParseIdentities(bytes.NewReader(identity))
	if err != nil {
		return Secrets{}, errors.New("identity: not an age identity file")
	}
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(p.Sealed)), identities...)
	if err != nil {
		return Secrets{}, fmt.Errorf("worker profile: sealed secrets: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, MaxProfile))
	if err != nil {
		return Secrets{}, fmt.Errorf("worker profile: sealed secrets: %w", err)
	}
	var w wireSecrets
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if d.Decode(&w) != nil {
		return Secrets{}, errors.New("worker profile: sealed secrets are of another form")
	}
	key, err := parseQueueKey(w.QueueKey)
	return Secrets{w.Credentials, key}, err
}

// ReadQueueKey reads a queue's key, 64 hexadecimal digits, from where it is kept.
func ReadQueueKey(from reference.Reference) (workqueue.Key, error) {
	if from == "" {
		return workqueue.Key{}, errors.New("queue key: missing")
	}
	b, err := from.Read()
	if err != nil {
		return workqueue.Key{}, fmt.Errorf("queue key: %w", err)
	}
	defer clear(b)
	return parseQueueKey(string(b))
}

func parseQueueKey(text string) (workqueue.Key, error) {
	var k workqueue.Key
	if b, err := hex.DecodeString(strings.TrimSpace(text)); err != nil || copy(k[:], b) != len(k) || len(b) != len(k) {
		return workqueue.Key{}, fmt.Errorf("queue key: not %d hexadecimal digits", 2*len(k))
	}
	return k, nil
}
