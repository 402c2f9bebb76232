package admin

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
)

// Fabric's messages, as the library has them, are of the first protobuf interface.

func encode(m protoadapt.MessageV1) ([]byte, error) {
	return proto.MarshalOptions{Deterministic: true}.Marshal(protoadapt.MessageV2Of(m))
}

func decode(b []byte, m protoadapt.MessageV1) error {
	return proto.Unmarshal(b, protoadapt.MessageV2Of(m))
}

func equal(x, y protoadapt.MessageV1) bool {
	return proto.Equal(protoadapt.MessageV2Of(x), protoadapt.MessageV2Of(y))
}
