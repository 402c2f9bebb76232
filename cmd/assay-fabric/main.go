// Command assay-fabric runs a local Hyperledger Fabric network for Assay and administers real ones.
//
// Results go to standard output, progress and notes to standard error. With --json every result is one JSON object on a line
// of its own. The exit code is 0 for yes, 1 for no with a reason, 2 for a call that cannot be carried out as it was written.
//
// It is apart from command assay because the libraries of the two cannot be in one program.
package main

import (
	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/cmd/internal/cli"
)

func main() {
	logger.Disable() // the proof library would write to standard output
	cli.Main(run)
}
