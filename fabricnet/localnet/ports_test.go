package localnet

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assay-net/assay/fabricnet/loopback"
)

// TestTakenPort names process, port and purpose.
func TestTakenPort(t *testing.T) {
	ports, err := loopback.Ports(2)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address(ports[1]))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = awaitFree(t.Context(), time.Millisecond, "peer.swapco", []listener{{"listening port", ports[0]}, {"operations port", ports[1]}})
	if err == nil {
		t.Fatal("a taken port passed")
	}
	for _, want := range []string{"peer.swapco", "operations port", strconv.Itoa(ports[1])} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
	if err := awaitFree(t.Context(), time.Millisecond, "peer.swapco", []listener{{"listening port", ports[0]}}); err != nil {
		t.Errorf("a free port: %v", err)
	}
}
