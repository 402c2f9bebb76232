package ceremony

import (
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/transcript"
	"github.com/assay-net/assay/zk/verify"
)

// TestNamesAreTheVerifiers: the transcript does without the verifier's package, but not with other names.
func TestNamesAreTheVerifiers(t *testing.T) {
	d := commit.Digest{1, 2}
	if transcript.SRSPart != verify.SRSKey || transcript.SetupName(d) != verify.CeremonySetup(d) {
		t.Error("the transcript's names are not the verifier's")
	}
	key, err := commit.NewPublicKey(alice.Public())
	if err != nil {
		t.Fatal(err)
	}
	if who := (&transcript.Contributor{Key: key.DER()}); who.KeyDigest() != key.DeviceID() {
		t.Error("a contributor's digest is not that of its key")
	}
}
