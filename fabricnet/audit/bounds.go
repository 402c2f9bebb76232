package audit

import (
	"fmt"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Bounds of what is decoded. Fabric's own are lower or absent.
const (
	// MaxBlock bounds an encoded block.
	MaxBlock = 128 << 20

	maxTransactions = 1 << 16
	maxMetadata     = 16
	maxSignatures   = 1 << 10
	maxDegree       = 1 << 18
	// maxElements bounds the fields of one message with all that is in it, maxNesting how deep they are.
	maxElements = 1 << 21
	maxNesting  = 100
	// maxWalked bounds the keys that are walked for the hashed range queries of one block: such a query is short however much it covers.
	maxWalked = 1 << 24
)

// limits says how often fields of a message may come; others are not counted.
type limits map[protowire.Number]int

// decode parses a message once what it repeats is counted: an empty element takes two bytes in a message and a hundred times that in memory.
func decode(what string, b []byte, m proto.Message, max limits) error {
	if err := count(b, max); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	left := maxElements
	return decodeWithin(what, b, m, &left)
}

// decodeWithin parses a message whose fields are counted against a bound that it shares with others.
func decodeWithin(what string, b []byte, m proto.Message, left *int) error {
	if !countAll(b, m.ProtoReflect().Descriptor(), left, 0) {
		return fmt.Errorf("%s: malformed, or has more than %d fields", what, maxElements)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		return fmt.Errorf("%s: not a protobuf message of its type", what)
	}
	return nil
}

// countAll counts the fields of a message and of the messages in it.
func countAll(b []byte, of protoreflect.MessageDescriptor, left *int, depth int) bool {
	if depth > maxNesting {
		return false
	}
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if *left--; n < 0 || *left < 0 {
			return false
		}
		size := protowire.ConsumeFieldValue(field, kind, b[n:])
		if size < 0 {
			return false
		}
		if f := of.Fields().ByNumber(field); f != nil && f.Message() != nil && kind == protowire.BytesType {
			value, m := protowire.ConsumeBytes(b[n:])
			if m < 0 || !countAll(value, f.Message(), left, depth+1) {
				return false
			}
		}
		b = b[n+size:]
	}
	return true
}

func count(b []byte, max limits) error {
	if len(b) > MaxBlock {
		return fmt.Errorf("has %d bytes, at most %d", len(b), MaxBlock)
	}
	if len(max) == 0 {
		return nil
	}
	seen := make(limits, len(max))
	for len(b) > 0 {
		field, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("cut short or malformed")
		}
		size := protowire.ConsumeFieldValue(field, kind, b[n:])
		if size < 0 {
			return fmt.Errorf("field %d is cut short or malformed", field)
		}
		if bound, ok := max[field]; ok {
			if seen[field]++; seen[field] > bound {
				return fmt.Errorf("field %d comes more than %d times", field, bound)
			}
		}
		b = b[n+size:]
	}
	return nil
}

// fields runs over the contents of a length-delimited field, up to where the message is malformed.
func fields(b []byte, want protowire.Number) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) > 0 {
			field, kind, n := protowire.ConsumeTag(b)
			if n < 0 {
				return
			}
			size := protowire.ConsumeFieldValue(field, kind, b[n:])
			if size < 0 {
				return
			}
			if field == want && kind == protowire.BytesType {
				if value, m := protowire.ConsumeBytes(b[n:]); m < 0 || !yield(value) {
					return
				}
			}
			b = b[n+size:]
		}
	}
}

// wellFormed reports whether bytes are fields to their end.
func wellFormed(b []byte) bool {
	for len(b) > 0 {
		_, _, n := protowire.ConsumeField(b)
		if n < 0 {
			return false
		}
		b = b[n:]
	}
	return true
}

// inner is the content of a length-delimited field, the last one if there are several, as protobuf takes those that are no messages; nil if there is none.
func inner(b []byte, want protowire.Number) []byte {
	var found []byte
	for value := range fields(b, want) {
		found = value
	}
	return found
}
