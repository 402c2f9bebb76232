package frame

import (
	"crypto/ed25519"
	"crypto/rand"
	"testing"

	"github.com/assay-net/assay/datahub/health"
	"github.com/assay-net/assay/datahub/telemetry"
	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/record"
)

var testLedger = commit.Digest{1, 2, 3}

// newKey draws a device's key.
func newKey(t testing.TB) (ed25519.PrivateKey, commit.PublicKey) {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := commit.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return private, key
}

func newTransport() (k TransportKey) {
	rand.Read(k[:])
	return k
}

// someReadings are as a battery management system sends them.
func someReadings(n int) []telemetry.Reading {
	out := make([]telemetry.Reading, n)
	for i := range out {
		out[i] = telemetry.Reading{
			TimeMicros:    1_795_000_000_000_000 + int64(i)*1_000_000,
			VoltageMicroV: health.Known(380_250_000 - int64(i)), CurrentMicroA: health.Known(-25_000_000), StateOfCharge: health.Known(5512),
			HottestMilliC: health.Known(31_000), ColdestMilliC: health.Known(28_500),
			LowestCellMicroV: health.Known(3_790_000), HighestCellMicroV: health.Known(3_806_000),
		}
	}
	return out
}

func signed(t testing.TB, sequence uint64) (*Frame, commit.PublicKey) {
	t.Helper()
	private, key := newKey(t)
	payload, err := MarshalReadings(someReadings(10))
	if err != nil {
		t.Fatal(err)
	}
	f := &Frame{Device: key.DeviceID(), Sequence: sequence, Oldest: 1, SentMicros: 1_795_000_000_000_000, Kind: KindReadings, Payload: payload}
	if err := f.Sign(testLedger, private); err != nil {
		t.Fatal(err)
	}
	return f, key
}

var someRecord = record.Record{1, 9342, 5120, 900, 46710, 35, 782, 2}
