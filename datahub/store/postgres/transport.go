package postgres

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// plaintextOption in a URL, beside sslmode=disable, allows a server of another machine without TLS.
const plaintextOption = "assay_plaintext"

// checkTransport refuses a server of another machine that would not have to prove who it is: who stands in its place is given the
// password, and may acknowledge what is not stored. Each server that the URL names counts, and each way in which it would be tried.
func checkTransport(address string, c *pgconn.Config) error {
	delete(c.RuntimeParams, plaintextOption) // which is not for the server
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("the URL does not parse") // what does not may be quoted in the error
	}
	q := u.Query()
	if option := q.Get(plaintextOption); option != "" && option != "allow" {
		return fmt.Errorf("%s must be \"allow\" or not be there", plaintextOption)
	}
	plaintext := q.Get("sslmode") == "disable" && q.Get(plaintextOption) == "allow"
	if err := checkServer(c.Host, c.TLSConfig, plaintext); err != nil {
		return err
	}
	for _, f := range c.Fallbacks {
		if err := checkServer(f.Host, f.TLSConfig, plaintext); err != nil {
			return err
		}
	}
	return nil
}

func checkServer(host string, c *tls.Config, plaintext bool) error {
	if local(host) || verified(c) || c == nil && plaintext {
		return nil
	}
	return fmt.Errorf("the server %s is on another machine: the URL must have sslmode=verify-full (or verify-ca), and sslrootcert where "+
		"the system does not know its CA; only on a network that is protected otherwise, sslmode=disable&%s=allow", host, plaintextOption)
}

// local is a socket or an address of this machine.
func local(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// verified says whether the server has to show a certificate of a CA that is trusted. Where it is not compared with the host's name,
// pgx checks it in a function of its own.
func verified(c *tls.Config) bool {
	return c != nil && (!c.InsecureSkipVerify || c.VerifyPeerCertificate != nil || c.VerifyConnection != nil)
}
