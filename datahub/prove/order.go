package prove

import (
	"errors"
	"fmt"

	"github.com/assay-net/assay/datahub/ingest/workqueue"
	"github.com/assay-net/assay/zk"
	"github.com/assay-net/assay/zk/commit"
)

// order is a chunk's job as it travels, sealed:
//
//	version, digest of the verifying key, number of workers to stay away, each with its length, chunk job
type order struct {
	// Key is the digest of the key, pinned on the ledger, that the proof will be verified with.
	Key commit.Digest
	// Without names workers that were wrong before.
	Without []string
	Job     *zk.ChunkJob
}

const (
	orderVersion = 1
	// maxWithout bounds the workers that are asked to stay away; whoever else was wrong is not listened to either.
	maxWithout    = 32
	maxName       = 64
	maxOrderBytes = 1 + len(commit.Digest{}) + 1 + maxWithout*(1+maxName) + zk.MaxChunkJobBytes
)

// An order must fit a message.
var _ [workqueue.MaxPayload - maxOrderBytes]struct{}

func (o *order) marshal() ([]byte, error) {
	if len(o.Without) > maxWithout {
		return nil, fmt.Errorf("order: %d workers to stay away, at most %d", len(o.Without), maxWithout)
	}
	b := append([]byte{orderVersion}, o.Key[:]...)
	b = append(b, byte(len(o.Without)))
	for _, name := range o.Without {
		if err := workqueue.CheckWorker(name); err != nil {
			return nil, fmt.Errorf("order: %w", err)
		}
		b = append(append(b, byte(len(name))), name...)
	}
	job, err := o.Job.Marshal()
	if err != nil {
		return nil, err
	}
	return append(b, job...), nil
}

var errShort = errors.New("order: cut short")

func parseOrder(b []byte) (*order, error) {
	if len(b) > maxOrderBytes {
		return nil, fmt.Errorf("order: %d bytes, at most %d", len(b), maxOrderBytes)
	}
	o := &order{}
	if len(b) < 2+len(o.Key) {
		return nil, errShort
	}
	if b[0] != orderVersion {
		return nil, fmt.Errorf("order: version is %d, want %d", b[0], orderVersion)
	}
	n := copy(o.Key[:], b[1:])
	count, b := int(b[1+n]), b[2+n:]
	if count > maxWithout {
		return nil, fmt.Errorf("order: %d workers to stay away, at most %d", count, maxWithout)
	}
	for range count {
		if len(b) == 0 || len(b) < 1+int(b[0]) {
			return nil, errShort
		}
		name := string(b[1:][:b[0]])
		if err := workqueue.CheckWorker(name); err != nil {
			return nil, fmt.Errorf("order: %w", err)
		}
		o.Without, b = append(o.Without, name), b[1+len(name):]
	}
	var err error
	o.Job, err = zk.ParseChunkJob(b)
	return o, err
}
