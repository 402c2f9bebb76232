package setup

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/consensys/gnark/logger"

	"github.com/assay-net/assay/zk/commit"
)

// childCache, in the environment, makes the test binary one more process that
// fills the cache in that directory.
const childCache = "ASSAY_TEST_SETUP_CHILD"

func TestMain(m *testing.M) {
	logger.Disable()
	flag.Parse()
	if dir := os.Getenv(childCache); dir != "" {
		keys, err := fill(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(keys)
		os.Exit(0)
	}
	code := m.Run()
	if scratch != "" {
		os.RemoveAll(scratch) //nolint:errcheck // the system clears its own temporary directory
	}
	os.Exit(code)
}

// scratch is the directory of the cache that the tests fill together.
var scratch string

// digests name what a cache gave.
type digests struct{ srs, chunk commit.Digest }

func (d digests) String() string { return d.srs.String() + " " + d.chunk.String() }

// fill opens a cache and asks for the SRS and the smallest chunk's key.
func fill(dir string) (digests, error) {
	u, err := UnsafeSingleParty(dir, nil)
	if err != nil {
		return digests{}, err
	}
	k, err := u.chunk(commit.Sizes[0])
	if err != nil {
		return digests{}, err
	}
	return digests{u.SRS().Digest(), k.published.Digest}, nil
}
