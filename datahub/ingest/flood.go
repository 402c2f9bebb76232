package ingest

import (
	"context"
	"math"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// watchEvery is how often it is looked at what devices send in all.
const watchEvery = 15 * time.Second

// traffic is what a connection has sent since it stands.
type traffic struct {
	id              commit.DeviceID
	messages, bytes int64
}

// trafficOf reads what each MQTT connection has sent, by connection.
func trafficOf(s *server.Server) map[uint64]traffic {
	all, err := s.Connz(&server.ConnzOptions{Limit: math.MaxInt32, State: server.ConnOpen})
	if err != nil {
		return nil
	}
	out := make(map[uint64]traffic, len(all.Conns))
	for _, c := range all.Conns {
		if id, ok := parseID(c.MQTTClient); ok {
			out[c.Cid] = traffic{id, c.InMsgs, c.InBytes}
		}
	}
	return out
}

// watchFloods has devices disconnected that send far more than they may. What the stream refuses, since a device's backlog is full, and what a
// device publishes where it may not, does not come to the pipeline, and costs the embedded broker all the same.
func (p *Pipeline) watchFloods(ctx context.Context) {
	if p.o.Broker.embedded == nil {
		return
	}
	before := map[uint64]traffic{}
	for sleep(ctx, watchEvery) {
		now := trafficOf(p.o.Broker.embedded.server)
		for _, id := range p.limits.floods(before, now, watchEvery) {
			p.metrics.banned.Inc()
			p.notice("device disconnected: it floods the broker", "device", id, "for", p.o.BanFor)
			if err := p.o.Broker.Ban(id, p.o.BanFor); err != nil {
				p.notice("device not disconnected", "device", id, "error", err)
			}
		}
		before = now
	}
}

// floods finds the devices that sent more, between two looks, than three times what they may, and a full backlog, and what may be
// dropped. Less than that comes to the pipeline, which is more exact. It reads only what does not change.
func (l *limiter) floods(before, now map[uint64]traffic, between time.Duration) (out []commit.DeviceID) {
	most := 3*(l.burst+l.rate*between.Seconds()) + l.byteBurst/unit + float64(l.banAfter)
	for connection, t := range now {
		then := before[connection]
		if float64(t.messages-then.messages)+float64(t.bytes-then.bytes)/unit > most {
			out = append(out, t.id)
		}
	}
	return out
}

// largestBacklog is what the broker keeps of a device, in bytes.
func (b Backlog) largestBacklog() float64 { return float64(b.PerDevice) * frame.MaxFrame }
