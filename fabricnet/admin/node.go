package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	// maxPEM bounds a certificate or key file.
	maxPEM = 256 << 10
	// dialTimeout bounds the attempt to find out why a node cannot be reached.
	dialTimeout = 3 * time.Second
)

// Node is a peer or an orderer.
type Node struct {
	// Address is HOST:PORT.
	Address string
	// ServerName is the name in the node's TLS certificate, where it is not the host of Address.
	ServerName string
	// TLSRoots is the path of a PEM file with the CA certificates that the node's TLS certificate descends from.
	TLSRoots string
}

func (n Node) url() string { return "grpcs://" + n.Address }

func (n Node) options() object {
	o := object{"fail-fast": false, "keep-alive-time": "30s", "keep-alive-timeout": "20s", "keep-alive-permit": false}
	if n.ServerName != "" {
		o["ssl-target-name-override"] = n.ServerName
	}
	return o
}

// roots reads the node's TLS roots; there is at least one.
func (n Node) roots() ([]*x509.Certificate, error) {
	if _, _, err := net.SplitHostPort(n.Address); err != nil {
		return nil, fmt.Errorf("address %.200q must be HOST:PORT", n.Address)
	}
	roots, err := certificates(n.TLSRoots)
	if err != nil {
		return nil, fmt.Errorf("TLS roots: %w", err)
	}
	return roots, nil
}

// entry is the node in the library's configuration.
func (n Node) entry() (object, error) {
	if _, err := n.roots(); err != nil {
		return nil, err
	}
	roots, err := readPEM(n.TLSRoots)
	if err != nil {
		return nil, err
	}
	return object{"url": n.url(), "grpcOptions": n.options(), "tlsCACerts": inline(roots)}, nil
}

// dial tries to connect as the library does, whose errors do not give the reason.
func (n Node) dial() error {
	roots, err := n.roots()
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	for _, c := range roots {
		pool.AddCert(c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{RootCAs: pool, ServerName: n.ServerName, NextProtos: []string{"h2"}}}
	connection, err := dialer.DialContext(ctx, "tcp", n.Address)
	if err != nil {
		return err
	}
	return connection.Close()
}

// readPEM reads a PEM file of a bounded length.
func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(b) > maxPEM {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxPEM)
	}
	return b, nil
}

// certificates decodes the certificates of a PEM file; there is at least one.
func certificates(path string) ([]*x509.Certificate, error) {
	rest, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != certificateType {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d of %s: %w", len(all)+1, path, err)
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s holds no certificate", path)
	}
	return all, nil
}
