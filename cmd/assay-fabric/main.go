// Command assay-fabric runs a local Hyperledger Fabric network for Assay and administers real ones.
//
// Results go to standard output, progress and notes to standard error. With --json every result is one JSON object on a line
// of its own. The exit code is 0 for yes, 1 for no with a reason, 2 for a call that cannot be carried out as it was written.
//
// It is apart from command assay because the libraries of the two cannot be in one program.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/consensys/gnark/logger"
)

func main() {
	logger.Disable() // the proof library would write to standard output
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], stdio{out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(exitCode(err))
}
