package agent

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/assay-net/assay/datahub/device"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

const (
	folderPrefix = "device-"
	maxPEM       = 16 << 10
)

// Directory is a folder with the keys and states of many devices, each in a folder of its own. One process uses it at a time: two
// with one state would be two devices with one key.
type Directory struct {
	path string
	lock *flock.Flock
}

// OpenDirectory opens a directory, and makes it if there is none.
func OpenDirectory(path string) (*Directory, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("opening the devices in %s: %w", path, err)
	}
	lock := flock.New(filepath.Join(path, "lock"))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, fmt.Errorf("opening the devices in %s: another process uses them (%v)", path, err)
	}
	return &Directory{path, lock}, nil
}

// Close lets another process use the directory.
func (d *Directory) Close() error { return d.lock.Unlock() }

// Serials lists the devices.
func (d *Directory) Serials() ([]string, error) { return serials(d.path) }

func serials(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), folderPrefix)
		serial, err := url.PathUnescape(name)
		if ok && err == nil && e.IsDir() {
			out = append(out, serial)
		}
	}
	return out, nil
}

func folderOf(path, serial string) string {
	return filepath.Join(path, folderPrefix+url.PathEscape(serial))
}

// Device opens the device of a serial, or makes it: it draws a key and has the maker certify it. A nil maker makes none.
func (d *Directory) Device(maker *device.Maker, c device.Config) (*device.Device, *Files, error) {
	folder := folderOf(d.path, c.Serial)
	if _, err := os.Stat(filepath.Join(folder, certificateFile)); errors.Is(err, os.ErrNotExist) {
		if maker == nil {
			return nil, nil, fmt.Errorf("%s holds no device %s", d.path, c.Serial)
		}
		if err := create(folder, maker, c); err != nil {
			return nil, nil, fmt.Errorf("making device %s: %w", c.Serial, err)
		}
	}
	opened, err := open(folder, c.Schema)
	if err != nil {
		return nil, nil, fmt.Errorf("opening device %s: %w", c.Serial, err)
	}
	files, err := OpenFiles(folder)
	if err != nil {
		return nil, nil, err
	}
	return opened, files, nil
}

// create writes the key before the certificate: a folder with a certificate is complete.
func create(folder string, maker *device.Maker, c device.Config) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	key, err := device.NewKey(c.Algorithm)
	if err != nil {
		return err
	}
	certificate, err := maker.Issue(key.Public(), c.Serial, c.Class)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(folder, keyFile), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})); err != nil {
		return err
	}
	return writeFile(filepath.Join(folder, certificateFile), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.DER()}))
}

func open(folder string, schema *record.Schema) (*device.Device, error) {
	certificate, err := readCertificate(folder)
	if err != nil {
		return nil, err
	}
	key, err := ReadKey(filepath.Join(folder, keyFile))
	if err != nil {
		return nil, err
	}
	return device.Open(schema, certificate, key)
}

func readCertificate(folder string) (*commit.DeviceCertificate, error) {
	der, err := ReadPEM(filepath.Join(folder, certificateFile), "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	return commit.ParseDeviceCertificate(der)
}

// ReadKey reads a private key in PKCS#8 from a PEM file that only its owner may read.
func ReadKey(path string) (crypto.Signer, error) {
	if err := checkMode(path); err != nil {
		return nil, err
	}
	der, err := ReadPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s holds no private key in PKCS#8", path)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: a %T does not sign", path, key)
	}
	return signer, nil
}

// ReadPEM reads the one block of a small PEM file.
func ReadPEM(path, kind string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it is only read
	b, err := io.ReadAll(io.LimitReader(file, maxPEM+1))
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if len(b) > maxPEM || block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s is no PEM file of a %s of at most %d bytes", path, strings.ToLower(kind), maxPEM)
	}
	return block.Bytes, nil
}
