package ingest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/assay-net/assay/datahub/telemetry/frame"
)

const benchDevices = 1000

// prepared is frames of ten readings each, of many devices in turn.
func prepared(b *testing.B, n *testNode) (devices []*testDevice, frames [][]byte) {
	b.Helper()
	for i := range benchDevices {
		devices = append(devices, n.device(fmt.Sprint(i)))
	}
	frames = make([][]byte, b.N)
	for i := range frames {
		d := devices[i%benchDevices]
		frames[i] = d.sealed(d.newFrame(uint64(i/benchDevices + 1)))
	}
	return devices, frames
}

func benchNode(b *testing.B) *testNode {
	return newTestNode(b, func(o *Options) { o.DeviceRate, o.DeviceBurst = 1e6, 1e6 })
}

func (n *testNode) awaitAccepted(b *testing.B) {
	b.Helper()
	for deadline := time.Now().Add(time.Minute); n.value("accepted_total", "") < float64(b.N); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%v of %d frames", n.value("accepted_total", ""), b.N)
		}
	}
	b.ReportMetric(float64(10*b.N)/b.Elapsed().Seconds(), "readings/s")
	for _, f := range must(n.metrics.Gather()) {
		for _, m := range f.GetMetric() {
			if h := m.GetHistogram(); h != nil && len(m.GetLabel()) == 1 {
				b.ReportMetric(h.GetSampleSum(), m.GetLabel()[0].GetValue()+"_s")
			} else if f.GetName() == "assay_ingest_batch_messages" {
				b.ReportMetric(h.GetSampleSum()/float64(h.GetSampleCount()), "frames/batch")
			}
		}
	}
}

// BenchmarkPipeline takes prepared frames out of the broker's stream into the store: everything but MQTT, TLS and the devices.
func BenchmarkPipeline(b *testing.B) {
	n := benchNode(b)
	devices, frames := prepared(b, n)
	conn := n.broker.Conn()
	b.ResetTimer()
	for i, f := range frames {
		if err := conn.Publish(subject(devices[i%benchDevices].id, wordUp), f); err != nil {
			b.Fatal(err)
		}
		if i%1000 == 999 { // no more than the backlog of a device
			for n.value("accepted_total", "") < float64(i-100*benchDevices) {
				time.Sleep(time.Millisecond)
			}
		}
	}
	n.awaitAccepted(b)
}

// BenchmarkMQTT is the same with the frames coming over MQTT and TLS, a connection for each device.
func BenchmarkMQTT(b *testing.B) {
	n := benchNode(b)
	devices, frames := prepared(b, n)
	clients := make([]mqtt.Client, len(devices))
	for i, d := range devices {
		clients[i] = n.broker.connect(b, d)
	}
	b.ResetTimer()
	var wg sync.WaitGroup
	const publishers = 8 // divides the devices, so that each has one
	for p := range publishers {
		wg.Go(func() {
			var tokens []mqtt.Token
			for i := p; i < len(frames); i += publishers {
				tokens = append(tokens, clients[i%benchDevices].Publish(devices[i%benchDevices].topic(wordUp), 1, false, frames[i]))
			}
			for _, t := range tokens {
				if err := wait(t); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	n.awaitAccepted(b)
}

// BenchmarkExamine opens, verifies and decodes one frame.
func BenchmarkExamine(b *testing.B) {
	n := benchNode(b)
	d := n.device("1")
	data := d.sealed(d.newFrame(1))
	b.ReportMetric(float64(len(data)), "B/frame")
	for b.Loop() {
		it := &item{id: d.id, word: wordUp, data: data}
		if n.pipeline.examine(it); it.reason != "" {
			b.Fatal(it.detail)
		}
	}
}

// BenchmarkSign is what a device does for a frame.
func BenchmarkSign(b *testing.B) {
	n := benchNode(b)
	dev := n.device("1")
	f := dev.newFrame(1)
	for b.Loop() {
		frame.Seal(dev.transport, frame.Up, dev.id, dev.signed(f))
	}
}
