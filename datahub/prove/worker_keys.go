package prove

import (
	"fmt"

	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/verify"
)

// Keys are a worker's circuits and what is published of them.
type Keys interface {
	zk.Keys
	// Published lists the verifying keys for chunks of the sizes.
	Published(sizes ...int) ([]verify.PublishedKey, error)
}

// ownKey is what this worker's keys for one size of chunks verify with.
type ownKey struct {
	digest commit.Digest
	ring   *verify.Keyring
}

// own says whether the order is for this worker, and with which keys.
func (w *Worker) own(o *order) (ownKey, error) {
	for _, name := range o.Without {
		if name == w.options.Name {
			return ownKey{}, ErrAccused
		}
	}
	if srs := w.keys.SRS().Digest(); srs != o.Job.Place.SRS {
		return ownKey{}, fmt.Errorf("%w (SRS %s, not %s)", ErrOtherKeys, srs, o.Job.Place.SRS)
	}
	own, err := w.ring(o.Job.Place.Size)
	if err == nil && own.digest != o.Key {
		err = fmt.Errorf("%w (%s has digest %s, not %s)", ErrOtherKeys, verify.ChunkCircuit(o.Job.Place.Size), own.digest, o.Key)
	}
	return own, err
}

func (w *Worker) ring(size uint32) (ownKey, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if own, ok := w.rings[size]; ok {
		return own, nil
	}
	published, err := w.keys.Published(int(size))
	if err != nil {
		return ownKey{}, err
	}
	var own ownKey
	if own.ring, err = verify.NewKeyring(published); err != nil {
		return own, err
	}
	key, ok := own.ring.Published(verify.ChunkCircuit(size))
	if !ok {
		return own, fmt.Errorf("no key for circuit %s", verify.ChunkCircuit(size))
	}
	own.digest = key.Digest
	w.rings[size] = own
	return own, nil
}
