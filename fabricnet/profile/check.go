package profile

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"

	"github.com/assay-net/assay/fabricnet/ledger"
)

const (
	maxPath = 4096
	maxName = 249 // Fabric's bound of a channel's name
	maxHost = 253
)

var (
	mspForm       = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
	channelForm   = regexp.MustCompile(`^[a-z][a-z0-9.-]*$`)
	chaincodeForm = regexp.MustCompile(`^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$`)
	hostForm      = regexp.MustCompile(`^[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9:])?$`)
)

// Check reports the first field that is missing, of the wrong form or too long.
func (p *Profile) Check() error {
	if p.Version != Version {
		return fmt.Errorf("version is %.64q, must be %q", p.Version, Version)
	}
	if err := ledger.CheckID("organisation", p.Organisation); err != nil {
		return err
	}
	for _, f := range []struct {
		name, value string
		form        *regexp.Regexp
	}{{"msp_id", p.MSPID, mspForm}, {"channel", p.Channel, channelForm}, {"chaincode", p.Chaincode, chaincodeForm}} {
		if err := checkForm(f.name, f.value, f.form, maxName); err != nil {
			return err
		}
	}
	if err := p.Peer.check(); err != nil {
		return fmt.Errorf("peer.%w", err)
	}
	return p.checkPaths()
}

func (p *Profile) checkPaths() error {
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"certificate", p.Certificate, true},
		{"key", p.Key, false},
		{"genesis", p.Genesis, true},
		{"channel_genesis", p.ChannelGenesis, true},
		{"organisation_key", p.OrganisationKey, false},
		{"consent", p.Consent, false},
		{"attestations", p.Attestations, false},
	} {
		if err := checkPath(f.name, f.value, f.required); err != nil {
			return err
		}
	}
	return nil
}

func (e *Endpoint) check() error {
	host, port, err := net.SplitHostPort(e.Address)
	if err != nil || len(e.Address) > maxHost+8 || host == "" {
		return fmt.Errorf("address is %.64q, must be host:port", e.Address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("address: port is %.16q, must be 1 to 65535", port)
	}
	if err := checkForm("address", host, hostForm, maxHost); err != nil {
		return err
	}
	if e.ServerName != "" {
		if err := checkForm("server_name", e.ServerName, hostForm, maxHost); err != nil {
			return err
		}
	}
	return checkPath("tls_roots", e.TLSRoots, true)
}

func checkForm(field, value string, form *regexp.Regexp, max int) error {
	if len(value) == 0 || len(value) > max {
		return fmt.Errorf("%s has %d characters, must have 1 to %d", field, len(value), max)
	}
	if !form.MatchString(value) {
		return fmt.Errorf("%s is %.64q, must be of the form %s", field, value, form)
	}
	return nil
}

func checkPath(field, path string, required bool) error {
	if required && path == "" {
		return fmt.Errorf("%s is missing", field)
	}
	if len(path) > maxPath || strings.ContainsRune(path, 0) {
		return fmt.Errorf("%s has %d bytes, must have at most %d and no zero byte", field, len(path), maxPath)
	}
	return nil
}
