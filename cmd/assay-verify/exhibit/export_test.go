package exhibit

import (
	"github.com/assay-net/assay/fabricnet/audit"
	"github.com/assay-net/assay/fabricnet/ledger"
)

// Judge is for tests of channels that an export names: nobody has the regulators' keys of the channels in testdata.
func (x *Channel) Judge() error { return x.judge() }

// Config is for tests of what no channel in testdata has.
func (f *ChannelFiles) Config(g *ledger.Genesis) audit.Config { return f.config(g) }
