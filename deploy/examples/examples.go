// Package examples holds configurations that work as they are, and whose comments are the manual.
package examples

import _ "embed"

// Owner is the configuration of an owner's node, with every field.
//
//go:embed owner.yaml
var Owner []byte

// Lender is that of a lender's.
//
//go:embed lender.yaml
var Lender []byte

// Regulator is that of a regulator's.
//
//go:embed regulator.yaml
var Regulator []byte
