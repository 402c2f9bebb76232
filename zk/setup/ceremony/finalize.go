package ceremony

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	groth16 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup"
	"github.com/assay-net/assay/zk/verify"
)

// Finalize closes the stage that is open with a beacon, having verified everything in it. When both are closed, it makes the keys and puts them in the
// cache folder, where [setup.Finished] opens them. Whoever has the ceremony's folder can do it and gets the same keys, byte for byte; the beacon is
// not looked at where all is closed already.
func (c *Ceremony) Finalize(ctx context.Context, beacon Beacon, cache string) (*Record, error) {
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	w := &work{ctx, c.Step}
	if first == nil {
		return c.closeFirst(w, &beacon)
	}
	if second != nil {
		store, err := setup.FinishedStore(cache, c.transcript(first, second))
		if err != nil {
			return nil, err
		}
		return c.produce(w, first, second, putInto(store))
	}
	if beacon.Value == first.Beacon {
		return nil, BeaconUnfit.errorf("the closing value is the first stage's, which everybody knew before")
	}
	chains, err := c.chains(secondStage, first, nil)
	if err != nil {
		return nil, err
	}
	if second, err = c.newClosing(secondStage, &beacon, chains); err != nil {
		return nil, err
	}
	store, err := setup.FinishedStore(cache, c.transcript(first, second))
	if err != nil {
		return nil, err
	}
	r, err := c.produce(w, first, second, putInto(store))
	if err != nil {
		return nil, err
	}
	return r, c.writeClosing(second)
}

// chains are the headers of a stage's parts.
func (c *Ceremony) chains(stage int, first, closedBy *closing) (map[string][]*Header, error) {
	out := map[string][]*Header{}
	for _, name := range c.partNames(stage) {
		headers, err := c.headers(name, first, closedBy)
		if err != nil {
			return nil, err
		}
		out[name] = headers
	}
	return out, nil
}

// allChains are both stages'.
func (c *Ceremony) allChains(first, second *closing) (map[string][]*Header, error) {
	out, err := c.chains(firstStage, first, first)
	if err != nil {
		return nil, err
	}
	circuits, err := c.chains(secondStage, first, second)
	if err != nil {
		return nil, err
	}
	maps.Copy(out, circuits)
	return out, nil
}

func (c *Ceremony) closeFirst(w *work, beacon *Beacon) (*Record, error) {
	chains, err := c.chains(firstStage, nil, nil)
	if err != nil {
		return nil, err
	}
	end, err := c.newClosing(firstStage, beacon, chains)
	if err != nil {
		return nil, err
	}
	for _, name := range c.partNames(firstStage) {
		if err := c.verifyPart(w, name, nil, chains[name]); err != nil {
			return nil, err
		}
	}
	if err := c.writeClosing(end); err != nil {
		return nil, err
	}
	return c.record(chains, end, nil, nil), nil
}

func (c *Ceremony) verifyPart(w *work, name string, first *closing, headers []*Header) error {
	p, err := c.part(name, first, false)
	if err != nil {
		return err
	}
	_, err = c.replay(w, p, headers, false)
	return err
}

// Verify replays the ceremony from its files as far as it has come, trusting no mark. Where all is closed it makes the keys anew and, if the cache folder
// has them, compares them; the record says so.
func (c *Ceremony) Verify(ctx context.Context, cache string) (*Record, error) {
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	w := &work{ctx, c.Step}
	if second != nil {
		store, err := setup.FinishedStore(cache, c.transcript(first, second))
		if err != nil {
			return nil, err
		}
		return c.produce(w, first, second, compareWith(store))
	}
	all, err := c.allChains(first, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Concat(c.partNames(firstStage), c.partNames(secondStage)) {
		if len(all[name]) == 0 {
			continue
		}
		if err := c.verifyPart(w, name, first, all[name]); err != nil {
			return nil, err
		}
	}
	return c.record(all, first, nil, nil), nil
}

// sink takes finished keys. It says whether they were there already and are these.
type sink struct {
	srs     func(*commit.SRS) (bool, error)
	circuit func(*Circuit, *groth16.ProvingKey, []byte) (bool, error)
}

func putInto(s *setup.Store) sink {
	return sink{
		func(srs *commit.SRS) (bool, error) { return true, s.PutSRS(srs) },
		func(c *Circuit, pk *groth16.ProvingKey, encoded []byte) (bool, error) {
			return true, s.PutCircuit(c.ID, c.System, pk, encoded)
		},
	}
}

func compareWith(s *setup.Store) sink {
	return sink{
		func(srs *commit.SRS) (bool, error) { return compared(s.CheckSRS(srs)) },
		func(c *Circuit, pk *groth16.ProvingKey, encoded []byte) (bool, error) {
			return compared(s.CheckCircuit(c.ID, c.System, pk, encoded))
		},
	}
}

func compared(err error) (bool, error) {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.Is(err, setup.ErrNotTheKey):
		return false, Key.errorf("%w", err)
	}
	return err == nil, err
}

// produce replays everything and makes the keys, one after the other, since a proving key may have hundreds of megabytes.
func (c *Ceremony) produce(w *work, first, second *closing, to sink) (*Record, error) {
	chains, err := c.allChains(first, second)
	if err != nil {
		return nil, err
	}
	setupName := verify.CeremonySetup(c.transcript(first, second))
	var keys []KeyRecord
	k, err := c.produceSRS(w, chains[srsPart], first, setupName, to)
	if err != nil {
		return nil, at(srsPart, err)
	}
	keys = append(keys, *k)
	for i := range c.plan.Circuits {
		id := c.plan.Circuits[i].ID
		k, err := c.produceCircuit(w, id, chains[id], first, second, setupName, to)
		if err != nil {
			return nil, at(id, err)
		}
		keys = append(keys, *k)
	}
	return c.record(chains, first, second, keys), nil
}

func (c *Ceremony) produceSRS(w *work, headers []*Header, first *closing, setupName string, to sink) (*KeyRecord, error) {
	if c.keys == nil {
		return nil, errors.New("no circuits: call Use")
	}
	s, err := c.replay(w, newSRSPart(c.plan.Powers), headers, false)
	if err != nil {
		return nil, err
	}
	srs, err := s.(*srsState).seal(first.of(srsPart))
	if err != nil {
		return nil, err
	}
	encoded, err := c.keys.EncodeSRS(srs)
	if err != nil {
		return nil, err
	}
	k, err := c.published(srsPart, setupName, encoded)
	if err != nil {
		return nil, err
	}
	k.Source = srs.Digest()
	k.Kept, err = to.srs(srs)
	return k, err
}

func (c *Ceremony) produceCircuit(w *work, id string, headers []*Header, first, second *closing, setupName string, to sink) (*KeyRecord, error) {
	p, err := c.circuitPart(id, first, false)
	if err != nil {
		return nil, err
	}
	begin, err := p.start(w) // also where the evaluations come from
	if err != nil {
		return nil, err
	}
	p.part.start = func(*work) (state, error) { return begin, nil }
	s, err := c.replay(w, p.part, headers, false)
	if err != nil {
		return nil, err
	}
	w.step(fmt.Sprintf("applying the closing value to %s", id), 0)
	pk, vk, err := p.seal(s.(*circuitState), c.commons, second.of(id))
	if err != nil {
		return nil, err
	}
	encoded, err := p.circuit.Encode(vk)
	if err != nil {
		return nil, err
	}
	k, err := c.published(id, setupName, encoded)
	if err != nil {
		return nil, err
	}
	for _, circuit := range c.plan.Circuits {
		if circuit.ID == id {
			k.Source = circuit.Constraints
		}
	}
	if err := w.Err(); err != nil {
		return nil, err
	}
	k.Kept, err = to.circuit(p.circuit, pk, encoded)
	return k, err
}

// published has the verifier's own reader look at a key before anything is kept: no point of it at infinity, no two secrets equal.
func (c *Ceremony) published(id, setupName string, encoded []byte) (*KeyRecord, error) {
	key := verify.NewPublishedKey(id, setupName, encoded)
	if c.keys.Check != nil {
		if err := c.keys.Check(key); err != nil {
			return nil, Key.errorf("%w", err)
		}
	}
	return &KeyRecord{CircuitID: id, Setup: setupName, Digest: key.Digest}, nil
}
