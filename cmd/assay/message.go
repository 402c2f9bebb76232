package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/commit"
)

// printMessage prints a message of the interface as a line of JSON, with the fields that REST has and a kind before them. A message that has a kind of its own has it as "KIND_kind".
func printMessage(p *cli.Printer, kind string, m proto.Message) error {
	object, err := messageJSON(kind, m)
	if err != nil {
		return err
	}
	return p.Object(object)
}

func messageJSON(kind string, m proto.Message) (json.RawMessage, error) {
	b, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("printing JSON: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("printing JSON: %w", err)
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `{"kind":%q`, kind)
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return nil, fmt.Errorf("printing JSON: %w", err)
		}
		if name == "kind" { // one name twice is none
			name = kind + "_kind"
		}
		fmt.Fprintf(&out, `,%q:%s`, name, value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// timeText is a time of the ledger for people.
func timeText(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().UTC().Format(time.RFC3339)
}

// fields writes lines of a name and a value.
func fields(b *strings.Builder) func(name, format string, args ...any) {
	return func(name, format string, args ...any) {
		fmt.Fprintf(b, "%-12s%s\n", name, fmt.Sprintf(format, args...))
	}
}

func short(d commit.Digest) string { return shortID(d.String()) }

// shortID is the beginning of a digest for a table.
func shortID(id string) string {
	const shown = 16
	if len(id) <= shown {
		return id
	}
	return id[:shown] + "…"
}
