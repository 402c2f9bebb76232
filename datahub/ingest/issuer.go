package ingest

import (
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// issuer holds what authorisations are signed and sealed with.
type issuer struct {
	account nkeys.KeyPair
	public  string
	curve   nkeys.KeyPair // nil if requests are not sealed
}

func parseIssuer(account, curve []byte) (*issuer, error) {
	pair, err := fromSeed(account)
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("issuer: %w", err)
	}
	i := &issuer{account: pair, public: public}
	if len(curve) == 0 {
		return i, nil
	}
	if i.curve, err = fromSeed(curve); err != nil {
		return nil, fmt.Errorf("curve: %w", err)
	}
	return i, nil
}

// user is one of the node's own, with a key that is drawn when the server starts and never leaves the process.
type user struct {
	pair   nkeys.KeyPair
	public string
}

func newUsers(accounts ...string) (map[string]user, error) {
	users := map[string]user{}
	for _, account := range accounts {
		pair, err := nkeys.CreatePair(nkeys.PrefixByteUser)
		if err != nil {
			return nil, err
		}
		public, err := pair.PublicKey()
		if err != nil {
			return nil, err
		}
		users[account] = user{pair, public}
	}
	return users, nil
}

func (u user) option() nats.Option { return nats.Nkey(u.public, u.pair.Sign) }

func newIssuer() (*issuer, error) {
	pair, err := nkeys.CreatePair(nkeys.PrefixByteAccount)
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, err
	}
	return &issuer{account: pair, public: public}, nil
}
