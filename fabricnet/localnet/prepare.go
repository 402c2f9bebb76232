package localnet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/fabricnet/profile"
)

// prepare makes a network's folder: everything that there is before the first process starts. It is made beside its place and renamed, so that there
// is never a part of one.
func prepare(ctx context.Context, f fabric, home layout, given *Options) error {
	o, err := given.withDefaults()
	if err != nil {
		return err
	}
	if err := checkEmpty(string(home)); err != nil {
		return err
	}
	parent := filepath.Dir(string(home))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(parent, ".assay-network-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary) //nolint:errcheck // gone once renamed
	if err := fill(ctx, f, layout(temporary), home, &o); err != nil {
		return fmt.Errorf("making a network in %s: %w", string(home), err)
	}
	if err := os.Remove(string(home)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("making a network in %s: %w", string(home), err)
	}
	return os.Rename(temporary, string(home))
}

// checkEmpty refuses a folder that holds something else.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s holds other things than a network; name another folder", dir)
	}
	return nil
}

func fill(ctx context.Context, f fabric, l, home layout, o *Options) error {
	s, err := newState(o)
	if err != nil {
		return err
	}
	for _, dir := range []string{"orgs", "profiles", "peers", "orderers", "services", "logs", "run"} {
		if err := os.Mkdir(l.path(dir), 0o700); err != nil {
			return err
		}
	}
	o.report("making certificates")
	if err := makeIdentities(ctx, f, l, s); err != nil {
		return err
	}
	g, err := makeGenesis(l, o)
	if err != nil {
		return err
	}
	o.report("making the channel's genesis block")
	if err := makeChannel(ctx, f, l, s, g); err != nil {
		return err
	}
	if err := prepareNodes(f, l, home, s); err != nil {
		return err
	}
	return s.write(l)
}

func prepareNodes(f fabric, l, home layout, s *state) error {
	if err := writeBuilder(l.builder()); err != nil {
		return fmt.Errorf("writing the external builder: %w", err)
	}
	for i := range s.Orderers {
		if err := prepareOrderer(f, l, &s.Orderers[i]); err != nil {
			return err
		}
	}
	for i := range s.Organisations {
		o := &s.Organisations[i]
		if err := errors.Join(preparePeer(f, l, home, o), prepareService(l, o.ID), writeProfile(l, s, o)); err != nil {
			return err
		}
	}
	return nil
}

// writeProfile tells clients of an organisation how to connect. Its paths are relative to it.
func writeProfile(l layout, s *state, o *organisation) error {
	from := layout("..")
	p := profile.Profile{
		Version: profile.Version, Organisation: o.ID, MSPID: o.MSPID, Channel: s.Channel, Chaincode: s.Contract,
		Peer:        profile.Endpoint{Address: address(o.PeerPort), ServerName: "peer." + o.ID, TLSRoots: from.tlsRoots(o.ID)},
		Certificate: from.userCertificate(o.ID, "User1"), Key: from.userKey(o.ID, "User1"),
		Genesis: from.genesis(), ChannelGenesis: from.channelBlock(), OrganisationKey: from.organisationKey(o.ID),
		Consent: from.service(o.ID, "consent"), Attestations: from.service(o.ID, "attestations"),
	}
	return p.Write(l.profile(o.ID))
}
