package frame

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

const (
	// MaxDown bounds a message to a device before it is sealed.
	MaxDown = 8 << 10
	// MaxRefusals bounds the refusals that one Ack reports, MaxReason the bytes of a reason.
	MaxRefusals = 64
	MaxReason   = 64
)

// Message is what a node says to a device after the offer: *Ack or *Attest. It travels sealed, with Seal.
type Message interface{ body() (kind uint8, wire any) }

const (
	kindAck    = 1
	kindAttest = 2
)

// Ack says that the node has stored every frame up to Through.
type Ack struct {
	Through uint64
	// Refused are frames among them that were put aside, with the reason.
	Refused []Refusal
}

// Refusal is a frame whose sequence is used up, and whose content the node did not take.
type Refusal struct {
	Sequence uint64
	// Reason is a code of printable ASCII such as "clock".
	Reason string
}

// Attest asks for the record of an epoch that has ended, and the device's attestation to it.
type Attest struct {
	Epoch uint64
	// Proposal is what the node derived from the device's readings; nil if it derived none.
	Proposal *record.Record
	// Formulas names the version of the formulas that it was derived by.
	Formulas string
}

type wireDown struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Kind    uint8
	Body    cbor.RawMessage
}

type wireAck struct {
	_       struct{} `cbor:",toarray"`
	Through uint64
	Refused []wireRefusal
}

type wireRefusal struct {
	_        struct{} `cbor:",toarray"`
	Sequence uint64
	Reason   string
}

type wireAttest struct {
	_        struct{} `cbor:",toarray"`
	Epoch    uint64
	Proposal []uint32 // empty for none
	Formulas string
}

func (a *Ack) body() (uint8, any) {
	w := wireAck{Through: a.Through, Refused: make([]wireRefusal, len(a.Refused))}
	for i, r := range a.Refused {
		w.Refused[i] = wireRefusal{Sequence: r.Sequence, Reason: r.Reason}
	}
	return kindAck, w
}

func (a *Attest) body() (uint8, any) {
	w := wireAttest{Epoch: a.Epoch, Formulas: a.Formulas}
	if a.Proposal != nil {
		w.Proposal = a.Proposal[:]
	}
	return kindAttest, w
}

// MarshalDown encodes a message to a device. It refuses what ParseDown would.
func MarshalDown(m Message) ([]byte, error) {
	kind, wire := m.body()
	b := encode(wireDown{Version: version, Kind: kind, Body: encode(wire)})
	if _, err := ParseDown(b); err != nil {
		return nil, fmt.Errorf("encoding for a device: %w", err)
	}
	return b, nil
}

// ParseDown decodes at most MaxDown bytes. It accepts exactly what MarshalDown writes.
func ParseDown(b []byte) (Message, error) {
	var w wireDown
	if err := decode("message to a device", b, MaxDown, &w); err != nil {
		return nil, err
	}
	if err := checkVersion("message to a device", w.Version); err != nil {
		return nil, err
	}
	switch w.Kind {
	case kindAck:
		return parseAck(w.Body)
	case kindAttest:
		return parseAttest(w.Body)
	}
	return nil, fmt.Errorf("message to a device: kind %d is not known", w.Kind)
}

func parseAck(b []byte) (*Ack, error) {
	var w wireAck
	if err := decode("acknowledgement", b, MaxDown, &w); err != nil {
		return nil, err
	}
	if w.Through > MaxSequence || len(w.Refused) > MaxRefusals {
		return nil, fmt.Errorf("acknowledgement: through %d with %d refusals, at most %d and %d", w.Through, len(w.Refused), uint64(MaxSequence), MaxRefusals)
	}
	a := &Ack{Through: w.Through}
	for _, r := range w.Refused {
		if r.Sequence == 0 || r.Sequence > w.Through {
			return nil, fmt.Errorf("acknowledgement: refusal of %d is not among 1 to %d", r.Sequence, w.Through)
		}
		if err := commit.CheckName(r.Reason); err != nil { // printable ASCII of at most 64 bytes
			return nil, fmt.Errorf("acknowledgement: reason: %w", err)
		}
		a.Refused = append(a.Refused, Refusal{r.Sequence, r.Reason})
	}
	return a, nil
}

func parseAttest(b []byte) (*Attest, error) {
	var w wireAttest
	if err := decode("request to attest", b, MaxDown, &w); err != nil {
		return nil, err
	}
	if w.Formulas != "" {
		if err := commit.CheckName(w.Formulas); err != nil {
			return nil, fmt.Errorf("request to attest: formulas: %w", err)
		}
	}
	a := &Attest{Epoch: w.Epoch, Formulas: w.Formulas}
	if len(w.Proposal) == 0 {
		return a, nil
	}
	if w.Formulas == "" {
		return nil, errors.New("request to attest: a proposal without its formulas")
	}
	rec, err := parseRecord(w.Proposal)
	if err != nil {
		return nil, fmt.Errorf("request to attest: %w", err)
	}
	a.Proposal = &rec
	return a, nil
}
