package main

import (
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/cmd/internal/cli"
)

// listing prints a list from a node: a table at its end, or each entry at once as a line of JSON.
type listing struct {
	*cli.Printer
	kind   string
	header []string
	rows   [][]string
}

func (l *listing) add(m proto.Message, cells ...string) error {
	if l.JSON {
		return printMessage(l.Printer, l.kind, m)
	}
	l.rows = append(l.rows, cells)
	return nil
}

func (l *listing) end(none string) error {
	switch {
	case l.JSON:
		return nil
	case len(l.rows) == 0:
		l.Note("%s", none)
		return nil
	}
	return l.Table(l.header, l.rows)
}
