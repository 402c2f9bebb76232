package ocpp

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/assay-net/assay/datahub/telemetry/ocmf"
	"github.com/assay-net/assay/datahub/telemetry/ocmf/jsonobject"
)

// maxFields bounds the fields of one object; the schema's largest has 12.
const maxFields = 32

// object is a JSON object whose fields are taken one by one, as the schema has them. The first thing that is wrong is kept in *err,
// and what is left when all fields are taken is too much.
type object struct {
	path   string
	fields map[string]json.RawMessage
	err    *error
}

func newObject(path string, text json.RawMessage, err *error) *object {
	o := &object{path: path, fields: map[string]json.RawMessage{}, err: err}
	members, e := jsonobject.Members(text, maxFields)
	if e != nil {
		o.fail("", e.Error())
	}
	for _, m := range members {
		if _, twice := o.fields[m.Name]; twice {
			o.fail("", "has a field twice")
		}
		o.fields[m.Name] = m.Value
	}
	return o
}

func (o *object) fail(field, what string) {
	if *o.err != nil {
		return
	}
	path := o.path
	if path != "" && field != "" {
		path += "."
	}
	if path += field; path == "" {
		path = "request"
	}
	*o.err = fmt.Errorf("%s: %s", path, what)
}

// take takes a field out. It must be of this kind if it is there, and there if it is required.
func (o *object) take(field string, kind jsonobject.Kind, required bool) (json.RawMessage, bool) {
	v, there := o.fields[field]
	delete(o.fields, field)
	if !there {
		if required {
			o.fail(field, "missing")
		}
		return nil, false
	}
	if jsonobject.KindOf(v) != kind {
		o.fail(field, "of the wrong JSON type")
		return nil, false
	}
	return v, true
}

// text is a string of at most max characters.
func (o *object) text(field string, required bool, max int) string {
	v, there := o.take(field, jsonobject.String, required)
	if !there {
		return ""
	}
	s, _ := jsonobject.Text(v)
	if utf8.RuneCountInString(s) > max {
		o.fail(field, fmt.Sprintf("longer than %d characters", max))
	}
	return s
}

// one is one of the allowed words.
func (o *object) one(field string, required bool, allowed []string) string {
	v, there := o.take(field, jsonobject.String, required)
	if !there {
		return ""
	}
	s, _ := jsonobject.Text(v)
	if !slices.Contains(allowed, s) {
		o.fail(field, "not a value of OCPP 2.0.1")
	}
	return s
}

func (o *object) decimal(field string, required bool) ocmf.Decimal {
	v, there := o.take(field, jsonobject.Number, required)
	if !there {
		return ocmf.Decimal{}
	}
	s, _ := jsonobject.Text(v)
	d, err := ocmf.ParseDecimal(s)
	if err != nil {
		o.fail(field, err.Error())
	}
	return d
}

// integer is a whole number, which JSON may also write as 3.0 or 3e0.
func (o *object) integer(field string, required bool) (int64, bool) {
	d := o.decimal(field, required)
	if !d.Known() {
		return 0, false
	}
	n, err := d.Exact(0)
	if err != nil {
		o.fail(field, "not an integer, or too large")
	}
	return n, true
}

func (o *object) natural(field string, required bool) (int64, bool) {
	n, there := o.integer(field, required)
	if n < 0 {
		o.fail(field, "negative")
	}
	return n, there
}

func (o *object) boolean(field string) bool {
	v, there := o.take(field, jsonobject.Bool, false)
	return there && v[0] == 't'
}

var timeText = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$`)

func (o *object) time(field string) time.Time {
	s := o.text(field, true, 40)
	if s == "" || !timeText.MatchString(s) {
		o.fail(field, "not a date-time of RFC 3339")
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		o.fail(field, "not a date-time of RFC 3339")
	}
	return t
}

func (o *object) child(field string, required bool) (*object, bool) {
	v, there := o.take(field, jsonobject.Object, required)
	if !there {
		return nil, false
	}
	return newObject(o.at(field), v, o.err), true
}

// list is an array of 1 to max elements.
func (o *object) list(field string, required bool, max int) []json.RawMessage {
	v, there := o.take(field, jsonobject.Array, required)
	if !there {
		return nil
	}
	elements, err := jsonobject.Elements(v, max)
	if err == nil && len(elements) == 0 {
		err = errors.New("empty")
	}
	if err != nil {
		o.fail(field, err.Error())
	}
	return elements
}

func (o *object) at(field string) string {
	if o.path == "" {
		return field
	}
	return o.path + "." + field
}

// done says that all fields of the schema are taken. customData may be in every object, and anything in customData.
func (o *object) done() {
	if v, there := o.take("customData", jsonobject.Object, false); there {
		custom := newObject(o.at("customData"), v, o.err)
		custom.text("vendorId", true, 255)
	}
	for name := range o.fields {
		o.fail("", fmt.Sprintf("field %.32q is not in the schema", name))
	}
}
