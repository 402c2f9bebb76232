package chaincode

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/hyperledger/fabric-chaincode-go/v2/shim"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// maxCreator bounds an encoded identity: an MSP id and a certificate in PEM.
const maxCreator = 32 << 10

// caller is who signed a proposal.
type caller struct {
	org string
	*contract.Credentials
}

// authenticate finds the organisation that answers for the proposal's creator. The peer has checked the signature and the certificate's issuer.
func (c *Contract) authenticate(stub shim.ChaincodeStubInterface) (*caller, error) {
	creator, err := stub.GetCreator()
	if err != nil {
		return nil, fmt.Errorf("reading the proposal's creator: %w", err)
	}
	mspID, certificate, err := parseCreator(creator)
	if err != nil {
		return nil, ledger.Refuse(ledger.Forbidden, "creator: %v", err)
	}
	org, ok := c.genesis.ByMSP(mspID)
	if !ok {
		return nil, ledger.Refuse(ledger.Forbidden, "MSP %q is of no organisation of this ledger", mspID)
	}
	if err := checkCertificate(certificate, c.now()); err != nil {
		return nil, ledger.Refuse(ledger.Forbidden, "certificate of %s: %v", org.ID, err)
	}
	credentials, err := contract.CredentialsOf(certificate)
	if err != nil {
		return nil, ledger.Refuse(ledger.Forbidden, "certificate of %s: %v", org.ID, err)
	}
	return &caller{org.ID, credentials}, nil
}

// parseCreator reads a serialized identity: an MSP id and one X.509 certificate.
func parseCreator(creator []byte) (string, *x509.Certificate, error) {
	if len(creator) > maxCreator {
		return "", nil, fmt.Errorf("has %d bytes, at most %d", len(creator), maxCreator)
	}
	var id msp.SerializedIdentity
	if err := proto.Unmarshal(creator, &id); err != nil {
		return "", nil, fmt.Errorf("not an identity: %w", err)
	}
	if n := len(id.GetMspid()); n == 0 || n > ledger.MaxID {
		return "", nil, fmt.Errorf("MSP id has %d characters, must have 1 to %d", n, ledger.MaxID)
	}
	block, rest := pem.Decode(id.GetIdBytes())
	if block == nil || len(bytes.TrimSpace(rest)) != 0 {
		return "", nil, errors.New("not one certificate in PEM")
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", nil, fmt.Errorf("certificate: %w", err)
	}
	return id.GetMspid(), certificate, nil
}

// checkCertificate asks for a client's or an administrator's certificate that is valid now.
func checkCertificate(certificate *x509.Certificate, now time.Time) error {
	if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
		return fmt.Errorf("valid from %s to %s", certificate.NotBefore.UTC().Format(time.RFC3339), certificate.NotAfter.UTC().Format(time.RFC3339))
	}
	if !contract.ByClient(certificate) {
		return errors.New("its organisational unit must be client or admin")
	}
	return nil
}
