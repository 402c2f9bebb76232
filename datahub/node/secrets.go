package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"

	"github.com/assay-net/assay/datahub/keys"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// secrets derives what the node shares with its devices from a secret of the fleet, which stays in the key store. The blinding scalar of a record
// is in turn derived from the device's secret, its place and the record (commit.Place.Blinding). What closed chunks commit to is stored with these
// scalars, under the store's keys: it stays provable when the fleet's secret is destroyed, and until its period is shredded.
type secrets struct {
	keys   keys.Store
	ledger commit.Digest
}

type shared struct {
	secret    commit.Secret
	transport frame.TransportKey
}

const (
	purposeSecret    = "assay/v1/enrolment-secret"
	purposeTransport = "assay/v1/transport-key"
)

// of derives the secrets of devices, in their order.
func (s *secrets) of(ctx context.Context, devices []store.Device) ([]shared, error) {
	byFleet := map[string][]int{}
	for i := range devices {
		byFleet[devices[i].Fleet] = append(byFleet[devices[i].Fleet], i)
	}
	out := make([]shared, len(devices))
	for fleet, members := range byFleet {
		contexts := make([][]byte, 0, 2*len(members))
		for _, i := range members {
			contexts = append(contexts, s.context(purposeSecret, &devices[i]), s.context(purposeTransport, &devices[i]))
		}
		derived, err := s.keys.Derive(ctx, keyName("fleet", fleet), contexts)
		if err != nil {
			return nil, fmt.Errorf("deriving the secrets of fleet %s: %w", fleet, err)
		}
		for j, i := range members {
			out[i] = shared{commit.Secret(derived[2*j]), frame.TransportKey(derived[2*j+1])}
		}
	}
	return out, nil
}

// context covers everything that may not share a secret: ledger, device, seat and how often it was enrolled.
func (s *secrets) context(purpose string, d *store.Device) []byte {
	t := commit.NewTranscript(purpose, s.ledger)
	t.Bytes(d.ID[:])
	t.Bytes([]byte(d.Fleet))
	t.Uint(uint64(d.Chunk))
	t.Uint(uint64(d.Slot))
	t.Uint(uint64(d.Generation))
	digest := t.Digest()
	return digest[:]
}

var plainName = regexp.MustCompile(`^[a-z0-9-]{1,39}$`)

// keyName is the key store's name for something of a fleet. Its alphabet is smaller than that of fleets; a digest has 40 digits, longer than any plain name.
func keyName(what, fleet string) string {
	if plainName.MatchString(fleet) {
		return what + "-" + fleet
	}
	digest := sha256.Sum256([]byte(fleet))
	return what + "-" + hex.EncodeToString(digest[:20])
}
