package admin

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"time"
)

const (
	// MaxPackage bounds a chaincode package. One of a service holds an address and a few certificates.
	MaxPackage = 1 << 20
	// maxLabel bounds a package's label.
	maxLabel = 128

	serviceType     = "ccaas" // what the peer's builder for services looks for
	metadataFile    = "metadata.json"
	codeFile        = "code.tar.gz"
	connectionFile  = "connection.json"
	serviceDialTime = "10s"
)

// labels are those that Fabric takes.
var labels = regexp.MustCompile(`^[[:alnum:]][[:alnum:]_.+-]*$`)

// Connection is how an organisation's peer reaches its contract service: mutual TLS, always.
type Connection struct {
	// Address is the service's HOST:PORT, as the peer sees it.
	Address string
	// TLSRoots are the CA certificates of the service's TLS certificate, PEM.
	TLSRoots []byte
	// ClientCertificate and ClientKey are what the peer shows the service, PEM. The package carries the key, so a package is to be kept like one.
	ClientCertificate, ClientKey []byte
}

// Package makes a chaincode package that sends the peer to a contract service, and its id. The same label and connection make the same
// bytes on every machine: names are sorted, times and owners are zero, and nothing is compressed, since compressors differ.
func Package(label string, c Connection) (pkg []byte, id string, err error) {
	if err := checkLabel(label); err != nil {
		return nil, "", err
	}
	connection, err := c.file()
	if err != nil {
		return nil, "", err
	}
	code, err := archive(map[string][]byte{connectionFile: connection})
	if err != nil {
		return nil, "", err
	}
	metadata, err := json.Marshal(packageMetadata{Label: label, Type: serviceType})
	if err != nil {
		return nil, "", err
	}
	pkg, err = archive(map[string][]byte{codeFile: code, metadataFile: metadata})
	if err != nil {
		return nil, "", err
	}
	if len(pkg) > MaxPackage {
		return nil, "", fmt.Errorf("chaincode package: %d bytes, at most %d", len(pkg), MaxPackage)
	}
	return pkg, packageID(label, pkg), nil
}

// PackageID is the id under which a peer installs the package: its label and the SHA-256 of its bytes.
func PackageID(pkg []byte) (string, error) {
	label, err := packageLabel(pkg)
	if err != nil {
		return "", err
	}
	return packageID(label, pkg), nil
}

func packageID(label string, pkg []byte) string {
	sum := sha256.Sum256(pkg)
	return label + ":" + hex.EncodeToString(sum[:])
}

type packageMetadata struct {
	Path  string `json:"path"`
	Type  string `json:"type"`
	Label string `json:"label"`
}

func checkLabel(label string) error {
	if len(label) > maxLabel || !labels.MatchString(label) {
		return fmt.Errorf("chaincode package: label is %.200q, must be letters, digits and _.+- (at most %d)", label, maxLabel)
	}
	return nil
}

// file is the connection as the peer's builder reads it.
func (c Connection) file() ([]byte, error) {
	if host, port, err := net.SplitHostPort(c.Address); err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("chaincode package: address is %.200q, must be HOST:PORT", c.Address)
	}
	for _, field := range []struct {
		name string
		pem  []byte
	}{{"TLS roots", c.TLSRoots}, {"client certificate", c.ClientCertificate}, {"client key", c.ClientKey}} {
		if len(field.pem) > maxPEM {
			return nil, fmt.Errorf("chaincode package: %s: more than %d bytes", field.name, maxPEM)
		}
		if block, _ := pem.Decode(field.pem); block == nil {
			return nil, fmt.Errorf("chaincode package: %s: no PEM block", field.name)
		}
	}
	return json.Marshal(struct {
		Address            string `json:"address"`
		DialTimeout        string `json:"dial_timeout"`
		TLSRequired        bool   `json:"tls_required"`
		ClientAuthRequired bool   `json:"client_auth_required"`
		ClientKey          string `json:"client_key"`
		ClientCert         string `json:"client_cert"`
		RootCert           string `json:"root_cert"`
	}{c.Address, serviceDialTime, true, true, string(c.ClientKey), string(c.ClientCertificate), string(c.TLSRoots)})
}

// archive is a tar file in a gzip wrapper, the same bytes whenever and wherever it is made.
func archive(files map[string][]byte) ([]byte, error) {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.NoCompression)
	if err != nil {
		return nil, err
	}
	entries := tar.NewWriter(zipped)
	for _, name := range names {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(files[name])), Mode: 0o100644, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := entries.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("chaincode package: %s: %w", name, err)
		}
		if _, err := entries.Write(files[name]); err != nil {
			return nil, fmt.Errorf("chaincode package: %s: %w", name, err)
		}
	}
	if err := errors.Join(entries.Close(), zipped.Close()); err != nil {
		return nil, fmt.Errorf("chaincode package: %w", err)
	}
	return out.Bytes(), nil
}

// packageLabel reads the label of a package of at most MaxPackage bytes, whatever its kind.
func packageLabel(pkg []byte) (string, error) {
	if len(pkg) > MaxPackage {
		return "", fmt.Errorf("chaincode package: %d bytes, at most %d", len(pkg), MaxPackage)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(pkg))
	if err != nil {
		return "", fmt.Errorf("chaincode package: %w", err)
	}
	entries := tar.NewReader(io.LimitReader(unzipped, 4*MaxPackage)) // a package may be compressed, but not a bomb
	for {
		header, err := entries.Next()
		if err != nil {
			return "", fmt.Errorf("chaincode package: looking for %s: %w", metadataFile, err)
		}
		if header.Name != metadataFile {
			continue
		}
		b, err := io.ReadAll(io.LimitReader(entries, maxPEM))
		if err != nil {
			return "", fmt.Errorf("chaincode package: %s: %w", metadataFile, err)
		}
		var m packageMetadata
		if err := json.Unmarshal(b, &m); err != nil {
			return "", fmt.Errorf("chaincode package: %s: %w", metadataFile, err)
		}
		return m.Label, checkLabel(m.Label)
	}
}
