package main

import (
	"github.com/assay-net/assay/cmd/internal/cli"
	"github.com/assay-net/assay/zk/setup"
)

// openKeyCache opens the cache of proving keys in dir, or the user's if dir is empty. It makes what is missing, which takes a while the first time, and reports every step of that.
func openKeyCache(dir string, report setup.Report) (*setup.Unsafe, error) {
	if dir == "" {
		var err error
		if dir, err = setup.DefaultDir(); err != nil {
			return nil, cli.Usage("%w", err)
		}
	}
	return setup.UnsafeSingleParty(dir, report)
}
