package session

import (
	"context"
	"errors"
	"log/slog"
	"math/big"
	"time"

	"github.com/assay-net/assay/mpc/collective"
	"github.com/assay-net/assay/mpc/session/transcript"
)

// Config is what a party is made of. Whatever it is given is used by all its sessions at once.
type Config struct {
	Self   string // the party's name in rosters
	Params *collective.Params
	Board  Board
	Mail   Mail
	Store  Store

	// Admit is asked before the party makes its first key of a session: policy, grant, budget, and whether the roster and the times are acceptable. An error that is
	// ErrDeclined ends the session; any other is asked again. It may be asked more than once.
	Admit func(context.Context, transcript.ID, *transcript.Opening) error
	// Totals are an owner's answer. An error that is ErrDeclined is recorded as that, without a reason, and the others go on; any other is asked again. It is
	// asked until one answer is stored, so what was answered before a crash may be answered anew, if it never left this node.
	Totals func(context.Context, transcript.ID, *transcript.Opening) (*Totals, error)
	// CheckInput sees every input of others before it is added: the place where a proof of what it encrypts is checked. An error that is ErrDeclined ends the session. Nil checks nothing.
	CheckInput func(context.Context, *Offered) error
	// Deliver is given the receiver's result, recorded, at least once, and is asked again after any error. When it returns nil the result is durable elsewhere.
	Deliver func(context.Context, *Result) error

	Log     *slog.Logger     // lines have the session as "transcript", the party as "party"
	Now     func() time.Time // the party's clock, for expiry
	Poll    time.Duration    // between looks at the board, in Run
	Timeout time.Duration    // for one answer of another party
}

// Totals are an owner's numbers for a query.
type Totals struct {
	Values []*big.Int // as many as the opening's Used; the first is 1, so that the first of the sum is the number of inputs
	Anchor []byte     // where they come from: recorded beside the commitment, for all to read, at most 512 bytes
}

// Offered is an owner's input as a CheckInput hook sees it: known to be what was committed to, and well formed.
type Offered struct {
	Session transcript.ID
	Opening *transcript.Opening
	Owner   string
	Anchor  []byte
	Input   *collective.Input
}

// Result is what the receiver learns.
type Result struct {
	Session transcript.ID
	Opening *transcript.Opening
	Owners  []string   // whose inputs are in the totals
	Totals  []*big.Int // the sums; the first is the number of owners
	Salt    [32]byte   // with it the result can be shown to be the one recorded
}

// Digest is what the ledger records of a result.
func (r *Result) Digest() transcript.Digest {
	fields := [][]byte{r.Session[:], r.Salt[:]}
	for _, v := range r.Totals {
		fields = append(fields, []byte(v.String()))
	}
	return transcript.Hash("assay/mpc/result/1", fields...)
}

const (
	defaultPoll    = time.Second
	defaultTimeout = time.Minute
)

func (c Config) withDefaults() (Config, error) {
	if c.Self == "" || c.Params == nil || c.Board == nil || c.Mail == nil || c.Store == nil || c.Admit == nil {
		return c, errors.New("a party needs its name, parameters, a board, mail, a store, and a rule of what to admit")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Poll <= 0 {
		c.Poll = defaultPoll
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	return c, nil
}

// checkRole says what a party of this role cannot do without.
func (c *Config) checkRole(r transcript.Role) error {
	switch {
	case r == "":
		return errors.New(c.Self + " is not in the roster")
	case r == transcript.Owner && c.Totals == nil:
		return errors.New("an owner needs totals")
	case r == transcript.Receiver && c.Deliver == nil:
		return errors.New("a receiver needs somewhere to deliver a result")
	}
	return nil
}
