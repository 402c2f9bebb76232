package zk

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	cs "github.com/consensys/gnark/constraint/bn254"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// dropping is an API that can leave assertions out. An assertion is named after
// the method that makes it, directly or through the library, with the number of
// its kind in that method: "checkRows 3", "claim boolean 17". A forgery that
// the whole circuit refuses and the circuit without one assertion accepts shows
// that this assertion is needed, and that the forgery tests nothing else.
type dropping struct {
	frontend.API
	drop []string // names, "claim boolean" for all of a kind, or whole methods
	made map[string]int
	all  []string
}

func (d *dropping) dropped(kind string) bool {
	method := assertingMethod()
	counted := method + kind
	name := fmt.Sprintf("%s %d", counted, d.made[counted])
	d.made[counted]++
	d.all = append(d.all, name)
	return slices.Contains(d.drop, name) || slices.Contains(d.drop, counted) || slices.Contains(d.drop, method)
}

// AssertIsEqual makes the assertion unless it is to be dropped.
func (d *dropping) AssertIsEqual(a, b frontend.Variable) {
	if !d.dropped("") {
		d.API.AssertIsEqual(a, b)
	}
}

// AssertIsBoolean makes the assertion unless it is to be dropped.
func (d *dropping) AssertIsBoolean(v frontend.Variable) {
	if !d.dropped(" boolean") {
		d.API.AssertIsBoolean(v)
	}
}

// assertingMethod is the innermost method of a circuit on the stack.
func assertingMethod() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		for _, owner := range []string{"assay/zk.(*chunkBuilder).", "assay/zk.(*fleetBuilder).", "assay/zk.(*FleetCircuit)."} {
			if _, method, ok := strings.Cut(frame.Function, owner); ok {
				return method
			}
		}
		if !more {
			return "unknown"
		}
	}
}

type partialChunk struct {
	ChunkCircuit
	api *dropping
}

func (c *partialChunk) Define(api frontend.API) error {
	c.api.API = api
	return c.ChunkCircuit.Define(c.api)
}

type partialFleet struct {
	FleetCircuit
	api *dropping
}

func (c *partialFleet) Define(api frontend.API) error {
	c.api.API = api
	return c.FleetCircuit.Define(c.api)
}

type partialSystem struct {
	*cs.R1CS
	assertions []string
}

var (
	partialLock    sync.Mutex
	partialSystems = map[string]partialSystem{}
)

// without compiles a circuit ("chunk", "large chunk" or "fleet") that lacks
// assertions, once for each set of them.
func without(t *testing.T, circuit string, drop ...string) partialSystem {
	t.Helper()
	partialLock.Lock()
	defer partialLock.Unlock()
	key := circuit + ":" + strings.Join(drop, ",")
	if s, ok := partialSystems[key]; ok {
		return s
	}
	api := &dropping{drop: drop, made: map[string]int{}}
	var c frontend.Circuit = &partialChunk{*NewChunkCircuit(forgedSlots), api}
	switch circuit {
	case "large chunk":
		c = &partialChunk{*NewChunkCircuit(largeSlots), api}
	case "fleet":
		c = &partialFleet{api: api}
	}
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder, c, frontend.IgnoreUnconstrainedInputs())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range drop {
		if !slices.ContainsFunc(api.all, func(name string) bool { return name == d || strings.HasPrefix(name, d+" ") }) {
			t.Fatalf("the %s circuit makes no assertion %q, only %q", circuit, d, api.all)
		}
	}
	s := partialSystem{ccs.(*cs.R1CS), api.all}
	partialSystems[key] = s
	return s
}
