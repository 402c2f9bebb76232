package localnet

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

// leads matches the metric of an orderer that leads its channel.
var leads = map[Consensus]*regexp.Regexp{
	Raft: regexp.MustCompile(`(?m)^consensus_etcdraft_is_leader\{[^}]*\} 1$`),
	BFT:  regexp.MustCompile(`(?m)^consensus_BFT_is_leader\{[^}]*\} 1$`),
}

// Leader names the orderer that leads, if one does.
func (n *Network) Leader(ctx context.Context) (string, error) {
	var failures []error
	for _, o := range n.state.Orderers {
		metrics, err := get(ctx, o.OperationsPort, "/metrics")
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", o.Name, err))
			continue
		}
		if leads[n.state.Consensus].Match(metrics) {
			return o.Name, nil
		}
	}
	return "", errors.Join(append(failures, errors.New("no orderer leads"))...)
}

// awaitLeader polls until the orderers have a leader: until then they take no transaction.
func (c *consortium) awaitLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	for {
		_, err := c.Leader(ctx)
		if err == nil {
			return nil
		}
		if pause(ctx) != nil {
			return fmt.Errorf("waiting for a leader of the orderers: %w", err)
		}
	}
}
