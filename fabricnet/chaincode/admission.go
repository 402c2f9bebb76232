package chaincode

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"golang.org/x/sync/semaphore"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	// maxWeight is what all calls that run may weigh together: one for each, and one for each MiB of input, which takes several times its size to decode.
	maxWeight = 64
	// maxWait is how long a call waits for its turn: less than a peer waits for the service.
	maxWait = 20 * time.Second
)

// laborious calls take a processor for long: signatures of a chunk, pairings, certificates.
var laborious = map[string]bool{
	ledger.FnAnchor: true, ledger.FnSubmitProof: true, ledger.FnEnrol: true, ledger.FnPublishKey: true,
}

// admission bounds what calls take of the machine, and lets no organisation have more than half of it: one that floods the service with calls keeps the
// others from nothing.
type admission struct {
	all, labour *semaphore.Weighted
	each        map[string]*semaphore.Weighted
}

func newAdmission(g *ledger.Genesis) *admission {
	a := &admission{
		all: semaphore.NewWeighted(maxWeight), labour: semaphore.NewWeighted(int64(2 * runtime.GOMAXPROCS(0))), each: map[string]*semaphore.Weighted{},
	}
	for i := range g.Organisations {
		a.each[g.Organisations[i].ID] = semaphore.NewWeighted(maxWeight / 2)
	}
	return a
}

// enter waits for a call's turn. The caller calls leave when the call has run.
func (a *admission) enter(org string, stub shim.ChaincodeStubInterface) (leave func(), err error) {
	weight, function, err := weigh(stub)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxWait)
	defer cancel()
	var entered []func()
	leave = func() {
		for _, out := range entered {
			out()
		}
	}
	take := func(s *semaphore.Weighted, n int64) {
		if err == nil {
			if err = s.Acquire(ctx, n); err == nil {
				entered = append(entered, func() { s.Release(n) })
			}
		}
	}
	take(a.each[org], weight)
	if laborious[function] {
		take(a.labour, 1)
	}
	take(a.all, weight)
	if err != nil {
		leave()
		return nil, fmt.Errorf("the contract's service is busy: the call waited %s for its turn", maxWait)
	}
	return leave, nil
}

func weigh(stub shim.ChaincodeStubInterface) (weight int64, function string, err error) {
	args := stub.GetArgs()
	size := 0
	for _, a := range args {
		size += len(a)
	}
	transient, err := stub.GetTransient()
	if err != nil {
		return 0, "", fmt.Errorf("reading transient input: %w", err)
	}
	for _, b := range transient {
		size += len(b)
	}
	if len(args) > 0 {
		function = string(args[0])
	}
	return min(1+int64(size>>20), maxWeight/2), function, nil
}
