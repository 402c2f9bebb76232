package systemtest

import (
	"strings"
	"testing"
	"time"
)

// TestFaultsUnderRaft breaks one process after another of a network with three raft orderers, and has adversaries try what they can. In the end nothing is missing and the
// audit finds the channel sound, until its store is tampered with.
func TestFaultsUnderRaft(t *testing.T) {
	n := newFaultNetwork(t, "--orderers", "3", "--organisations", organisationsFile(t))
	w := n.enrol(t)
	t.Run("leader killed", n.leaderKilled)
	held := n.holdBack(t, w)
	t.Run("certificates", n.certificates)
	t.Run("wrong callers", func(t *testing.T) { n.wrongCallers(t, w) })
	t.Run("transaction replayed", n.replayed)
	t.Run("proposals misdated", n.misdated)
	t.Run("contract replaced", n.contractReplaced)
	t.Run("channel reconfigured", n.channelReconfigured)
	t.Run("retirement held back", func(t *testing.T) { held.isVoid(t, n, w) })
	t.Run("too few endorsers", func(t *testing.T) { n.tooFewEndorsers(t, w) })
	t.Run("endorser that disagrees", n.disagreeing)
	t.Run("lender's peer killed", n.lendersPeerKilled)
	t.Run("regulator's peer killed", n.regulatorsPeerKilled)
	t.Run("contract service killed", n.contractServiceKilled)
	t.Run("client killed", n.clientKilled)
	t.Run("answer lost", n.answerLost)
	t.Run("all down and up", n.allDown)
	n.settled(t, n.attempts)
	n.auditSound(t)
	t.Run("export tampered with", n.exportTampered)
	t.Run("store tampered with", n.storeTampered)
}

// TestFaultsUnderBFT kills orderers of four that tolerate one that does anything.
func TestFaultsUnderBFT(t *testing.T) {
	n := newFaultNetwork(t, "--consensus", "bft")
	t.Run("follower killed", n.followerKilled)
	t.Run("leader killed", n.leaderKilled)
	n.settled(t, n.attempts)
	n.auditSound(t)
}

// leaderKilled has the rest elect another leader and go on, and the killed one come back.
func (n *faultNetwork) leaderKilled(t *testing.T) { n.ordererKilled(t, n.leader(t)) }

func (n *faultNetwork) followerKilled(t *testing.T) {
	follower := "orderer1"
	if n.leader(t) == follower {
		follower = "orderer2"
	}
	n.ordererKilled(t, follower)
}

func (n *faultNetwork) ordererKilled(t *testing.T, name string) {
	l := n.load(t)
	l.goesOn(t, 50)
	n.Kill(t, name)
	l.goesOn(t, 50)
	n.Up(t)
	l.goesOn(t, 50)
	n.settled(t, n.end(t, l))
}

// lendersPeerKilled costs nothing: another lender endorses.
func (n *faultNetwork) lendersPeerKilled(t *testing.T) {
	l := n.load(t)
	l.goesOn(t, 50)
	n.Kill(t, "peer."+faultLender)
	l.goesOn(t, 100)
	n.Up(t)
	l.goesOn(t, 50)
	attempts := n.end(t, l)
	for _, a := range attempts {
		if a.err != nil {
			t.Errorf("fleet %s: there was another lender: %v", a.fleet, a.err)
		}
	}
	n.settled(t, attempts)
}

// regulatorsPeerKilled leaves nobody who could endorse instead: calls fail, and say who is missing.
func (n *faultNetwork) regulatorsPeerKilled(t *testing.T) {
	n.indispensableKilled(t, "peer."+faultRegulator)
}

// contractServiceKilled is the same from a client's point of view.
func (n *faultNetwork) contractServiceKilled(t *testing.T) {
	n.indispensableKilled(t, "contract."+faultRegulator)
}

func (n *faultNetwork) indispensableKilled(t *testing.T, process string) {
	l := n.load(t)
	l.goesOn(t, 50)
	n.Kill(t, process)
	killed := time.Now()
	l.fails(t, killed, 2)
	n.Up(t)
	l.goesOn(t, 50)
	attempts := n.end(t, l)
	for _, a := range attempts {
		if a.err != nil && a.begun.After(killed) && !strings.Contains(a.err.Error(), faultRegulator) {
			t.Errorf("fleet %s: the error does not say who is missing: %v", a.fleet, a.err)
		}
	}
	n.settled(t, attempts)
}

// allDown stops the network in the middle of the load, and starts it again.
func (n *faultNetwork) allDown(t *testing.T) {
	l := n.load(t)
	l.goesOn(t, 50)
	n.Down(t)
	n.Up(t)
	l.goesOn(t, 50)
	n.settled(t, n.end(t, l))
}
