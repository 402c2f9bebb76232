package agent

import (
	"github.com/assay-net/assay/datahub/telemetry/frame"
	"github.com/assay-net/assay/zk/commit"
)

// Sent is a frame that was just sent, with what it takes to send something wrong after it. It is for tests of a node.
type Sent struct {
	sealed     []byte
	plain      []byte
	transport  frame.TransportKey
	agent      *Agent
	connection *connection
}

// Device is the device that sent it.
func (s Sent) Device() commit.DeviceID { return s.agent.device.ID() }

// Wire is what went over the connection.
func (s Sent) Wire() []byte { return s.sealed }

// Frame is a copy of the frame.
func (s Sent) Frame() (*frame.Frame, error) { return frame.Parse(s.plain) }

// Sign signs a frame with the device's key.
func (s Sent) Sign(f *frame.Frame) error {
	return f.Sign(s.agent.options.Ledger, s.agent.device.Signer())
}

// Seal seals a frame as the device would.
func (s Sent) Seal(f *frame.Frame) []byte {
	return frame.Seal(s.transport, frame.Up, s.Device(), f.Marshal())
}

// Publish sends bytes in the name of a device over this device's connection.
func (s Sent) Publish(as commit.DeviceID, b []byte) error {
	return s.connection.publish(upTopic(as), b)
}
