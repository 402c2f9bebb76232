package commit

import (
	"fmt"
	"runtime"

	zip215 "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// signed is a signature with what it should verify under.
type signed struct {
	key       *PublicKey
	message   []byte
	signature []byte
}

func (s signed) verify() error { return s.key.Verify(s.message, s.signature) }

// checkSignatures verifies every signature. Those of Ed25519 are combined, in one batch for each core since larger ones
// cost less, by the rules that PublicKey.Verify has too (ZIP 215), so the outcome is the same as one by one but for a
// chance of 2^-128. Slots names them in errors.
func checkSignatures(slots []uint32, each []signed) error {
	batches := min(runtime.GOMAXPROCS(0), len(each))
	errs := make([]error, batches)
	inParallel(batches, func(i int) {
		from, to := i*len(each)/batches, (i+1)*len(each)/batches
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
	combined := zip215.NewBatchVerifierWithCapacity(len(each))
	var alone, together []int
	for i := range each {
		if each[i].key.Algorithm() == Ed25519 {
			combined.AddExpandedWithOptions(each[i].key.ed25519, each[i].message, each[i].signature, zip215Rules)
			together = append(together, i)
		} else {
			alone = append(alone, i)
		}
	}
	if len(together) > 0 && !combined.VerifyBatchOnly(nil) {
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
