package gateway

import (
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxParameters bounds how many there are.
const maxParameters = 32

// checkQuery accepts parameters that are fields of the call, by the field's own name and each once unless it is a list, and that stand neither in the path nor in
// the body. The generated code overlooks those it does not know, and all of them where a call has none.
func (b *binding) checkQuery(query string, path map[string]string) error {
	if query == "" {
		return nil
	}
	given, err := url.ParseQuery(query)
	if err != nil {
		return invalid("parameters: not of the form name=value&…")
	}
	if len(given) > maxParameters {
		return invalid("parameters: %d, at most %d", len(given), maxParameters)
	}
	for name, values := range given {
		if slices.ContainsFunc(values, func(v string) bool { return !utf8.ValidString(v) }) {
			return invalid("parameter %q: not UTF-8", name)
		}
		names := strings.Split(name, ".")
		field := fieldAt(b.input, names)
		_, inPath := path[names[0]]
		switch {
		case field == nil:
			return invalid("parameter %q: not known", name)
		case inPath || b.body == "*" || b.body == names[0]:
			return invalid("parameter %q: stands in the path or the body", name)
		case len(values) > 1 && !field.IsList():
			return invalid("parameter %q: given %d times, at most once", name, len(values))
		}
	}
	return nil
}

// fieldAt is the field at a path of names; none within a list or a map.
func fieldAt(m protoreflect.MessageDescriptor, path []string) protoreflect.FieldDescriptor {
	for i, name := range path {
		field := m.Fields().ByName(protoreflect.Name(name))
		if field == nil || field.IsMap() {
			return nil
		}
		if i == len(path)-1 {
			return field
		}
		if m = field.Message(); m == nil || field.IsList() {
			return nil
		}
	}
	return nil
}
