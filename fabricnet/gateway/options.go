package gateway

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/fabricnet/profile"
)

// Options say whose access, to what, and how patient it is.
type Options struct {
	// Profile is the organisation's connection profile, as profile.Read returns it.
	Profile *profile.Profile
	// Genesis is the consortium's. The profile's file is read when it is nil.
	Genesis *ledger.Genesis
	// Signer has the private key of the profile's certificate, on P-256. The profile's key file is read when it is nil. It must be safe for
	// concurrent use.
	Signer crypto.Signer
	// Endorsers are the ids of the organisations whose peers are asked, exactly these. When it is empty they are chosen for every call: as many
	// as the genesis' endorsement rule asks for, others when one of them cannot be reached.
	Endorsers []string
	// Timeouts bound each stage.
	Timeouts Timeouts
	// Submitting, if given, is told a transaction's id before the transaction goes to the ordering service, so that the caller can write it down
	// and ask for its outcome after a crash. It is called again for every new transaction of one Submit.
	Submitting func(txID string)
	// Waiting, if given, is told why Events or Blocks has to wait for the peer, each time that it tries again.
	Waiting func(error)
}

// Timeouts bound each stage of a call, besides the caller's context. Zero means the default.
type Timeouts struct {
	// Connect is how long Open waits for the peer, 10 s by default.
	Connect time.Duration
	// Evaluate is for a query, 30 s by default.
	Evaluate time.Duration
	// Endorse is for one proposal, 60 s by default: the peers check a chunk's attestations meanwhile. It should be above the 30 s that a peer
	// gives each endorser, or nobody learns which one did not answer.
	Endorse time.Duration
	// Submit is how long the transaction is offered to the ordering service, 15 s by default.
	Submit time.Duration
	// Commit is how long the outcome is waited for after that, 30 s by default.
	Commit time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	for _, d := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&t.Connect, 10 * time.Second}, {&t.Evaluate, 30 * time.Second}, {&t.Endorse, 60 * time.Second},
		{&t.Submit, 15 * time.Second}, {&t.Commit, 30 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.fallback
		}
	}
	return t
}

// complete checks the options and fills in what may be left out, but for the signer.
func (o Options) complete() (Options, error) {
	if o.Profile == nil {
		return o, errors.New("no profile is given")
	}
	if err := o.Profile.Check(); err != nil {
		return o, fmt.Errorf("profile: %w", err)
	}
	if o.Genesis == nil {
		g, err := o.Profile.ReadGenesis()
		if err != nil {
			return o, err
		}
		o.Genesis = g
	}
	if err := o.Genesis.Check(); err != nil {
		return o, err
	}
	own, ok := o.Genesis.Organisation(o.Profile.Organisation)
	if !ok {
		return o, fmt.Errorf("organisation %q is not in the genesis", o.Profile.Organisation)
	}
	if own.MSPID() != o.Profile.MSPID {
		return o, fmt.Errorf("profile: msp_id is %q, the genesis has %q for %s", o.Profile.MSPID, own.MSPID(), own.ID)
	}
	o.Endorsers = slices.Compact(slices.Sorted(slices.Values(o.Endorsers)))
	for _, id := range o.Endorsers {
		if _, ok := o.Genesis.Organisation(id); !ok {
			return o, fmt.Errorf("endorser %q is not in the genesis", id)
		}
	}
	o.Timeouts = o.Timeouts.withDefaults()
	return o, nil
}
