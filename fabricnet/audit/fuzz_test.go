package audit

import (
	"bytes"
	"testing"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/peer"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/contract/contracttest"
	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// Repeated fields are counted before they are decoded.
func TestBounds(t *testing.T) {
	empties := func(field protowire.Number, n int) []byte {
		var b []byte
		for range n {
			b = protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), nil)
		}
		return b
	}
	wrap := func(field protowire.Number, b []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), b)
	}
	header := wrap(1, nil)
	for name, b := range map[string][]byte{
		"transactions": append(wrap(2, empties(1, maxTransactions+1)), header...),
		"metadata":     append(wrap(3, empties(1, maxMetadata+1)), header...),
		"data twice":   append(append(wrap(2, empties(1, 1)), wrap(2, empties(1, 1))...), header...),
		"no header":    wrap(2, empties(1, 1)),
		"cut short":    append(header, 0x12),
	} {
		if _, err := decodeBlock(b); err == nil {
			t.Errorf("%s: is taken", name)
		}
	}
	half := empties(1, maxElements/2+1)
	for name, b := range map[string][]byte{
		"namespaces":         empties(2, maxElements+1),
		"collections":        wrap(2, empties(3, maxElements)),
		"reads":              wrap(2, wrap(2, empties(1, maxElements+1))),
		"reads of a range":   wrap(2, wrap(2, wrap(2, wrap(4, empties(1, maxElements))))),
		"metadata":           wrap(2, wrap(2, wrap(4, empties(2, maxElements)))),
		"in two collections": wrap(2, append(wrap(3, wrap(2, half)), wrap(3, wrap(2, half))...)),
	} {
		if _, err := decodeRWSet(b); err == nil {
			t.Errorf("%s: are taken", name)
		}
	}
	if _, err := decodeBlock(append(wrap(2, empties(1, maxTransactions)), header...)); err != nil {
		t.Error(err)
	}
}

// fuzzed are blocks of a sound channel, to begin with.
func fuzzed(f *testing.F) *channel {
	c := founded(f)
	c.order(c.fleet("a"), valid)
	c.order(c.define("other", c.peersOf(contracttest.Regulator)), valid)
	c.cut()
	c.submit(contracttest.Regulator, ledger.FnOpenEpoch, ledger.OpenEpoch{Epoch: 100}, nil)
	return c
}

// A block from anywhere is refused or found wanting, and nothing else happens.
func FuzzBlock(f *testing.F) {
	c := fuzzed(f)
	for _, b := range c.blocks {
		f.Add(marshal(b))
	}
	config := c.config()
	f.Fuzz(func(t *testing.T, b []byte) {
		blocks := func(yield func([]byte, error) bool) {
			for _, known := range c.blocks[:3] {
				if !yield(marshal(known), nil) {
					return
				}
			}
			yield(b, nil)
		}
		if _, err := Run(t.Context(), config, blocks); err != nil {
			t.Fatal(err)
		}
		ChannelGenesis(b) //nolint:errcheck // must not panic
	})
}

// What a member hands to the orderers may be anything that it can sign.
func FuzzTransaction(f *testing.F) {
	c := fuzzed(f)
	conf, err := readConfiguration(mustDecode(marshal(c.blocks[0])))
	if err != nil {
		f.Fatal(err)
	}
	p := c.fleet("b")
	payload := new(common.Payload)
	if err := proto.Unmarshal(c.envelope(p).Payload, payload); err != nil {
		f.Fatal(err)
	}
	f.Add(p.header.ChannelHeader, payload.Data)
	a := &auditor{Config: &Config{Genesis: c.genesis, Chaincode: contractName}, report: newReport(&Config{Genesis: c.genesis})}
	a.conf = conf
	f.Fuzz(func(_ *testing.T, header, data []byte) {
		h := &common.Header{ChannelHeader: header, SignatureHeader: p.header.SignatureHeader}
		encoded := marshal(&common.Payload{Header: h, Data: data})
		tx := conf.readTransaction(0, marshal(&common.Envelope{Payload: encoded, Signature: p.creator.sign(encoded)}))
		if tx.action == nil || tx.channel == nil {
			return
		}
		if err := tx.load(); err != nil {
			return
		}
		recorded(tx)   //nolint:errcheck // must not panic
		a.readCall(tx) //nolint:errcheck // must not panic
	})
}

// An action that is taken apart is what protobuf makes of it.
func FuzzAction(f *testing.F) {
	c := fuzzed(f)
	payload, tx := new(common.Payload), new(peer.Transaction)
	if err := proto.Unmarshal(c.envelope(c.fleet("b")).Payload, payload); err != nil {
		f.Fatal(err)
	}
	if err := proto.Unmarshal(payload.Data, tx); err != nil {
		f.Fatal(err)
	}
	f.Add(tx.Actions[0].Payload)
	f.Add([]byte{0x12, 0, 0x0a, 1, 7, 0x0a, 0, 0x12, 4, 0x12, 2, 0x0a, 0, 0x08, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := new(peer.ChaincodeActionPayload)
		failed := proto.Unmarshal(b, whole)
		a, err := splitAction(b)
		if (err == nil) != (failed == nil) {
			t.Fatal(err, failed)
		}
		if err != nil {
			return
		}
		if !bytes.Equal(a.proposal, whole.ChaincodeProposalPayload) || !bytes.Equal(a.response, whole.GetAction().GetProposalResponsePayload()) {
			t.Error("another proposal or response")
		}
		i, all := 0, whole.GetAction().GetEndorsements()
		for e := range a.endorsements() {
			if i == len(all) || !bytes.Equal(e.identity, all[i].Endorser) || !bytes.Equal(e.value, all[i].Signature) {
				t.Fatalf("endorsement %d is another", i)
			}
			i++
		}
		if i != len(all) {
			t.Errorf("%d endorsements of %d", i, len(all))
		}
	})
}

func mustDecode(b []byte) *block {
	out, err := decodeBlock(b)
	if err != nil {
		panic(err)
	}
	return out
}

// A channel's configuration is the consortium's, but a file that is said to hold it may be anything.
func FuzzConfiguration(f *testing.F) {
	for _, consensus := range []string{consensusRaft, consensusBFT} {
		f.Add(newChannel(f, consensus).blocks[0].Data.Data[0])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readConfiguration(&block{data: [][]byte{b}})
		if err != nil {
			return
		}
		c.checkSeal(&block{data: [][]byte{b}, metadata: [][]byte{b}}) //nolint:errcheck // must not panic
		c.meets(blockValidation, nil)                                 //nolint:errcheck // must not panic
	})
}

func FuzzRWSet(f *testing.F) {
	c := fuzzed(f)
	f.Add(marshal(c.fleet("b").rwset))
	f.Add(marshal(c.call(contracttest.Lender, ledger.QueryFleets, ledger.Nothing{}, nil).rwset))
	f.Fuzz(func(t *testing.T, b []byte) {
		sets, err := decodeRWSet(b)
		if err != nil {
			return
		}
		s, err := inMemory()
		if err != nil {
			t.Fatal(err)
		}
		err = update(s, func(s *state) error {
			if _, err := s.checkReads(sets); err != nil {
				return err
			}
			return s.apply(sets, version{1, 1})
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzReport(f *testing.F) {
	g, r := signed(f)
	f.Add(r.encode())
	r.Requests = append(r.Requests, Request{ID: commit.Digest{1}, Decided: &DecisionStep{Reasons: []string{"no"}}})
	f.Add(r.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseReport(b)
		if err != nil {
			return
		}
		r.Verify(g, Expected{}) //nolint:errcheck // must not panic
		if _, err := ParseReport(r.encode()); err != nil {
			t.Error(err)
		}
	})
}
