package contract

import (
	"crypto/sha256"
	"fmt"

	"github.com/assay-net/assay/fabricnet/ledger"
	"github.com/assay-net/assay/zk/commit"
)

// registerMaker puts a maker's CA on the ledger. The rule keeps owners out of it. One CA key stands for one maker.
func registerMaker(r *run, a *ledger.RegisterMaker) (*ledger.Maker, error) {
	authority, err := checkMaker(a)
	if err != nil {
		return nil, ledger.Refuse(ledger.Invalid, "%v", err)
	}
	if err := r.agree("maker", a.Digest()); err != nil {
		return nil, err
	}
	for _, key := range []string{ledger.MakerKey(a.ID), ledger.MakerAuthorityKey(authority)} {
		taken, err := exists(r.state, key)
		if err != nil {
			return nil, err
		}
		if taken {
			return nil, ledger.Refuse(ledger.Conflict, "maker %s, or its CA's key, is registered", a.ID)
		}
	}
	m := &ledger.Maker{ID: a.ID, Name: a.Name, Certificate: a.Certificate, Time: r.now, TxID: r.tx.ID}
	if err := put(r.state, ledger.MakerKey(a.ID), m); err != nil {
		return nil, err
	}
	if err := put(r.state, ledger.MakerAuthorityKey(authority), a.ID); err != nil {
		return nil, err
	}
	r.event(ledger.EventMakerRegistered, ledger.EventPayload{Maker: a.ID})
	return m, nil
}

// checkMaker returns the digest of the CA's public key.
func checkMaker(a *ledger.RegisterMaker) (commit.Digest, error) {
	if err := ledger.CheckID("maker", a.ID); err != nil {
		return commit.Digest{}, err
	}
	if err := ledger.CheckText("name", a.Name, ledger.MaxTitle, true); err != nil {
		return commit.Digest{}, err
	}
	ca, err := commit.ParseMakerCA(a.Certificate)
	if err != nil {
		return commit.Digest{}, err
	}
	if got := ca.Subject.Organization[0]; got != a.ID {
		return commit.Digest{}, fmt.Errorf("certificate is of maker %q, not %q", got, a.ID)
	}
	return sha256.Sum256(ca.RawSubjectPublicKeyInfo), nil
}
