// Package examples holds configurations that work as they are, and whose comments are the manual.
package examples

import _ "embed"

// Owner is the configuration of an owner's node.
//
//go:embed owner.yaml
var Owner []byte
