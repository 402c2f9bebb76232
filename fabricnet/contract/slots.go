package contract

import (
	"fmt"
	"strconv"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// roster is who is enrolled in a chunk at an epoch's start.
type roster struct {
	keys     []commit.SlotKey
	enrolled uint32
	retired  uint32
	classes  [len(ledger.Classes)]uint32
}

// readRoster reads a chunk's slots. It parses their keys only if asked to. Once the epoch has begun its result never changes.
func readRoster(s State, fleet string, chunk uint32, epoch uint64, withKeys bool) (*roster, error) {
	out := new(roster)
	err := scan(s, ledger.SlotPrefix(fleet, chunk), func(rest string, slot *ledger.Slot) error {
		n, err := parseIndex(rest)
		if err != nil {
			return err
		}
		if slot.RetiredSince(epoch) {
			out.retired++
		}
		if !slot.Active(epoch) {
			return nil
		}
		if err := out.count(slot.Class); err != nil || !withKeys {
			return err
		}
		key, err := commit.ParsePublicKey(slot.Key)
		if err != nil {
			return fmt.Errorf("slot %d: %w", n, err)
		}
		out.keys = append(out.keys, commit.SlotKey{Slot: n, Key: key})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading slots of chunk %d of fleet %s: %w", chunk, fleet, err)
	}
	return out, nil
}

func (r *roster) count(class string) error {
	for i, c := range ledger.Classes {
		if c == class {
			r.enrolled++
			r.classes[i]++
			return nil
		}
	}
	return fmt.Errorf("key class %q is not known", class)
}

// parseIndex reads the last part of a key.
func parseIndex(hex string) (uint32, error) {
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("state key ends in %q: %w", hex, err)
	}
	return uint32(n), nil
}
