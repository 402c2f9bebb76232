package agent

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

const (
	// MaxWindow bounds the frames that are on their way.
	MaxWindow = 64
	// reserve are places in the window that readings leave to acceptances and reports.
	reserve = 4
)

// Options say which node an agent talks to, and how. Zero fields take their defaults.
type Options struct {
	// Broker is the node's address, such as "tls://node.example:8883".
	Broker string
	// Roots certify the broker's certificate, which must be for ServerName. Without a ServerName it is the Broker's host.
	Roots      *x509.CertPool
	ServerName string
	// Ledger is the consortium's id, and Genesis what it is the digest of. Offers for another are refused. When epochs begin and end the
	// device takes from the genesis, never from its owner.
	Ledger  commit.Digest
	Genesis *ledger.Genesis
	// Fleet, unless empty, is the only fleet whose offers are taken.
	Fleet string
	// NodeKey, if it is known, is the key that offers must be signed with.
	NodeKey *commit.PublicKey
	// SRS finds the powers of tau of a digest. Without it the device cannot attest.
	SRS func(commit.Digest) (*commit.SRS, error)
	// State keeps what must survive a restart. Nil keeps it in memory.
	State State
	// Own returns the record of an epoch that the device's firmware computed; false if it has none. It is given what the device
	// published in the epoch.
	Own func(epoch uint64, m Measured) (record.Record, bool)
	// Approve says why the device does not attest to a proposed record; Plausible is the default.
	Approve func(p Proposal) error
	// Window bounds the frames of readings on their way, 1 to MaxWindow−4, which is the default.
	Window int
	// ResendAfter is how long to wait for an acknowledgement at first (10 s; longer if they usually take longer), ResendMost at last (2 min).
	ResendAfter, ResendMost time.Duration
	// ReconnectAfter is how long to wait before connecting again at first (0.5 s), ReconnectMost at last (1 min).
	ReconnectAfter, ReconnectMost time.Duration
	// Skew is by how much the device's clock may be behind the node's when an epoch ends: 15 s, at most a tenth of the epoch.
	Skew time.Duration
	// Connecting and Attesting bound what many agents in one process do at the same time; nil does not.
	Connecting, Attesting *semaphore.Weighted
	// Acknowledged is told about every frame that the node has stored. It must not block.
	Acknowledged func(Delivery)
	// UnsafeMeddle is called after each frame that is sent for the first time. It is for tests of a node, and makes the
	// device misbehave.
	UnsafeMeddle func(Sent)
	// Now is the device's clock; time.Now by default.
	Now func() time.Time
	// Logger is told what goes wrong; nil discards it.
	Logger *slog.Logger
}

// Delivery is a frame that arrived.
type Delivery struct {
	Sequence uint64
	Kind     frame.Kind
	// Readings is how many readings or meterings it held.
	Readings int
	// After is how long it took from Publish to the acknowledgement; 0 for a frame from before a restart.
	After time.Duration
}

func (o Options) withDefaults() (Options, error) {
	broker, err := url.Parse(o.Broker)
	if err != nil || broker.Scheme != "tls" || broker.Hostname() == "" || broker.Port() == "" {
		return o, fmt.Errorf("broker %q is not of the form tls://HOST:PORT", o.Broker)
	}
	if o.ServerName == "" {
		o.ServerName = broker.Hostname()
	}
	if o.Roots == nil {
		return o, errors.New("roots are missing: they say which certificate is the broker's")
	}
	if err := o.checkGenesis(); err != nil {
		return o, err
	}
	if o.Window == 0 {
		o.Window = MaxWindow - reserve
	}
	if o.Window < 1 || o.Window > MaxWindow-reserve {
		return o, fmt.Errorf("window of %d frames: must be 1 to %d", o.Window, MaxWindow-reserve)
	}
	if err := o.durations(); err != nil {
		return o, err
	}
	if o.State == nil {
		o.State = inMemory{}
	}
	if o.Approve == nil {
		o.Approve = Plausible
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func (o *Options) checkGenesis() error {
	if o.Genesis == nil {
		return errors.New("genesis is missing: it says when epochs end")
	}
	if err := o.Genesis.Check(); err != nil {
		return err
	}
	if id := o.Genesis.ID(); id != o.Ledger {
		return fmt.Errorf("genesis is that of ledger %s, not of %s", id, o.Ledger)
	}
	return nil
}

func (o *Options) durations() error {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.ResendAfter, 10 * time.Second}, {&o.ResendMost, 2 * time.Minute},
		{&o.ReconnectAfter, 500 * time.Millisecond}, {&o.ReconnectMost, time.Minute}, {&o.Skew, 15 * time.Second},
	} {
		if *d.field < 0 {
			return fmt.Errorf("a duration of %s is negative", *d.field)
		}
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return nil
}
