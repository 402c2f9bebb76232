package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/zk/commit"
)

// block is a decoded block with its header as it is signed and hashed.
type block struct {
	number   uint64
	previous []byte
	dataHash []byte
	header   []byte
	hash     commit.Digest
	data     [][]byte
	metadata [][]byte
	// odd are the transactions in an encoding that orderers do not make.
	odd []int
}

// once lets a block have each of its three parts one time: protobuf would merge repeated ones, and their bounds would not be what was counted.
var once = limits{1: 1, 2: 1, 3: 1}

func decodeBlock(b []byte) (*block, error) {
	if err := count(b, once); err != nil {
		return nil, err
	}
	if err := count(inner(b, 2), limits{1: maxTransactions}); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if err := count(inner(b, 3), limits{1: maxMetadata}); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	m := new(common.Block)
	if err := decode("block", b, m, nil); err != nil {
		return nil, err
	}
	if m.Header == nil {
		return nil, errors.New("has no header")
	}
	out := &block{
		number: m.Header.Number, previous: m.Header.PreviousHash, dataHash: m.Header.DataHash,
		data: m.GetData().GetData(), metadata: m.GetMetadata().GetMetadata(),
	}
	out.header = headerBytes(m.Header)
	out.hash = sha256.Sum256(out.header)
	return out, nil
}

// headerBytes is the header as Fabric signs and hashes it: an ASN.1 sequence of number, previous hash and data hash.
func headerBytes(h *common.BlockHeader) []byte {
	b, err := asn1.Marshal(struct {
		Number                 *big.Int
		PreviousHash, DataHash []byte
	}{new(big.Int).SetUint64(h.Number), h.PreviousHash, h.DataHash})
	if err != nil {
		panic(fmt.Sprintf("encoding a block header: %v", err)) // an integer and two byte strings cannot fail
	}
	return b
}

// checkFollows holds the block against the one before it.
func (b *block) checkFollows(number uint64, previous commit.Digest) error {
	if b.number != number {
		return fmt.Errorf("its header has number %d", b.number)
	}
	if !bytes.Equal(b.previous, previous[:]) {
		return fmt.Errorf("its header names %x as the hash of the block before, which is %s", b.previous, previous)
	}
	return nil
}

// checkData compares the data with their hash in the header. The hash runs over all transactions in a row and does not show where one ends, so each must be an envelope with one
// payload and one signature: then no other boundaries give other transactions, and these are where they were signed.
func (b *block) checkData() error {
	if len(b.data) == 0 {
		return errors.New("holds no transaction")
	}
	h := sha256.New()
	for _, d := range b.data {
		h.Write(d)
	}
	if sum := h.Sum(nil); !bytes.Equal(sum, b.dataHash) {
		return fmt.Errorf("its data have hash %x, its header names %x", sum, b.dataHash)
	}
	if b.number == 0 {
		return nil // signed by nobody, and taken only if it holds one transaction
	}
	for i, d := range b.data {
		if err := checkEnvelope(d); err != nil {
			return fmt.Errorf("transaction %d: %w", i, err)
		}
		if !canonical(d) {
			b.odd = append(b.odd, i)
		}
	}
	return nil
}

func checkEnvelope(encoded []byte) error {
	if !wellFormed(encoded) {
		return errors.New("envelope: not a protobuf message of its type")
	}
	for field, what := range map[protowire.Number]string{1: "payload", 2: "signature"} {
		found := slices.Collect(fields(encoded, field))
		if len(found) != 1 || len(found[0]) == 0 {
			return fmt.Errorf("envelope: has not one %s, so its block can be read in more than one way", what)
		}
	}
	return nil
}

// canonical reports whether an envelope is in the encoding that orderers give it.
func canonical(encoded []byte) bool {
	envelope := new(common.Envelope)
	if decode("envelope", encoded, envelope, nil) != nil {
		return false
	}
	again, err := proto.Marshal(envelope)
	return err == nil && bytes.Equal(again, encoded)
}

// configuration gives the payload of a block that holds a configuration and nothing else.
func (b *block) configuration() (*common.Payload, bool) {
	if len(b.data) != 1 {
		return nil, false
	}
	payload, header, ok := channelHeader(b.data[0])
	return payload, ok && common.HeaderType(header.Type) == common.HeaderType_CONFIG
}

// channelHeader reads the payload of an envelope and its channel header.
func channelHeader(encoded []byte) (*common.Payload, *common.ChannelHeader, bool) {
	envelope, payload, header := new(common.Envelope), new(common.Payload), new(common.ChannelHeader)
	if decode("", encoded, envelope, nil) != nil || decode("", envelope.Payload, payload, nil) != nil || decode("", payload.GetHeader().GetChannelHeader(), header, nil) != nil {
		return nil, nil, false
	}
	return payload, header, true
}

// flags are the validation codes that a peer recorded, one a transaction; nil in a block that comes from an orderer.
func (b *block) flags() ([]byte, error) {
	if len(b.metadata) <= int(common.BlockMetadataIndex_TRANSACTIONS_FILTER) {
		return nil, nil
	}
	f := b.metadata[common.BlockMetadataIndex_TRANSACTIONS_FILTER]
	if len(f) != 0 && len(f) != len(b.data) {
		return nil, fmt.Errorf("has %d transactions and validation codes for %d", len(b.data), len(f))
	}
	return f, nil
}

// ChannelGenesis reads a channel's genesis block, as an organisation got it when it joined, and gives what pins it: the hash of its header, which covers its
// configuration.
func ChannelGenesis(encoded []byte) (commit.Digest, error) {
	b, err := decodeBlock(encoded)
	if err != nil {
		return commit.Digest{}, fmt.Errorf("channel's genesis block: %w", err)
	}
	if b.number != 0 {
		return commit.Digest{}, fmt.Errorf("channel's genesis block: has number %d", b.number)
	}
	if err := b.checkData(); err != nil {
		return commit.Digest{}, fmt.Errorf("channel's genesis block: %w", err)
	}
	if _, err := readConfiguration(b); err != nil {
		return commit.Digest{}, fmt.Errorf("channel's genesis block: %w", err)
	}
	return b.hash, nil
}
