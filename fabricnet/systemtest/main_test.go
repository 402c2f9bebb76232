package systemtest

import (
	"os"
	"testing"

	"github.com/assay-net/assay/fabricnet/networktest"
)

func TestMain(m *testing.M) { os.Exit(networktest.Main(m)) }
