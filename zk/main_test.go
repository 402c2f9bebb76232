package zk

import (
	"flag"
	"os"
	"testing"

	"github.com/consensys/gnark/logger"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

func TestMain(m *testing.M) {
	logger.Disable()
	flag.Parse()
	os.Exit(m.Run())
}
