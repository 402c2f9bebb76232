package commit

import (
	"fmt"

	"github.com/hdevalence/ed25519consensus"
)

// ed25519Batch is how many Ed25519 signatures are combined: enough to share the doublings, few enough to stay in the
// cache.
const ed25519Batch = 64

// signed is a signature with what it should verify under.
type signed struct {
	key       *PublicKey
	message   []byte
	signature []byte
}

func (s signed) verify() error { return s.key.Verify(s.message, s.signature) }

// checkSignatures verifies every signature. Those of Ed25519 are combined batch by batch, by the rules that
// PublicKey.Verify has too (ZIP 215), so the outcome is the same as one by one but for a chance of 2^-128. Slots names
// them in errors.
func checkSignatures(slots []uint32, each []signed) error {
	batches := (len(each) + ed25519Batch - 1) / ed25519Batch
	errs := make([]error, batches)
	inParallel(batches, func(i int) {
		from := i * ed25519Batch
		to := min(from+ed25519Batch, len(each))
		errs[i] = checkSignatureBatch(slots[from:to], each[from:to])
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkSignatureBatch(slots []uint32, each []signed) error {
	combined := ed25519consensus.NewPreallocatedBatchVerifier(len(each))
	var alone, together []int
	for i := range each {
		if each[i].key.Algorithm() == Ed25519 {
			combined.Add(each[i].key.ed25519, each[i].message, each[i].signature)
			together = append(together, i)
		} else {
			alone = append(alone, i)
		}
	}
	if len(together) > 0 && !combined.Verify() {
		alone = nil // find the lowest bad slot among all
		for i := range each {
			alone = append(alone, i)
		}
	}
	for _, i := range alone {
		if err := each[i].verify(); err != nil {
			return fmt.Errorf("slot %d: %w", slots[i], err)
		}
	}
	return nil
}
