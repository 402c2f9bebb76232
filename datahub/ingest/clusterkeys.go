package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// ClusterKeys are the seeds of the keys with which a node uses a cluster: node, authoriser, work and system are users' (SU…), work for the
// account of the work queues; issuer is an account's (SA…) and signs what devices may do, curve (SX…) seals what servers and authoriser say to each other. Without
// system the node cannot disconnect a device that floods it, which is then refused when it comes back; without curve requests are
// not sealed, beyond TLS. Printing or marshalling them never shows them.
type ClusterKeys struct {
	Node, Authoriser, Work, System, Issuer, Curve []byte
}

// maxClusterKeys bounds the text of keys.
const maxClusterKeys = 8 << 10

const redactedKeys = "[cluster keys]"

// String returns a placeholder.
func (ClusterKeys) String() string { return redactedKeys }

// Format writes a placeholder whatever the verb.
func (ClusterKeys) Format(f fmt.State, _ rune) { io.WriteString(f, redactedKeys) } //nolint:errcheck // fmt.State keeps its own error

// MarshalJSON refuses: storing keys must be a decision, taken with Encode.
func (ClusterKeys) MarshalJSON() ([]byte, error) {
	return nil, errors.New("cluster keys are not marshalled; use Encode")
}

type clusterKey struct {
	name     string
	prefix   nkeys.PrefixByte
	seed     *[]byte
	optional bool
}

func (k *ClusterKeys) all() []clusterKey {
	return []clusterKey{
		{"node", nkeys.PrefixByteUser, &k.Node, false},
		{"authoriser", nkeys.PrefixByteUser, &k.Authoriser, false},
		{"work", nkeys.PrefixByteUser, &k.Work, false},
		{"system", nkeys.PrefixByteUser, &k.System, true},
		{"issuer", nkeys.PrefixByteAccount, &k.Issuer, false},
		{"curve", nkeys.PrefixByteCurve, &k.Curve, true},
	}
}

// NewClusterKeys draws keys.
func NewClusterKeys() (ClusterKeys, error) {
	var k ClusterKeys
	for _, one := range k.all() {
		pair, err := nkeys.CreatePair(one.prefix)
		if err != nil {
			return ClusterKeys{}, fmt.Errorf("drawing the key %s: %w", one.name, err)
		}
		if *one.seed, err = pair.Seed(); err != nil {
			return ClusterKeys{}, fmt.Errorf("drawing the key %s: %w", one.name, err)
		}
	}
	return k, nil
}

// ParseClusterKeys reads lines of a name and a seed, such as "node SUAB…". Empty lines and those that begin with # are passed over. No
// error quotes the text.
func ParseClusterKeys(text []byte) (ClusterKeys, error) {
	if len(text) > maxClusterKeys {
		return ClusterKeys{}, fmt.Errorf("cluster keys: %d bytes, at most %d", len(text), maxClusterKeys)
	}
	var k ClusterKeys
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := k.set(strings.Fields(line)); err != nil {
			return ClusterKeys{}, fmt.Errorf("cluster keys: line %d: %w", n, err)
		}
	}
	if err := k.check(); err != nil {
		return ClusterKeys{}, err
	}
	return k, nil
}

func (k *ClusterKeys) set(fields []string) error {
	if len(fields) != 2 {
		return errors.New("must be a name and a seed")
	}
	for _, one := range k.all() {
		if one.name != fields[0] {
			continue
		}
		if *one.seed != nil {
			return fmt.Errorf("%s is there twice", one.name)
		}
		*one.seed = []byte(fields[1])
		return nil
	}
	return errors.New("the name is not node, authoriser, work, system, issuer or curve")
}

func (k *ClusterKeys) check() error {
	for _, one := range k.all() {
		if len(*one.seed) == 0 {
			if one.optional {
				continue
			}
			return fmt.Errorf("cluster keys: %s is missing", one.name)
		}
		if prefix, _, err := nkeys.DecodeSeed(*one.seed); err != nil || prefix != one.prefix {
			return fmt.Errorf("cluster keys: %s is not a seed of its kind", one.name)
		}
	}
	return nil
}

// Encode writes what ParseClusterKeys reads. It is secret.
func (k ClusterKeys) Encode() []byte {
	var out bytes.Buffer
	for _, one := range k.all() {
		if len(*one.seed) > 0 {
			fmt.Fprintf(&out, "%s %s\n", one.name, *one.seed)
		}
	}
	return out.Bytes()
}

// Environment is what the example configuration of the servers takes from the environment for these keys, such as ASSAY_NODE=UAB….
// It is public.
func (k ClusterKeys) Environment() ([]string, error) {
	var out []string
	for _, one := range k.all() {
		if len(*one.seed) == 0 {
			continue
		}
		public, err := publicKey(*one.seed)
		if err != nil {
			return nil, fmt.Errorf("cluster keys: %s: %w", one.name, err)
		}
		out = append(out, "ASSAY_"+strings.ToUpper(one.name)+"="+public)
	}
	return out, nil
}

// publicKey does not wrap what nkeys says, which could quote a seed.
func publicKey(seed []byte) (string, error) {
	pair, err := fromSeed(seed)
	if err != nil {
		return "", err
	}
	return pair.PublicKey()
}

func fromSeed(seed []byte) (nkeys.KeyPair, error) {
	parse := nkeys.FromSeed
	if prefix, _, err := nkeys.DecodeSeed(seed); err == nil && prefix == nkeys.PrefixByteCurve {
		parse = nkeys.FromCurveSeed
	}
	pair, err := parse(seed)
	if err != nil {
		return nil, errors.New("not a seed")
	}
	return pair, nil
}

func nkeyOption(seed []byte) (nats.Option, error) {
	pair, err := fromSeed(seed)
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, errors.New("not a seed of a user")
	}
	return nats.Nkey(public, pair.Sign), nil
}
