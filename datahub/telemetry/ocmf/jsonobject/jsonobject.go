// Package jsonobject reads one level of a JSON value at a time and keeps what encoding/json's maps and structs lose: the order of
// members, members that are there twice, the exact letters of a name, and numbers as the text they were written with. Nothing is
// recursive, so depth costs nothing; a caller bounds the length of the text, and the number of members or elements by max.
package jsonobject

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Kind says what a value is.
type Kind byte

// The kinds, by the byte that a value begins with.
const (
	Object Kind = '{'
	Array  Kind = '['
	String Kind = '"'
	Number Kind = '0'
	Bool   Kind = 't'
	Null   Kind = 'n'
)

// Length is how many bytes the JSON value takes that text begins with, white space before it included.
func Length(text []byte) (int, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	var v json.RawMessage
	if err := d.Decode(&v); err != nil {
		return 0, errors.New("not JSON")
	}
	return int(d.InputOffset()), nil
}

// KindOf is the kind of a value that Members or Elements returned.
func KindOf(v json.RawMessage) Kind {
	v = bytes.TrimLeft(v, " \t\r\n")
	if len(v) == 0 {
		return Null
	}
	switch c := v[0]; {
	case c == '-' || c >= '0' && c <= '9':
		return Number
	case c == 'f':
		return Bool
	default:
		return Kind(c)
	}
}

// Members are the members of an object, in order, at most max. A name may be there more than once.
func Members(text []byte, max int) ([]Member, error) {
	var members []Member
	err := each(text, '{', max, func(d *json.Decoder) error {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := Member{Name: name.(string)}
		members = append(members, m)
		return d.Decode(&members[len(members)-1].Value)
	})
	return members, err
}

// Elements are the elements of an array, at most max.
func Elements(text []byte, max int) ([]json.RawMessage, error) {
	var elements []json.RawMessage
	err := each(text, '[', max, func(d *json.Decoder) error {
		elements = append(elements, nil)
		return d.Decode(&elements[len(elements)-1])
	})
	return elements, err
}

func each(text []byte, open json.Delim, max int, read func(*json.Decoder) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != open {
		return fmt.Errorf("not a JSON value that begins with %s", open)
	}
	for n := 0; d.More(); n++ {
		if n == max {
			return fmt.Errorf("more than %d entries", max)
		}
		if err := read(d); err != nil {
			return errors.New("not JSON")
		}
	}
	if _, err := d.Token(); err != nil {
		return errors.New("not JSON")
	}
	if d.InputOffset() != int64(len(bytes.TrimRight(text, " \t\r\n"))) {
		return errors.New("bytes after the JSON value")
	}
	return nil
}

// Text is a string's value, or the literal of a number or of a truth value; false for null, an object or an array.
func Text(v json.RawMessage) (string, bool) {
	switch KindOf(v) {
	case String:
		var s string
		err := json.Unmarshal(v, &s)
		return s, err == nil
	case Number, Bool:
		return string(bytes.TrimSpace(v)), true
	}
	return "", false
}
