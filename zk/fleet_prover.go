package zk

import (
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	groth16 "github.com/consensys/gnark/backend/groth16/bn254"
	"github.com/consensys/gnark/backend/witness"

	"github.com/assay-net/assay/zk/statement"
	"github.com/assay-net/assay/zk/verify"
	"github.com/assay-net/assay/zk/verify/fromgnark"
)

// fleetWitness is the native twin of [FleetCircuit].
type fleetWitness struct {
	statement verify.FleetStatement
	openings  []verify.Output
	salt      fr.Element
	value     *big.Int
	remainder *big.Int
}

// newFleetWitness adds up opened outputs behind a fresh one. Claims and
// disclosures are those of s, evaluated here; they are empty but in a chain's
// last step.
func newFleetWitness(s verify.FleetStatement, inputs []*Opened) (*fleetWitness, *Opened, error) {
	w := &fleetWitness{statement: s}
	totals := statement.Totals{Exact: new(big.Int)}
	for _, in := range inputs {
		w.statement.Inputs = append(w.statement.Inputs, in.T)
		w.openings = append(w.openings, in.Output)
		totals = totals.Add(in.Totals)
	}
	if err := random(&w.salt); err != nil {
		return nil, nil, err
	}
	out := verify.NewOutput(totals, w.salt)
	w.statement.T = out.Commit(verify.FleetOutput)
	w.value, w.remainder = new(big.Int).QuoRem(totals.Exact, statement.ValueScale(), new(big.Int))
	for i := range s.Claims {
		w.statement.Holds = append(w.statement.Holds, s.Claims[i].Holds(totals))
	}
	for i, v := range totals.Vector() {
		if s.Disclose[i] {
			w.statement.Disclosed[i] = v
		}
	}
	return w, &Opened{Totals: totals, Output: out, T: w.statement.T}, nil
}

func (w *fleetWitness) full() (witness.Witness, error) {
	public, err := w.statement.Public()
	if err != nil {
		return nil, err
	}
	secret := make([]fr.Element, 0, 4*verify.FleetInputs+3)
	for k := range verify.FleetInputs {
		var o verify.Output
		if k < len(w.openings) {
			o = w.openings[k]
		}
		secret = append(secret, o.First, o.Second, o.Exact, o.Salt)
	}
	var value, remainder fr.Element
	value.SetBigInt(w.value)
	remainder.SetBigInt(w.remainder)
	return vector(public, append(secret, w.salt, value, remainder))
}

func (w *fleetWitness) prove(key *CircuitKey) (*verify.FleetProof, error) {
	full, err := w.full()
	if err != nil {
		return nil, err
	}
	g, err := groth16.Prove(key.System, key.Proving, full)
	if err != nil {
		return nil, fmt.Errorf("circuit %s: %w", verify.FleetCircuit, err)
	}
	return &verify.FleetProof{Groth16: fromgnark.Proof(g), T: w.statement.T}, nil
}

// ProveFleet folds the chunks' outputs and proves the statement's claims and
// disclosures about their sum. It returns the chain of proofs and the totals.
func ProveFleet(keys Keys, place verify.FleetPlace, s *statement.Statement, outputs []*Opened, progress func(done, total int)) ([]*verify.FleetProof, *verify.FleetStatement, error) {
	key, err := keys.Fleet()
	if err != nil {
		return nil, nil, err
	}
	steps := verify.FleetSteps(len(outputs))
	var proofs []*verify.FleetProof
	var last *Opened
	for i, take := range steps {
		place.Step, place.Last = i, i == len(steps)-1
		fs := verify.FleetStatement{Binding: verify.FleetBinding(&place), Folded: i > 0}
		if place.Last {
			if fs.Claims, err = s.Integers(); err != nil {
				return nil, nil, err
			}
			if fs.Disclose, err = s.Disclosed(); err != nil {
				return nil, nil, err
			}
		}
		inputs := outputs[:take]
		outputs = outputs[take:]
		if i > 0 {
			inputs = append([]*Opened{last}, inputs...)
		}
		w, opened, err := newFleetWitness(fs, inputs)
		if err != nil {
			return nil, nil, err
		}
		proof, err := w.prove(key)
		if err != nil {
			return nil, nil, fmt.Errorf("fleet proof %d: %w", i, err)
		}
		proofs, last = append(proofs, proof), opened
		if progress != nil {
			progress(i+1, len(steps))
		}
		if place.Last {
			return proofs, &w.statement, nil
		}
	}
	panic("a chain has at least one step")
}
