package vault

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/assay-net/assay/datahub/keys"
)

const (
	// batch is how many contexts go into one request: at their longest that is 1.5 MB, and Vault takes 10,000 elements and 32 MiB.
	batch = 1000
	// pinned is the one version of a key that is used, so that rotating it changes nothing.
	pinned = 1
)

// derivationKey says what a derivation secret is. The size is sent as a string, which a policy can hold to its value; it cannot with a number.
type derivationKey struct {
	Type string `json:"type"`
	Size int    `json:"key_size,string"`
}

var derivationParameters = derivationKey{"hmac", sha256.Size}

type macInput struct {
	Input []byte `json:"input"`
}

func (s *Store) Derive(ctx context.Context, name string, contexts [][]byte) ([][32]byte, error) {
	t, err := s.transit(derivation, name)
	if err = errors.Join(err, keys.CheckContexts(contexts)); err != nil {
		return nil, fmt.Errorf("deriving: %w", err)
	}
	out := make([][32]byte, 0, len(contexts))
	for some := range slices.Chunk(contexts, batch) {
		if out, err = t.derive(ctx, name, some, out); err != nil {
			clear(out)
			return nil, fmt.Errorf("deriving from %s: %w", name, err)
		}
	}
	return out, nil
}

func (t transit) derive(ctx context.Context, name string, contexts [][]byte, out [][32]byte) ([][32]byte, error) {
	in := struct {
		Algorithm string     `json:"algorithm"`
		Version   int        `json:"key_version"`
		Batch     []macInput `json:"batch_input"`
	}{"sha2-256", pinned, make([]macInput, len(contexts))}
	for i, c := range contexts {
		in.Batch[i].Input = keys.DeriveInput(name, c)
	}
	var answer struct {
		Results []struct {
			MAC   string `json:"hmac"`
			Error string `json:"error"`
		} `json:"batch_results"`
	}
	if err := t.doOrMake(ctx, "hmac", in, &answer, derivationParameters); err != nil {
		return out, err
	}
	if len(answer.Results) != len(contexts) {
		return out, fmt.Errorf("Vault answers %d contexts with %d outputs", len(contexts), len(answer.Results))
	}
	for _, r := range answer.Results {
		if r.Error != "" {
			return out, fmt.Errorf("vault: %s", complaints([]string{r.Error}))
		}
		version, mac, err := parseVersioned(r.MAC)
		if err != nil || version != pinned || len(mac) != sha256.Size {
			return out, errors.New("Vault's answer is no HMAC-SHA256 under the key's first version")
		}
		out = append(out, [32]byte(mac))
		clear(mac)
	}
	return out, nil
}
