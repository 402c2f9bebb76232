package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/statement"
)

// readDraft reads a statement in any layout, of which the node that asks fills in what is missing: requester, nonce and expiry.
func readDraft(p *cli.Printer, path string) (*statement.Statement, error) {
	b, err := readInput(p, path, statement.MaxBytes)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	s := new(statement.Statement)
	if err := d.Decode(s); err != nil {
		return nil, cli.No("%s: statement: %w", path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, cli.No("%s: statement: trailing data", path)
	}
	return s, nil
}

// draftLifetime is how long a request lives that does not say.
const draftLifetime = 24 * time.Hour

// complete fills a draft in as a node would, and checks the whole.
func complete(s *statement.Statement, requester string, now time.Time) error {
	if s.Version == "" {
		s.Version = statement.Version
	}
	if s.Requester == "" {
		s.Requester = requester
	}
	if s.Nonce == "" {
		var n [statement.NonceBytes]byte
		rand.Read(n[:]) //nolint:errcheck // never fails
		s.Nonce = hex.EncodeToString(n[:])
	}
	if s.Expiry.IsZero() {
		s.Expiry = now.Add(draftLifetime).Truncate(time.Second)
	}
	s.Expiry = s.Expiry.UTC()
	return s.Check()
}
