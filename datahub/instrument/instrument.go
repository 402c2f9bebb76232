// Package instrument registers what a node's parts measure.
//
// A part may be made again in one process, over the same registry: in tests, and where a command opens a part beside a node. It goes on with the collectors that are there then.
package instrument

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Registered returns the collector that is registered under this name, which may be an earlier one. Without a registry it is the given one, which counts for nobody.
func Registered[C prometheus.Collector](r prometheus.Registerer, c C) C {
	if r == nil {
		return c
	}
	var already prometheus.AlreadyRegisteredError
	if err := r.Register(c); errors.As(err, &already) {
		if existing, ok := already.ExistingCollector.(C); ok {
			return existing
		}
	}
	return c
}
