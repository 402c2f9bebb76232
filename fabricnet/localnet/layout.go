package localnet

import (
	"fmt"
	"path/filepath"
)

const (
	channel  = "assay"
	contract = "assay"

	orderingMSP = "OrdererMSP"
	host        = "127.0.0.1"
)

// layout knows where things are in a network's folder.
type layout string

func (l layout) path(elements ...string) string {
	return filepath.Join(append([]string{string(l)}, elements...)...)
}

func (l layout) state() string        { return l.path("network.json") }
func (l layout) lock() string         { return l.path("lock") }
func (l layout) genesis() string      { return l.path("genesis.json") }
func (l layout) channelBlock() string { return l.path("channel.block") }
func (l layout) builder() string      { return l.path("builder") }
func (l layout) configtx() string     { return l.path("configtx") }

func (l layout) profile(org string) string { return l.path("profiles", org+".json") }
func (l layout) log(name string) string    { return l.path("logs", name+".log") }
func (l layout) run(name string) string    { return l.path("run", name+".json") }

func (l layout) org(id string, elements ...string) string {
	return l.path(append([]string{"orgs", id}, elements...)...)
}

func (l layout) organisationKey(id string) string { return l.org(id, "organisation.key") }
func (l layout) tlsRoots(id string) string        { return l.org(id, "tlsca", "tlsca."+id+"-cert.pem") }

// user is in the folder of one of an organisation's people: Admin or User1.
func (l layout) user(org, name string, elements ...string) string {
	return l.org(org, append([]string{"users", name + "@" + org}, elements...)...)
}

func (l layout) userCertificate(org, name string) string {
	return l.user(org, name, "msp", "signcerts", name+"@"+org+"-cert.pem")
}

func (l layout) userKey(org, name string) string {
	return l.user(org, name, "msp", "keystore", "priv_sk")
}

// peerIdentity is in the folder of the certificates and keys of an organisation's peer.
func (l layout) peerIdentity(org string, elements ...string) string {
	return l.org(org, append([]string{"peers", "peer." + org}, elements...)...)
}

// ordering is in the folder of the ordering service's certificates and keys.
func (l layout) ordering(elements ...string) string {
	return l.path(append([]string{"ordering"}, elements...)...)
}

func (l layout) ordererIdentity(name string, elements ...string) string {
	return l.ordering(append([]string{"orderers", name}, elements...)...)
}

func (l layout) orderingTLSRoots() string {
	return l.ordering("tlsca", "tlsca."+orderingDomain+"-cert.pem")
}

func (l layout) orderingAdmin(elements ...string) string {
	return l.ordering(append([]string{"users", "Admin@" + orderingDomain}, elements...)...)
}

func (l layout) peer(org string, elements ...string) string {
	return l.path(append([]string{"peers", org}, elements...)...)
}

func (l layout) orderer(name string, elements ...string) string {
	return l.path(append([]string{"orderers", name}, elements...)...)
}

func (l layout) service(org string, elements ...string) string {
	return l.path(append([]string{"services", org}, elements...)...)
}

func (l layout) srs(org string) string { return l.service(org, "srs") }

func (l layout) serviceTLS(org, file string) string { return l.service(org, "tls", file) }

func peerName(org string) string    { return "peer." + org }
func serviceName(org string) string { return "contract." + org }

func address(port int) string { return fmt.Sprintf("%s:%d", host, port) }
