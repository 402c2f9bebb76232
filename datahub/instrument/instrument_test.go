package instrument

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestRegistered(t *testing.T) {
	counter := func() prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "assay_things_total", Help: "Things."})
	}
	r := prometheus.NewRegistry()
	first := Registered(r, counter())
	if second := Registered(r, counter()); second != first {
		t.Error("what is registered a second time is another collector")
	}
	if own := counter(); Registered(nil, own) != own {
		t.Error("without a registry it is another collector")
	}
}
