package localnet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
)

const orderingDomain = "ordering"

// maxIdentityTries: one try in four has both signatures as they must be.
const maxIdentityTries = 200

// cryptoConfig is what cryptogen reads. JSON is YAML.
type cryptoConfig struct {
	PeerOrgs    []cryptoOrg `json:"PeerOrgs,omitempty"`
	OrdererOrgs []cryptoOrg `json:"OrdererOrgs,omitempty"`
}

type cryptoOrg struct {
	Name          string
	Domain        string
	EnableNodeOUs bool
	Specs         []cryptoNode
	Users         struct{ Count int }
}

type cryptoNode struct {
	Hostname   string
	CommonName string
	SANS       []string
}

func node(name string) cryptoNode {
	return cryptoNode{Hostname: "localhost", CommonName: name, SANS: []string{host}}
}

// makeIdentities has cryptogen make the certificates and keys of every organisation and of the ordering service.
func makeIdentities(ctx context.Context, f fabric, l layout, s *state) error {
	for _, o := range s.Organisations {
		config := cryptoOrg{Name: o.ID, Domain: o.ID, EnableNodeOUs: true, Specs: []cryptoNode{node("peer." + o.ID)}}
		config.Users.Count = 1
		if err := makeOrganisation(ctx, f, l.org(o.ID), "peerOrganizations", cryptoConfig{PeerOrgs: []cryptoOrg{config}}); err != nil {
			return fmt.Errorf("making the certificates of %s: %w", o.ID, err)
		}
	}
	config := cryptoOrg{Name: orderingDomain, Domain: orderingDomain, EnableNodeOUs: true}
	for _, o := range s.Orderers {
		config.Specs = append(config.Specs, node(o.Name))
	}
	if err := makeOrganisation(ctx, f, l.ordering(), "ordererOrganizations", cryptoConfig{OrdererOrgs: []cryptoOrg{config}}); err != nil {
		return fmt.Errorf("making the certificates of the ordering service: %w", err)
	}
	return nil
}

// makeOrganisation runs cryptogen until both of the organisation's certificate authorities have a signature that Fabric's clients accept: cryptogen
// normalises all signatures but those of an authority on itself.
func makeOrganisation(ctx context.Context, f fabric, target, kind string, config cryptoConfig) error {
	work := target + ".new"
	for range maxIdentityTries {
		if err := os.MkdirAll(work, 0o700); err != nil {
			return err
		}
		made, err := runCryptogen(ctx, f, work, kind, config)
		if err != nil {
			return err
		}
		low, err := lowAuthorities(made)
		if err != nil {
			return err
		}
		if low {
			return errors.Join(os.Rename(made, target), os.RemoveAll(work))
		}
		if err := os.RemoveAll(work); err != nil {
			return err
		}
	}
	return fmt.Errorf("no certificate authority with a low signature in %d tries", maxIdentityTries)
}

func runCryptogen(ctx context.Context, f fabric, work, kind string, config cryptoConfig) (string, error) {
	file := filepath.Join(work, "config.yaml")
	if err := writeJSON(file, config); err != nil {
		return "", err
	}
	c := exec.CommandContext(ctx, f.bin("cryptogen"), "generate", "--config="+file, "--output="+work)
	c.Env = baseEnvironment()
	if _, err := output(ctx, c); err != nil {
		return "", err
	}
	orgs := append(config.PeerOrgs, config.OrdererOrgs...)
	return filepath.Join(work, kind, orgs[0].Domain), nil
}

// lowAuthorities reports whether the certificates in ca and tlsca both have low signatures.
func lowAuthorities(dir string) (bool, error) {
	for _, authority := range []string{"ca", "tlsca"} {
		files, err := filepath.Glob(filepath.Join(dir, authority, "*-cert.pem"))
		if err != nil || len(files) != 1 {
			return false, fmt.Errorf("%d certificates in %s, there must be 1", len(files), filepath.Join(dir, authority))
		}
		c, err := readCertificate(files[0])
		if err != nil {
			return false, err
		}
		low, err := lowSignature(c)
		if err != nil || !low {
			return false, err
		}
	}
	return true, nil
}

func readCertificate(path string) (*x509.Certificate, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s is not a PEM certificate", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", path, err)
	}
	return c, nil
}

// lowSignature reports whether the s of a certificate's ECDSA signature is at most half the order of P-256. Of the two that verify, Fabric takes this one.
func lowSignature(c *x509.Certificate) (bool, error) {
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		return false, errors.New("certificate is not for a P-256 key")
	}
	var signature struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(c.Signature, &signature); err != nil || len(rest) != 0 {
		return false, errors.New("certificate has no ECDSA signature")
	}
	half := new(big.Int).Rsh(elliptic.P256().Params().N, 1)
	return signature.S.Cmp(half) <= 0, nil
}
