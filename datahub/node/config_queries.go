package node

import (
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Queries says what part the node takes in queries on encrypted data.
type Queries struct {
	// TakePart is what keys and an interface decide if it is nil.
	TakePart *bool         `yaml:"take_part"`
	Patience time.Duration `yaml:"patience"`
	Longest  time.Duration `yaml:"longest"`
}

func (c *Config) checkQueries() error {
	q := &c.Queries
	switch {
	case q.Patience < time.Second || q.Patience > 24*time.Hour:
		return fmt.Errorf("queries.patience is %s, must be 1s to 24h", q.Patience)
	case q.Longest < time.Minute || q.Longest > ledger.MaxInputSeconds*time.Second:
		return fmt.Errorf("queries.longest is %s, must be 1m to %s", q.Longest, ledger.MaxInputSeconds*time.Second)
	case q.TakePart == nil || !*q.TakePart:
		return nil
	case c.API.GRPC == "":
		return errors.New("queries.take_part: other organisations' nodes cannot reach this one without api.grpc")
	case c.Keys.Driver == "":
		return errors.New("queries.take_part: what the node holds of a key needs a key store (keys)")
	}
	return nil
}

// takesPart reports whether the node takes part in queries.
func (c *Config) takesPart() bool {
	if c.Queries.TakePart != nil {
		return *c.Queries.TakePart
	}
	return c.API.GRPC != "" && c.Keys.Driver != ""
}
