package localnet

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Up makes the network of the options, or brings the one in their folder back to work, and returns once a transaction has been committed or, on a network
// that was ready before, once every organisation's peer would take one. Processes that run are left alone.
//
// When it fails or the context ends, what this call has started is stopped, unless Options.Keep says otherwise; the folder stays, with its logs, and the
// next Up goes on from there.
func Up(ctx context.Context, o Options) (*Network, error) {
	dir, err := o.dir()
	if err != nil {
		return nil, err
	}
	f, err := openFabric(ctx, &o)
	if err != nil {
		return nil, err
	}
	if _, err := readState(layout(dir)); errors.Is(err, errNoNetwork) {
		if err := prepare(ctx, f, layout(dir), &o); err != nil {
			return nil, err
		}
	}
	unlock, err := lock(ctx, layout(dir))
	if err != nil {
		return nil, err
	}
	defer unlock()
	n, err := Open(dir)
	if err != nil {
		return nil, err
	}
	if err := n.up(ctx, f, &o); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *Network) up(ctx context.Context, f fabric, o *Options) error {
	if err := n.state.fits(o); err != nil {
		return fmt.Errorf("%s: %w", n.Dir(), err)
	}
	if err := n.equip(ctx, f, o); err != nil {
		return err
	}
	u := &ascent{Network: n, options: o}
	err := u.run(ctx)
	if err == nil || o.Keep {
		return err
	}
	o.report("stopping what was started")
	return errors.Join(err, n.stopAll(context.WithoutCancel(ctx), u.started))
}

// fits refuses options that the network in the folder does not have.
func (s *state) fits(o *Options) error {
	if o.Consensus != "" && o.Consensus != s.Consensus {
		return fmt.Errorf("the network there runs %s, not %s; destroy it to make another", s.Consensus, o.Consensus)
	}
	if o.Orderers != 0 && o.Orderers != len(s.Orderers) {
		return fmt.Errorf("the network there has %d orderers, not %d; destroy it to make another", len(s.Orderers), o.Orderers)
	}
	return nil
}

// equip settles what the processes are started from.
func (n *Network) equip(ctx context.Context, f fabric, o *Options) error {
	n.state.Binaries = string(f)
	if n.state.NoContract {
		return n.state.write(n.layout)
	}
	if o.SRS != "" {
		if err := n.giveSRS(ctx, o.SRS); err != nil {
			return err
		}
	}
	if !n.serving() {
		if err := useBinaries(ctx, n.layout, n.state, o); err != nil {
			return err
		}
	}
	return n.state.write(n.layout)
}

// serving reports whether all contract services run.
func (n *Network) serving() bool {
	for _, o := range n.state.Organisations {
		if r, err := readRecord(n.layout, serviceName(o.ID)); err != nil || !r.runs() {
			return false
		}
	}
	return true
}

// ascent is one Up of a network.
type ascent struct {
	*Network
	options *Options
	// started names the processes that this Up has started.
	started []string
}

func (u *ascent) run(ctx context.Context) error {
	if err := u.startMissing(ctx); err != nil {
		return err
	}
	c, err := openConsortium(u.Network)
	if err != nil {
		return err
	}
	defer c.close()
	if !u.state.Ready {
		err = u.setUp(ctx, c)
	} else {
		err = u.settle(ctx, c)
	}
	if err != nil {
		return errors.Join(err, u.fallen())
	}
	return nil
}

// startMissing starts every process that does not run and waits until all serve.
func (u *ascent) startMissing(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range u.programs() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !p.runs(u.layout) {
			u.options.report("starting %s", p.name)
			if err := p.start(ctx, u.layout); err != nil {
				return err
			}
			u.started = append(u.started, p.name)
		}
		g.Go(func() error { return p.await(ctx, u.layout) })
	}
	return g.Wait()
}

// fallen shows what processes said that have ended while they were needed.
func (u *ascent) fallen() error {
	all, err := u.Status()
	if err != nil {
		return err
	}
	var fallen []error
	for _, p := range all {
		if p.Condition == Crashed {
			fallen = append(fallen, fmt.Errorf("%s has ended\n%s", p.Name, tail(p.Log)))
		}
	}
	return errors.Join(fallen...)
}

// setUp takes a network whose orderers and peers run to where its contract works. Every step may have been done before.
func (u *ascent) setUp(ctx context.Context, c *consortium) error {
	o := u.options
	o.report("joining orderers to the channel")
	if err := joinOrderers(ctx, u.Network); err != nil {
		return err
	}
	o.report("joining peers to the channel")
	if err := c.joinPeers(ctx); err != nil {
		return err
	}
	if err := c.awaitLeader(ctx); err != nil {
		return err
	}
	if !u.state.NoContract {
		if err := u.deploy(ctx, c); err != nil {
			return err
		}
	}
	if err := u.settle(ctx, c); err != nil {
		return err
	}
	u.state.Ready = true
	return u.state.write(u.layout)
}

// settle waits until the network works as a whole, and ends with a call to every contract service: founding is done or refused as done before.
func (u *ascent) settle(ctx context.Context, c *consortium) error {
	u.options.report("waiting until the peers see one another")
	if err := c.awaitWork(ctx); err != nil {
		return err
	}
	if u.state.NoContract || u.state.NoFounding {
		return nil
	}
	u.options.report("founding the ledger, if it is not")
	return c.found(ctx)
}

// deploy installs the contract, starts its services and has every organisation agree to it.
func (u *ascent) deploy(ctx context.Context, c *consortium) error {
	o := u.options
	o.report("installing the contract")
	if err := c.install(ctx); err != nil {
		return err
	}
	if err := u.state.write(u.layout); err != nil {
		return err
	}
	if err := u.startMissing(ctx); err != nil {
		return err
	}
	o.report("agreeing on the contract")
	return c.agree(ctx)
}
