package transcript

import "fmt"

// Fault names what is wrong with a file of a ceremony. The names are part of the interface: a program may branch on them.
type Fault string

// What a ceremony's files are refused for.
const (
	Truncated        Fault = "truncated"   // the file ends before what its header promises
	Length           Fault = "length"      // a length or a count is another than it must be; nothing was allocated for it
	Encoding         Fault = "encoding"    // not the one encoding of what it says
	Damaged          Fault = "damaged"     // the body is not the one that was signed
	OtherCeremony    Fault = "elsewhere"   // made for another ceremony
	OtherPart        Fault = "circuit"     // made for another circuit, or another part of the ceremony
	Order            Fault = "order"       // does not follow the contribution before it
	Late             Fault = "late"        // comes after the part was closed, or is missing in what was closed
	WrongContributor Fault = "contributor" // by somebody who is not listed, or who has contributed already
	Signature        Fault = "signature"   // not signed by the contributor
	Copy             Fault = "copy"        // repeats an earlier contribution
	Idle             Fault = "idle"        // changes nothing
	Infinity         Fault = "infinity"    // a point is at infinity that must not be
	Point            Fault = "point"       // a point is not on its curve, or not in the subgroup
	Binding          Fault = "binding"     // its proofs are for another place, contributor or ceremony
	Knowledge        Fault = "knowledge"   // no proof that the contributor knew the contribution
	Update           Fault = "update"      // not an update of what was there by what the contributor knew
	TooFew           Fault = "too-few"     // fewer contributions than the plan demands
	BeaconUnfit      Fault = "beacon"      // a closing value that is unfit
	Key              Fault = "key"         // a finished key does not come from the transcript
	Compiled         Fault = "compiled"    // the plan is about other circuits than this program's
	StartUnfit       Fault = "start"       // what was kept for a circuit to begin with is not the circuit's
)

// Refusal is the error for a file that was read and is not right.
type Refusal struct {
	Fault Fault
	// Where is the file or the part of the ceremony.
	Where string
	Err   error
}

// Error names place and fault.
func (r *Refusal) Error() string {
	if r.Where == "" {
		return fmt.Sprintf("refused (%s): %v", r.Fault, r.Err)
	}
	return fmt.Sprintf("%s: refused (%s): %v", r.Where, r.Fault, r.Err)
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// Errorf refuses without a place, which who knows the file adds with [At].
func (f Fault) Errorf(format string, args ...any) error {
	return &Refusal{Fault: f, Err: fmt.Errorf(format, args...)}
}

// At adds the place to a refusal that has none, or wraps another error.
func At(where string, err error) error {
	if err == nil {
		return nil
	}
	if r, ok := err.(*Refusal); ok && r.Where == "" {
		return &Refusal{r.Fault, where, r.Err}
	}
	return fmt.Errorf("%s: %w", where, err)
}
