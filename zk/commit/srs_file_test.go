package commit_test

import (
	"bytes"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/commit/committest"
)

func TestSRSFileDigest(t *testing.T) {
	srs := committest.UnsafeSRS(64)
	var file bytes.Buffer
	if _, err := srs.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	if got := commit.SRSFileDigest(file.Bytes()); got != srs.Digest() {
		t.Errorf("%s, want %s", got, srs.Digest())
	}
}
