package contract

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
)

// Attributes of a Fabric certificate's subject, by which policies know them. A Fabric CA's attributes have the names that the CA gave them.
const (
	AttributeName = "CN"
	AttributeOrg  = "O"
	// AttributeUnit holds all organisational units, separated by commas.
	AttributeUnit = "OU"
	// AttributeRole is client or admin.
	AttributeRole = "role"
)

// fabricAttributes is where Fabric's CA puts attributes into certificates, as JSON.
var fabricAttributes = asn1.ObjectIdentifier{1, 2, 3, 4, 5, 6, 7, 8, 1}

// maxAttributesExtension bounds the JSON.
const maxAttributesExtension = 16 << 10

// FunctionsAttribute is the Fabric CA attribute that narrows what a certificate may call: it lists functions, separated by commas.
const FunctionsAttribute = "assay.functions"

// Credentials are what a caller's Fabric certificate says of it. All of it is the word of the caller's own organisation, whose CA it is.
type Credentials struct {
	// Attributes are the subject's, and then the CA's in the order of their names, as many as are kept. One that is too long or not printable is left out.
	Attributes map[string]string
	// functions are those that it may call, all if nil.
	functions []string
}

// May reports whether the certificate is for a function.
func (c *Credentials) May(function string) bool {
	return c.functions == nil || slices.Contains(c.functions, function)
}

// ByClient reports whether a certificate is a client's or an administrator's by its organisational unit. Those of peers and orderers sign for machines that run Fabric, and
// decide nothing for their organisation.
func ByClient(cert *x509.Certificate) bool {
	units := cert.Subject.OrganizationalUnit
	machine := slices.Contains(units, "peer") || slices.Contains(units, "orderer")
	return !machine && (slices.Contains(units, "client") || slices.Contains(units, "admin"))
}

// CredentialsOf reads a caller's certificate.
func CredentialsOf(cert *x509.Certificate) (*Credentials, error) {
	issued, err := issuedAttributes(cert)
	if err != nil {
		return nil, err
	}
	c := &Credentials{Attributes: keptAttributes(cert, issued)}
	if list, narrowed := issued[FunctionsAttribute]; narrowed {
		for _, function := range strings.Split(list, ",") {
			c.functions = append(c.functions, strings.TrimSpace(function))
		}
	}
	return c, nil
}

func keptAttributes(cert *x509.Certificate, issued map[string]string) map[string]string {
	units := cert.Subject.OrganizationalUnit
	role := "client"
	if slices.Contains(units, "admin") {
		role = "admin"
	}
	out := map[string]string{AttributeRole: role}
	for name, value := range map[string]string{
		AttributeName: cert.Subject.CommonName, AttributeOrg: strings.Join(cert.Subject.Organization, ","), AttributeUnit: strings.Join(units, ","),
	} {
		if checkAttribute(name, value) == nil {
			out[name] = value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(issued)) {
		if _, taken := out[name]; !taken && len(out) < ledger.MaxAttributes && checkAttribute(name, issued[name]) == nil {
			out[name] = issued[name]
		}
	}
	return out
}

func issuedAttributes(cert *x509.Certificate) (map[string]string, error) {
	for _, e := range cert.Extensions {
		if !e.Id.Equal(fabricAttributes) {
			continue
		}
		if len(e.Value) > maxAttributesExtension {
			return nil, fmt.Errorf("attributes in the certificate: %d bytes, at most %d", len(e.Value), maxAttributesExtension)
		}
		var a struct {
			Attrs map[string]string `json:"attrs"`
		}
		if err := json.Unmarshal(e.Value, &a); err != nil {
			return nil, fmt.Errorf("attributes in the certificate: %w", err)
		}
		return a.Attrs, nil
	}
	return nil, nil
}

func checkAttribute(name, value string) error {
	if err := ledger.CheckText("attribute's name", name, ledger.MaxAttributeName, true); err != nil {
		return err
	}
	return ledger.CheckText("attribute "+name, value, ledger.MaxAttribute, true)
}

// check holds a driver to the bounds of what it says of a caller.
func (c *Caller) check() error {
	if len(c.Attributes) > ledger.MaxAttributes {
		return fmt.Errorf("caller has %d attributes, at most %d", len(c.Attributes), ledger.MaxAttributes)
	}
	for name, value := range c.Attributes {
		if err := checkAttribute(name, value); err != nil {
			return fmt.Errorf("caller: %w", err)
		}
	}
	return nil
}
