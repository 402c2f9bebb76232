package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how much of a long step is done: a bar for someone who
// watches, nothing otherwise. The returned function is told how much of the
// total is done; it clears the bar when all is.
func (p *printer) progress(title string, total int) func(done int) {
	if !p.live() {
		return func(int) {}
	}
	bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(p.notes), progressbar.OptionSetDescription(title),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	return func(done int) {
		bar.Set(done) //nolint:errcheck // a bar that cannot be drawn is no reason to stop
	}
}
