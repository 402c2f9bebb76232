// Command assay-chaincode runs the ledger's contract as a service for one organisation's Fabric peer, and keeps the list of what this organisation has
// consented to.
//
// Results go to standard output, notes and the service's log to standard error; the log is one JSON object on a line. The exit code is 0 for success, 1 for
// a failure with a reason, 2 for a call that cannot be carried out as it was written.
package main

import (
	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/cmd/internal/cli"
)

func main() {
	logger.Disable() // the proof library would write to standard output
	cli.Main(run)
}
