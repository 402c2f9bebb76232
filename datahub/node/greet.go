package node

import (
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/assay-net/assay/datahub/ingest"
	"github.com/assay-net/assay/datahub/store"
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// greeter gives devices their seats and enrols those that accept.
type greeter struct {
	devices *devices
	secrets *secrets
	store   deviceStore
	genesis *ledger.Genesis
	srs     commit.Digest
	signer  crypto.Signer // signs offers as the organisation
	wake    chan struct{} // tells the enroller that there is something to do
	clock   func() time.Time
}

type deviceStore interface {
	PutDevices(ctx context.Context, devices []store.Device) error
}

// Greet answers hellos. A device that has a seat is told again; one that has none, or has left it, is given one. Seats are stored before anybody hears of them.
func (g *greeter) Greet(ctx context.Context, greetings []ingest.Greeting) []ingest.Answer {
	answers := make([]ingest.Answer, len(greetings))
	seated, err := g.seat(ctx, greetings, answers)
	if err != nil {
		for i := range answers {
			if answers[i].Err == nil {
				answers[i].Err = err
			}
		}
		return answers
	}
	for i := range greetings {
		if answers[i].Err == nil {
			answers[i].Down, answers[i].Err = g.offer(&greetings[i], seated[greetings[i].Device])
		}
	}
	return answers
}

// seat finds or makes the entries of the devices that greet. What is wrong with one of them goes into its answer.
func (g *greeter) seat(ctx context.Context, greetings []ingest.Greeting, answers []ingest.Answer) (map[commit.DeviceID]member, error) {
	seated := map[commit.DeviceID]member{}
	var fresh []store.Device
	for i := range greetings {
		id := greetings[i].Device
		if _, done := seated[id]; done {
			continue
		}
		f, err := g.devices.admit(ctx, greetings[i].Certificate)
		if err != nil {
			answers[i].Err = err
			continue
		}
		before, err := g.before(f, id)
		if err == nil && before != nil && before.State != store.Retired {
			seated[id] = *before
			continue
		}
		row := store.Device{}
		if err == nil {
			row, err = g.assign(f, id, greetings[i].Certificate, before)
		}
		if err != nil {
			answers[i].Err = err
			continue
		}
		fresh = append(fresh, row)
		seated[id] = member{}
	}
	if len(fresh) == 0 {
		return seated, nil
	}
	return seated, g.welcome(ctx, fresh, greetings, seated)
}

// before is the device's entry, if it has one. It is an error if the device was retired and is not to come back.
func (g *greeter) before(f *Fleet, id commit.DeviceID) (*member, error) {
	m, known := g.devices.get(id)
	switch {
	case !known:
		return nil, nil
	case m.State == store.Retired && m.From != 0 && !f.Readmit:
		return nil, errRetired
	case m.State == store.Offered:
		g.devices.change(id, func(m *member) { m.Offered = g.clock() }) // it is heard of, so the seat stays its own
	}
	return &m, nil
}

// welcome stores new devices and makes them known. A seat whose storing failed stays unused: seats are many, and one given twice would be an error of
// the other kind.
func (g *greeter) welcome(ctx context.Context, fresh []store.Device, greetings []ingest.Greeting, seated map[commit.DeviceID]member) error {
	derived, err := g.secrets.of(ctx, fresh)
	if err != nil {
		g.giveBack(fresh)
		return err
	}
	if err := g.store.PutDevices(ctx, fresh); err != nil {
		return err
	}
	keys := map[commit.DeviceID]commit.PublicKey{}
	for i := range greetings {
		keys[greetings[i].Device] = greetings[i].Certificate.Key
	}
	g.devices.mu.Lock()
	defer g.devices.mu.Unlock()
	for i, row := range fresh {
		m := &member{Device: row, key: keys[row.ID], secret: derived[i].secret, transport: derived[i].transport}
		g.devices.byID[row.ID] = m
		seated[row.ID] = *m
	}
	return nil
}

func (g *greeter) offer(greeting *ingest.Greeting, m member) ([]byte, error) {
	f := g.devices.fleet(m.Fleet)
	if f == nil {
		return nil, fmt.Errorf("device %s is of fleet %s, which the configuration does not have any more", m.ID, m.Fleet)
	}
	o := &frame.Offer{
		Ledger: g.genesis.ID(), SRS: g.srs, Fleet: m.Fleet, Chunk: m.Chunk, Size: f.ChunkSize, Slot: m.Slot, Generation: m.Generation,
		Secret: m.secret, Transport: m.transport, EpochZero: g.genesis.EpochZero, EpochSeconds: g.genesis.EpochSeconds, Through: greeting.Through,
	}
	if err := o.Sign(g.signer, greeting.Hello.Ephemeral, m.ID); err != nil {
		return nil, err
	}
	return o.SealTo(greeting.Hello.Ephemeral, m.ID)
}

var errSeat = errors.New("accepts another seat than it was offered")

// accept takes a device's signature over its seat.
func (g *greeter) accept(u *ingest.Upload, a *frame.Accept) (*store.Device, error) {
	m, ok := g.devices.get(u.Known.ID)
	if !ok {
		return nil, ingest.ErrTryAgain
	}
	if a.Fleet != m.Fleet || a.Chunk != m.Chunk || a.Slot != m.Slot || a.Generation != m.Generation {
		return nil, errSeat
	}
	if m.State == store.Retired {
		return nil, errSeat
	}
	if m.State != store.Offered {
		return nil, nil // again; the ledger has it, or will
	}
	key, possession := []commit.SlotKey{{Slot: m.Slot, Key: m.key}}, commit.Possession{Until: a.Until, Signature: a.Possession}
	if err := commit.CheckPossessions(g.genesis.ID(), m.Fleet, m.Chunk, key, []commit.Possession{possession}); err != nil {
		return nil, err
	}
	if epoch, err := g.genesis.EpochAt(g.clock()); err == nil && a.Until < epoch {
		return nil, fmt.Errorf("agrees to its seat until epoch %d, and this is epoch %d: its clock may be behind", a.Until, epoch)
	}
	row := g.devices.change(m.ID, func(m *member) { m.State, m.Possession = store.Accepted, storedPossession(possession) })
	return &row, nil
}

// storedPossession is a possession as the store has it: until when, then the signature.
func storedPossession(p commit.Possession) []byte {
	return append(binary.BigEndian.AppendUint64(nil, p.Until), p.Signature...)
}

// possessionOf undoes storedPossession. What is no possession has lapsed.
func possessionOf(b []byte) commit.Possession {
	if len(b) != 8+commit.SignatureBytes {
		return commit.Possession{}
	}
	return commit.Possession{Until: binary.BigEndian.Uint64(b), Signature: b[8:]}
}

// nudge wakes the enroller.
func (g *greeter) nudge() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}
