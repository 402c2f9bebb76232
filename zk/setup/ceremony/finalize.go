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
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// Finalize closes the stage that is open with a beacon, having verified everything in it that this machine had not (Marks). When both are closed, it makes the
// keys, puts them in the cache folder, where [setup.Finished] opens them, and the transcript in the ceremony's. Whoever has the ceremony's folder can do it
// and gets the same keys, byte for byte; the beacon is not looked at where all is closed already.
func (c *Ceremony) Finalize(ctx context.Context, beacon transcript.Beacon, cache string) (*transcript.Record, error) {
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	w := c.work(ctx, true)
	if first == nil {
		return c.closeFirst(w, beacon)
	}
	open := second == nil
	if open {
		if err := transcript.CheckSecondBeacon(first, beacon.Value); err != nil {
			return nil, err
		}
		chains, err := c.chains(transcript.SecondStage, first, nil)
		if err != nil {
			return nil, err
		}
		if second, err = c.plan.NewClosing(transcript.SecondStage, beacon, chains); err != nil {
			return nil, err
		}
	}
	store, err := setup.FinishedStore(cache, transcript.Digest(c.plan, first, second))
	if err != nil {
		return nil, err
	}
	r, err := c.produce(w, first, second, putInto(store))
	if err == nil && open {
		err = c.writeClosing(second)
	}
	if err != nil {
		return nil, err
	}
	return r, c.keepTranscript(w, r)
}

// chains are those of a stage's parts.
func (c *Ceremony) chains(stage int, first, closedBy *transcript.Closing) (map[string]*transcript.Chain, error) {
	out := map[string]*transcript.Chain{}
	for _, name := range c.plan.Parts(stage) {
		chain, err := c.chain(name, first, closedBy)
		if err != nil {
			return nil, err
		}
		out[name] = chain
	}
	return out, nil
}

// allChains are both stages'.
func (c *Ceremony) allChains(first, second *transcript.Closing) (map[string]*transcript.Chain, error) {
	out, err := c.chains(transcript.FirstStage, first, first)
	if err != nil {
		return nil, err
	}
	circuits, err := c.chains(transcript.SecondStage, first, second)
	if err != nil {
		return nil, err
	}
	maps.Copy(out, circuits)
	return out, nil
}

func (c *Ceremony) closeFirst(w *work, beacon transcript.Beacon) (*transcript.Record, error) {
	chains, err := c.chains(transcript.FirstStage, nil, nil)
	if err != nil {
		return nil, err
	}
	end, err := c.plan.NewClosing(transcript.FirstStage, beacon, chains)
	if err != nil {
		return nil, err
	}
	for _, name := range c.plan.Parts(transcript.FirstStage) {
		if err := c.verifyPart(w, name, nil, chains[name]); err != nil {
			return nil, err
		}
	}
	if err := c.writeClosing(end); err != nil {
		return nil, err
	}
	return transcript.NewRecord(c.plan, chains, end, nil, nil), nil
}

func (c *Ceremony) verifyPart(w *work, name string, first *transcript.Closing, chain *transcript.Chain) error {
	if name == transcript.PowersPart && first != nil { // the circuits need them
		_, err := c.closedPowers(w, first)
		return err
	}
	p, err := c.part(name, first)
	if err != nil {
		return err
	}
	_, err = c.verifyChain(w, p, chain.Headers())
	return err
}

// Verify replays the ceremony from its files as far as it has come, trusting no mark. Where all is closed it makes the keys anew and, if the cache folder
// has them, compares them; the record says so.
func (c *Ceremony) Verify(ctx context.Context, cache string) (*transcript.Record, error) {
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	w := c.work(ctx, false)
	if second != nil {
		store, err := setup.FinishedStore(cache, transcript.Digest(c.plan, first, second))
		if err != nil {
			return nil, err
		}
		r, err := c.produce(w, first, second, compareWith(store))
		if err != nil {
			return nil, err
		}
		return r, c.checkTranscript(r)
	}
	all, err := c.allChains(first, nil)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Concat(c.plan.Parts(transcript.FirstStage), c.plan.Parts(transcript.SecondStage)) {
		if all[name].Number() == 0 {
			continue
		}
		if err := c.verifyPart(w, name, first, all[name]); err != nil {
			return nil, err
		}
	}
	return transcript.NewRecord(c.plan, all, first, nil, nil), nil
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
		return false, transcript.Key.Errorf("%w", err)
	}
	return err == nil, err
}

// produce replays everything and makes the keys, one after the other, since a proving key may have hundreds of megabytes.
func (c *Ceremony) produce(w *work, first, second *transcript.Closing, to sink) (*transcript.Record, error) {
	chains, err := c.allChains(first, second)
	if err != nil {
		return nil, err
	}
	setupName := verify.CeremonySetup(transcript.Digest(c.plan, first, second))
	var keys []transcript.KeyRecord
	k, err := c.produceSRS(w, chains[transcript.SRSPart], first, setupName, to)
	if err != nil {
		return nil, transcript.At(transcript.SRSPart, err)
	}
	keys = append(keys, *k)
	for i := range c.plan.Circuits {
		id := c.plan.Circuits[i].ID
		k, err := c.produceCircuit(w, id, chains[id], first, second, setupName, to)
		if err != nil {
			return nil, transcript.At(id, err)
		}
		keys = append(keys, *k)
	}
	return transcript.NewRecord(c.plan, chains, first, second, keys), nil
}

func (c *Ceremony) produceSRS(w *work, chain *transcript.Chain, first *transcript.Closing, setupName string, to sink) (*transcript.KeyRecord, error) {
	if c.keys == nil {
		return nil, errors.New("no circuits: call Use")
	}
	s, err := c.replay(w, newSRSPart(c.plan.Powers), chain.Headers())
	if err != nil {
		return nil, err
	}
	srs, err := s.(*srsState).seal(first.Of(transcript.SRSPart))
	if err != nil {
		return nil, err
	}
	encoded, err := c.keys.EncodeSRS(srs)
	if err != nil {
		return nil, err
	}
	k, err := c.published(transcript.SRSPart, setupName, encoded)
	if err != nil {
		return nil, err
	}
	k.Source = srs.Digest()
	k.Kept, err = to.srs(srs)
	return k, err
}

func (c *Ceremony) produceCircuit(w *work, id string, chain *transcript.Chain, first, second *transcript.Closing, setupName string, to sink) (*transcript.KeyRecord, error) {
	p, err := c.circuitPart(id, first)
	if err != nil {
		return nil, err
	}
	begin, err := p.start(w) // also where the evaluations come from
	if err != nil {
		return nil, err
	}
	p.part.start = func(*work) (state, error) { return begin, nil }
	s, err := c.replay(w, p.part, chain.Headers())
	if err != nil {
		return nil, err
	}
	w.step(fmt.Sprintf("applying the closing value to %s", id), 0)
	pk, vk, err := p.seal(s.(*circuitState), second.Of(id))
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
func (c *Ceremony) published(id, setupName string, encoded []byte) (*transcript.KeyRecord, error) {
	key := verify.NewPublishedKey(id, setupName, encoded)
	if c.keys.Check != nil {
		if err := c.keys.Check(key); err != nil {
			return nil, transcript.Key.Errorf("%w", err)
		}
	}
	return &transcript.KeyRecord{CircuitID: id, Setup: setupName, Digest: key.Digest}, nil
}
