package ledgertest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// atOnce is how many checks run at the same time. More would keep a small machine's proposals waiting for longer than the clocks' skew.
const atOnce = 8

// check is one thing that must hold. It does not depend on the others that it is run beside.
type check struct {
	name string
	run  func() error
}

// checks collects some.
type checks []check

func (c *checks) add(name string, run func() error) { *c = append(*c, check{name: name, run: run}) }

// run makes all checks and returns the failures, in their order.
func (c checks) run() []error {
	errs := make([]error, len(c))
	var wait sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for i := range c {
		free <- struct{}{}
		wait.Go(func() {
			defer func() { <-free }()
			if err := c[i].run(); err != nil {
				errs[i] = fmt.Errorf("%s: %w", c[i].name, err)
			}
		})
	}
	wait.Wait()
	var failures []error
	for _, err := range errs {
		if err != nil {
			failures = append(failures, err)
		}
	}
	return failures
}

// must makes all checks and reports the failures.
func (c checks) must(t *testing.T) {
	t.Helper()
	report(t, c.run())
}

func report(t *testing.T, failures []error) {
	t.Helper()
	for _, err := range failures {
		t.Error(err)
	}
}

// call is what somebody submits.
type call struct {
	by string
	// endorsers are asked, or whom the implementation chooses.
	endorsers []string
	function  string
	// args are encoded unless they are bytes.
	args      any
	transient map[string][]byte
}

func (c call) String() string { return fmt.Sprintf("%s by %s", c.function, c.by) }

// with adds a chunk's attestations.
func (c call) with(attestations [][]byte) call {
	c.transient = map[string][]byte{ledger.TransientAttestations: ledger.JoinAttestations(attestations)}
	return c
}

func (s *suite) submit(c call) (ledger.Receipt, error) {
	return s.client(c.by, c.endorsers).Submit(s.ctx, ledger.Call{Function: c.function, Args: encoded(c.args), Transient: c.transient})
}

func encoded(args any) []byte {
	if b, ok := args.([]byte); ok {
		return b
	}
	return ledger.Encode(args)
}

// refused fails unless the call is refused with the code.
func (s *suite) refused(code ledger.Code, c call) error {
	return wrongCode(code, c.String(), second(s.submit(c)))
}

// queryRefused fails unless the query is refused with the code.
func (s *suite) queryRefused(code ledger.Code, by, function string, args any) error {
	return wrongCode(code, fmt.Sprintf("%s by %s", function, by), second(s.client(by, nil).Evaluate(s.ctx, function, encoded(args))))
}

func second[T any](_ T, err error) error { return err }

// wrongCode is nil for an error of the code. Otherwise it wraps the error, so that a code that was not wanted can be told.
func wrongCode(code ledger.Code, what string, err error) error {
	switch {
	case err == nil:
		return fmt.Errorf("%s: is taken, must be refused as %s", what, code)
	case ledger.CodeOf(err) != code:
		return fmt.Errorf("%s: must be refused as %s: %w", what, code, err)
	}
	return nil
}

// done is submit for calls of which nothing but success matters.
func (s *suite) done(c call) error {
	if _, err := s.submit(c); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

// mustSubmit ends the scene if the call is refused.
func (s *suite) mustSubmit(t *testing.T, c call) ledger.Receipt {
	t.Helper()
	r, err := s.submit(c)
	if err != nil {
		t.Fatalf("%s: %v", c, err)
	}
	return r
}

// must ends the scene on an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// result decodes a receipt's result.
func result[T any](t *testing.T, r ledger.Receipt) T {
	t.Helper()
	v, err := ledger.Decode[T]("result", r.Result, ledger.MaxRecord)
	if err != nil {
		t.Fatal(err)
	}
	return *v
}
