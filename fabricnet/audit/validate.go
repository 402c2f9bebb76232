package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hyperledger/fabric-protos-go-apiv2/common"
	"github.com/hyperledger/fabric-protos-go-apiv2/msp"
	"google.golang.org/protobuf/proto"

	"github.com/assay-net/assay/fabricnet/audit/wire"
)

// checkAll computes the codes as far as they come from the state before the block: ids that were used, and endorsement policies.
func (a *auditor) checkAll(s *state, b *block, txs []*transaction, flags []byte) error {
	inBlock := map[string]bool{}
	for _, t := range txs {
		if t.kind == common.HeaderType_CONFIG && len(txs) > 1 {
			return damaged{fmt.Errorf("transaction %d is a configuration and not alone", t.index)}
		}
		if t.onward && s.isUsed(t.id) {
			t.invalid(wire.TxValidationCode_DUPLICATE_TXID, errUsed)
		}
		if !t.valid() || t.kind != common.HeaderType_ENDORSER_TRANSACTION {
			continue
		}
		if code, err := a.conf.checkEndorsed(s, t, a.keyed); err != nil {
			a.refuseEndorsed(b, t, code, err, flags)
		}
		if t.valid() && inBlock[t.id] {
			t.invalid(wire.TxValidationCode_DUPLICATE_TXID, errUsed)
		}
		inBlock[t.id] = inBlock[t.id] || t.valid()
		for _, w := range t.written {
			a.keyed[w.name] = a.keyed[w.name] || t.valid() && w.metadata && w.name != a.Chaincode
		}
	}
	return nil
}

var errUsed = errors.New("the transaction id was used before")

// refuseEndorsed settles the code. A policy that is not evaluated here is a peer's to decide, and each time it decides is reported; but not where that would decide about the
// contract's state or about chaincodes' definitions.
func (a *auditor) refuseEndorsed(b *block, t *transaction, code wire.TxValidationCode, err error, flags []byte) {
	switch {
	case !errors.Is(err, errUnknown):
		t.invalid(code, err)
	case t.chaincode == a.Chaincode || t.writesTo(a.Chaincode) || t.writesTo(lifecycleNamespace):
		a.fail(b, t, Unevaluated, "whether the transaction is valid is not known, and it writes to %s: %v", a.Chaincode+" or "+lifecycleNamespace, err)
		t.invalid(code, err)
	case len(flags) == 0:
		a.fail(b, t, Unevaluated, "the transaction is taken as valid, without a peer that says so: %v", err)
	case wire.TxValidationCode(flags[t.index]) == code:
		t.invalid(code, err)
		fallthrough
	default:
		a.report.Counts.PeersWord++
		a.notice(b, t, Unevaluated, "that the transaction's code is %v is the word of the peer: %v", wire.TxValidationCode(flags[t.index]), err)
	}
}

// settle computes the rest of a transaction's code, compares it with the peer's, and carries the transaction out if it is valid.
func (a *auditor) settle(s *state, b *block, t *transaction, flags []byte) error {
	if t.valid() && t.kind == common.HeaderType_ENDORSER_TRANSACTION {
		if err := t.load(); err != nil {
			return err // it was decoded before
		}
		defer t.unload()
		if err := a.settleReads(s, b, t); err != nil {
			return err
		}
	}
	if len(flags) > 0 {
		a.compareFlag(b, t, wire.TxValidationCode(flags[t.index]))
	}
	if !t.valid() {
		a.refused(b, t)
		return nil
	}
	if t.creator != nil {
		a.report.Counts.Signatures += 1 + uint64(len(t.endorsers))
	}
	if t.kind == common.HeaderType_CONFIG {
		return a.reconfigure(b, t)
	}
	a.checkPeriods(b, t)
	if err := a.effect(s, b, t); err != nil {
		return err
	}
	return s.apply(t.sets, version{b.number, uint64(t.index)})
}

// settleReads makes a transaction invalid that read what has changed since.
func (a *auditor) settleReads(s *state, b *block, t *transaction) error {
	code, err := s.checkReads(t.sets)
	if errors.Is(err, errWalked) {
		a.fail(b, t, Unevaluated, "whether what the transaction read has changed is not known: %v", err)
		code, err = wire.TxValidationCode_PHANTOM_READ_CONFLICT, nil
	}
	if err == nil && code != wire.TxValidationCode_VALID {
		t.invalid(code, errors.New("what it read has changed"))
	}
	return err
}

// compareFlag holds the code that a peer recorded against the one computed. Of two codes that both make a transaction void, peers differ among themselves: of several reasons
// each gives the one that it comes to first.
func (a *auditor) compareFlag(b *block, t *transaction, recorded wire.TxValidationCode) {
	a.report.Counts.Flags++
	if recorded == t.code {
		return
	}
	message := fmt.Sprintf("is recorded as %v and is %v", recorded, t.code)
	if t.reason != "" {
		message += ": " + t.reason
	}
	a.report.add(Finding{Block: b.number, TxID: t.id, Kind: Flag, Failure: t.valid() || recorded == wire.TxValidationCode_VALID, Message: message})
}

func (a *auditor) refused(b *block, t *transaction) {
	a.report.Counts.Codes[t.code.String()]++
	if t.kind == common.HeaderType_CONFIG {
		a.fail(b, t, Configuration, "a configuration is not valid: %s", t.reason)
	}
	if len(a.report.Invalid) < maxListed {
		a.report.Invalid = append(a.report.Invalid, Invalid{
			Block: b.number, Index: t.index, TxID: clean(t.id, 64), Code: t.code.String(), Reason: clean(t.reason, maxMessage),
		})
	}
}

// reconfigure adopts a configuration. Its own signatures, which say whether the channel's organisations allowed it, are not evaluated again, and who holds the key of one raft orderer
// can seal any: so it is a failure unless the auditor looked at it and accepted the block by its hash. What follows is held to it either way.
func (a *auditor) reconfigure(b *block, t *transaction) error {
	if b.number == 0 {
		return nil
	}
	c, err := readConfiguration(b)
	if err != nil {
		return damaged{err}
	}
	if c.channel != a.conf.channel || c.sequence <= a.conf.sequence {
		return damaged{fmt.Errorf("holds configuration %d of channel %.64q after configuration %d of %q", c.sequence, c.channel, a.conf.sequence, a.conf.channel)}
	}
	what := fmt.Sprintf("the channel's configuration changed, from sequence %d to %d, consensus %s, in the block with hash %s", a.conf.sequence, c.sequence, c.consensus, b.hash)
	if slices.Contains(a.AcceptConfigurations, b.hash) {
		a.report.Accepted = append(a.report.Accepted, b.hash)
		a.notice(b, t, Configuration, "%s, which the auditor accepted", what)
	} else {
		a.fail(b, t, Configuration, "%s, which the auditor did not accept; who signed for the change is not evaluated", what)
	}
	if redefined := a.redefined(c); len(redefined) > 0 {
		a.notice(b, t, Configuration, "who belongs to organisations is defined anew, for %s: with other authorities others speak for them", strings.Join(redefined, ", "))
	}
	a.conf = c
	a.report.Consensus = c.consensus
	return nil
}

// redefined names the organisations of the consortium whose MSP is not the same in a new configuration.
func (a *auditor) redefined(c *configuration) []string {
	var names []string
	for i := range a.Genesis.Organisations {
		org := &a.Genesis.Organisations[i]
		before, after := a.conf.msps[org.MSPID()], c.msps[org.MSPID()]
		if before == nil && after == nil || before != nil && after != nil && proto.Equal(before.config, after.config) {
			continue
		}
		names = append(names, org.ID)
	}
	return names
}

// checkPeriods holds certificates against the time that the creator gives, reports signatures that did not count, and proposals by another than the creator.
func (a *auditor) checkPeriods(b *block, t *transaction) {
	if err := t.creator.checkPeriod(t.time(), a.Genesis.ClockSkew()); err != nil {
		a.fail(b, t, Identity, "creator: the transaction is of %s, %v", t.time().Format(timeForm), err)
	}
	if !bytes.Equal(t.actionBy.Nonce, t.signer.Nonce) || !bytes.Equal(t.actionBy.Creator, t.signer.Creator) {
		a.fail(b, t, Identity, "the endorsers saw a proposal of another creator than the transaction's")
	}
	if t.badEndorsements > 0 {
		a.notice(b, t, Endorsement, "%d of the endorsements do not verify and did not count", t.badEndorsements)
	}
}

const timeForm = "2006-01-02T15:04:05Z"

// effect checks what a valid transaction does to the contract's state: a call of the contract and nothing else changes it.
func (a *auditor) effect(s *state, b *block, t *transaction) error {
	if t.chaincode == a.Chaincode {
		a.checkRule(b, t)
		return a.contract.call(s, b, t)
	}
	a.report.countOther(t.chaincode)
	if t.writesTo(a.Chaincode) {
		a.fail(b, t, Foreign, "a transaction of chaincode %.64q writes to the contract's state", t.chaincode)
	}
	return nil
}

// checkRule holds the endorsers against the consortium's own rule, whatever the channel's policy asks for: peers of organisations in its genesis, with certificates in their period.
func (a *auditor) checkRule(b *block, t *transaction) {
	var orgs []string
	for _, id := range t.endorsers {
		org, ok := a.Genesis.ByMSP(id.mspID)
		if ok && id.has(msp.MSPRole_PEER) && id.checkPeriod(t.time(), a.Genesis.ClockSkew()) == nil {
			orgs = append(orgs, org.ID)
		}
	}
	if err := a.Genesis.EndorsementRule().Check(a.Genesis, orgs); err != nil {
		a.fail(b, t, Rule, "%v", err)
	}
}

func (a *auditor) fail(b *block, t *transaction, kind Kind, format string, args ...any) {
	a.report.add(Finding{Block: b.number, TxID: t.id, Kind: kind, Failure: true, Message: fmt.Sprintf(format, args...)})
}

func (a *auditor) notice(b *block, t *transaction, kind Kind, format string, args ...any) {
	a.report.add(Finding{Block: b.number, TxID: t.id, Kind: kind, Message: fmt.Sprintf(format, args...)})
}
