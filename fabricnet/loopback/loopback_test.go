package loopback

import (
	"net"
	"testing"
)

func TestPorts(t *testing.T) {
	ports, err := Ports(40)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if p < First || p > Last || seen[p] {
			t.Errorf("port %d is out of range or chosen twice", p)
		}
		seen[p] = true
	}
	if len(ports) != 40 {
		t.Errorf("got %d ports", len(ports))
	}
}

func TestTakenPortIsNotFree(t *testing.T) {
	address, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if Free(port) {
		t.Error("a port that somebody listens on is free")
	}
	if l.Close(); !Free(port) {
		t.Error("a port that nobody listens on is taken")
	}
}
