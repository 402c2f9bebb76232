package agent

import (
	"crypto/rand"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// node plays the owner's node, by the rules of package frame and with nothing but memory.
type node struct {
	t       *testing.T
	ledger  commit.Digest
	genesis *ledger.Genesis
	srs     commit.Digest
	conn    *nats.Conn

	mu      sync.Mutex
	seats   map[commit.DeviceID]*seated
	hellos  int
	silent  bool                           // takes nothing
	swallow func(a *frame.Ack) (lost bool) // loses acknowledgements
	change  func(o *frame.Offer)           // alters offers before they are sealed
	sign    func(o *frame.Offer, ephemeral []byte, id commit.DeviceID)
}

// seated is what the node knows of a device.
type seated struct {
	key                                          commit.PublicKey
	slot                                         uint32
	generation                                   uint32
	secret                                       commit.Secret
	transport                                    frame.TransportKey
	through                                      uint64
	times                                        []int64 // of readings, in order of arrival
	frames                                       map[uint64]commit.Digest
	accepts                                      []*frame.Accept
	reports                                      []*frame.Report
	duplicates, early, gaps, conflicts, unopened int
}

func newNode(t *testing.T, b *broker) *node {
	g := contracttest.WithKeys(contracttest.Genesis())
	g.EpochZero, g.EpochSeconds, g.AnchorWindowSeconds = 1_700_000_000, 3600, 1800
	n := &node{t: t, genesis: g, ledger: g.ID(), srs: commit.Digest{2}, seats: map[commit.DeviceID]*seated{}}
	n.attach(b)
	return n
}

// attach connects to a broker that has just started.
func (n *node) attach(b *broker) {
	n.t.Helper()
	conn, err := nats.Connect("", nats.InProcessServer(b.running))
	if err != nil {
		n.t.Fatal(err)
	}
	for _, subject := range []string{"assay.v1.*.hello", "assay.v1.*.up"} {
		if _, err := conn.Subscribe(subject, n.take); err != nil {
			n.t.Fatal(err)
		}
	}
	if err := conn.Flush(); err != nil {
		n.t.Fatal(err)
	}
	n.mu.Lock()
	n.conn = conn
	n.mu.Unlock()
}

func (n *node) take(m *nats.Msg) {
	parts := strings.Split(m.Subject, ".")
	var id commit.DeviceID
	if err := id.UnmarshalText([]byte(parts[2])); err != nil {
		n.t.Errorf("subject %s: %v", m.Subject, err)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.silent {
		return
	}
	if parts[3] == "hello" {
		n.hello(id, m.Data)
		return
	}
	if s := n.seats[id]; s != nil {
		n.up(id, s, m.Data)
	}
}

func (n *node) hello(id commit.DeviceID, b []byte) {
	n.hellos++
	h, err := frame.ParseHello(b)
	if err != nil {
		n.t.Errorf("hello: %v", err)
		return
	}
	certificate, err := h.Verify(n.ledger)
	if err != nil || certificate.Key.DeviceID() != id {
		n.t.Errorf("hello of %s: %v", id, err)
		return
	}
	s := n.seats[id]
	if s == nil {
		s = &seated{key: certificate.Key, slot: uint32(len(n.seats)), secret: commit.NewSecret(), frames: map[uint64]commit.Digest{}}
		rand.Read(s.transport[:])
		n.seats[id] = s
	}
	o := &frame.Offer{
		Ledger: n.ledger, SRS: n.srs, Fleet: "fleet", Size: 64, Slot: s.slot, Generation: s.generation, Secret: s.secret,
		Transport: s.transport, EpochZero: n.genesis.EpochZero, EpochSeconds: n.genesis.EpochSeconds, Through: s.through,
	}
	if n.change != nil {
		n.change(o)
	}
	if n.sign != nil {
		n.sign(o, h.Ephemeral, id)
	}
	sealed, err := o.SealTo(h.Ephemeral, id)
	if err != nil {
		n.t.Errorf("offer: %v", err)
		return
	}
	n.down(id, sealed)
}

func (n *node) down(id commit.DeviceID, b []byte) {
	if err := n.conn.Publish("assay.v1."+id.String()+".down", b); err != nil {
		n.t.Logf("down: %v", err) // the broker is stopping
	}
}

func (n *node) up(id commit.DeviceID, s *seated, b []byte) {
	plain, err := frame.Open(s.transport, frame.Up, id, b)
	if err != nil {
		s.unopened++
		return
	}
	f, err := frame.Parse(plain)
	if err != nil {
		s.unopened++
		return
	}
	if err := f.Verify(n.ledger, s.key); err != nil {
		s.unopened++
		return
	}
	digest := commit.SRSFileDigest(f.Content()) // any digest
	switch {
	case f.Sequence <= s.through:
		if s.duplicates++; s.frames[f.Sequence] != digest {
			s.conflicts++
		}
	case f.Sequence == s.through+1, f.Oldest == f.Sequence:
		if f.Sequence != s.through+1 {
			s.gaps++
		}
		s.through, s.frames[f.Sequence] = f.Sequence, digest
		n.content(id, s, f)
	default:
		s.early++
	}
	n.say(id, s, &frame.Ack{Through: s.through})
}

func (n *node) content(id commit.DeviceID, s *seated, f *frame.Frame) {
	switch f.Kind {
	case frame.KindReadings:
		readings, err := frame.ParseReadings(f.Payload)
		if err != nil {
			n.t.Errorf("readings: %v", err)
		}
		for i := range readings {
			s.times = append(s.times, readings[i].TimeMicros)
		}
	case frame.KindAccept:
		a, err := frame.ParseAccept(f.Payload)
		if err != nil {
			n.t.Errorf("acceptance: %v", err)
			return
		}
		keys := []commit.SlotKey{{Slot: a.Slot, Key: s.key}}
		if err := commit.CheckPossessions(n.ledger, a.Fleet, a.Chunk, keys, []commit.Possession{{Until: a.Until, Signature: a.Possession}}); err != nil {
			n.t.Errorf("acceptance: %v", err)
		}
		s.accepts = append(s.accepts, a)
	case frame.KindReport:
		r, err := frame.ParseReport(f.Payload)
		if err != nil {
			n.t.Errorf("report: %v", err)
		}
		s.reports = append(s.reports, r)
	}
}

func (n *node) say(id commit.DeviceID, s *seated, m frame.Message) {
	if ack, ok := m.(*frame.Ack); ok && n.swallow != nil && n.swallow(ack) {
		return
	}
	b, err := frame.MarshalDown(m)
	if err != nil {
		n.t.Errorf("down: %v", err)
		return
	}
	n.down(id, frame.Seal(s.transport, frame.Down, id, b))
}

// tell says something to a device out of turn.
func (n *node) tell(id commit.DeviceID, m frame.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.say(id, n.seats[id], m)
}

// with looks at what the node knows of a device.
func (n *node) with(id commit.DeviceID, do func(s *seated)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.seats[id]; s != nil {
		do(s)
	}
}

// set changes how the node behaves.
func (n *node) set(do func(n *node)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do(n)
}
