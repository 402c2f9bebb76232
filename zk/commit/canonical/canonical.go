// Package canonical writes CBOR in the core deterministic encoding of RFC 8949 and reads exactly that, within bounds: every value has one spelling, so no byte of what
// is hashed or signed can be changed unseen.
//
// Lists have definite lengths, nil ones are written as empty, text is UTF-8, and there are no tags. What is read may have as many bytes as the caller
// says, lists as long and as deeply nested as the [Encoding] says, and is written again for comparison. The package knows nothing of what values mean.
package canonical

import (
	"bytes"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// maxPairs bounds maps. It is the least that the library takes: Assay's formats are arrays.
const maxPairs = 16

// Encoding is canonical CBOR with bounds.
type Encoding struct {
	writing cbor.EncMode
	reading cbor.DecMode
}

// New reads lists of at most elements elements, nested at most depth deep. Elements must be 16 or more and depth 4 or more.
func New(elements, depth int) *Encoding {
	options := cbor.CoreDetEncOptions()
	options.NilContainers = cbor.NilContainerAsEmpty // so that null is no second spelling of nothing
	writing, err := options.EncMode()
	if err != nil {
		panic(err)
	}
	reading, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:  depth,
		MaxArrayElements: elements,
		MaxMapPairs:      maxPairs,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		UTF8:             cbor.UTF8RejectInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return &Encoding{writing, reading}
}

// Marshal encodes a value of a type that always can be.
func (e *Encoding) Marshal(v any) []byte {
	b, err := e.writing.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encoding %T: %v", v, err))
	}
	return b
}

// Unmarshal reads at most limit bytes into what v points to, which must be zero, and accepts exactly what Marshal writes. Errors call it what.
func (e *Encoding) Unmarshal(what string, b []byte, limit int, v any) error {
	if len(b) > limit {
		return fmt.Errorf("%s has %d bytes, at most %d", what, len(b), limit)
	}
	if err := e.reading.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if again, err := e.writing.Marshal(v); err != nil || !bytes.Equal(again, b) {
		return fmt.Errorf("%s is not in its canonical encoding", what)
	}
	return nil
}
