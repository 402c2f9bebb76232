package localnet

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// maxMetrics bounds what is read of a metrics page.
const maxMetrics = 8 << 20

var operations = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// serves asks a peer or an orderer at its operations port, which is open early, and connects to those that it serves on.
func serves(operationsPort int, ports ...int) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := get(ctx, operationsPort, "/healthz"); err != nil {
			return err
		}
		for _, p := range ports {
			if err := listens(p)(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

func get(ctx context.Context, port int, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address(port)+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := operations.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // read to its bound
	b, err := io.ReadAll(io.LimitReader(response.Body, maxMetrics))
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", path, response.Status)
	}
	return b, nil
}

// listens connects to a port.
func listens(port int) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", address(port))
		if err != nil {
			return err
		}
		return c.Close()
	}
}
