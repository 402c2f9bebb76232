package access

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// PeerTLS is for a connection to another organisation's node, as the ledger knows it: TLS 1.3, a server certificate of the CA that this organisation published
// and with its name in the subject, and one's own client certificate. The host's name is the dialler's to set.
func PeerTLS(node *ledger.NodeRecord, own func(*tls.CertificateRequestInfo) (*tls.Certificate, error)) (*tls.Config, error) {
	ca, err := ParseCA(node.Certificate)
	if err != nil {
		return nil, fmt.Errorf("node of %s: %w", node.Organisation, err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	return &tls.Config{
		RootCAs: roots, MinVersion: tls.VersionTLS13, GetClientCertificate: own,
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errors.New("the node shows no certificate")
			}
			organisation, err := organisationOf(s.PeerCertificates[0])
			if err != nil {
				return err
			}
			if organisation != node.Organisation {
				return fmt.Errorf("the node is of organisation %s, not of %s", organisation, node.Organisation)
			}
			return nil
		},
	}, nil
}
