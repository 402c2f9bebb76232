package ceremony

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/ceremony/ceremonytest"
	"github.com/assay-net/assay/zk/setup/transcript"
)

func TestInitReplacesNothing(t *testing.T) {
	c := ceremonyAt(t, contributed)
	if _, err := Init(c.dir, testPlan(t), small(t, nil)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}

// TestOtherCircuits: a plan for circuits that this program does not have is of no use to it.
func TestOtherCircuits(t *testing.T) {
	for name, change := range map[string]func(*Keyset){
		"powers":   func(k *Keyset) { k.Powers++ },
		"missing":  func(k *Keyset) { k.Circuits = k.Circuits[:1] },
		"order":    func(k *Keyset) { k.Circuits[0], k.Circuits[1] = k.Circuits[1], k.Circuits[0] },
		"compiled": func(k *Keyset) { k.Circuits[0].System = k.Circuits[1].System },
	} {
		c, k := ceremonyAt(t, contributed), small(t, nil)
		change(k)
		t.Run(name, func(t *testing.T) { refused(t, c.Use(k), transcript.Compiled) })
	}
}

// TestUnusedCommittedValue: the library makes keys for a circuit that commits to a value in no constraint, without a basis for it.
func TestUnusedCommittedValue(t *testing.T) {
	k := small(t, nil)
	k.Circuits[0].System = ceremonytest.Compile(t, &ceremonytest.Twice{Unused: true})
	if _, err := Init(t.TempDir(), testPlan(t), k); err == nil || !strings.Contains(err.Error(), "value 1 of commitment 0 occurs in no constraint") {
		t.Errorf("got %v", err)
	}
}

// TestP256Contributor: a key in hardware is often one.
func TestP256Contributor(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := commit.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	p := testPlan(t)
	p.Contributors[0].Key = public.DER()
	c, err := Init(t.TempDir(), p, small(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Use(small(t, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Contribute(ctx, key); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Verify(ctx, ""); err != nil {
		t.Error(err)
	}
}

func TestStandardRefusesSizes(t *testing.T) {
	for _, sizes := range [][]int{nil, {63}, {64, 64}} {
		if _, err := Standard(sizes...); err == nil {
			t.Errorf("keys for %v", sizes)
		}
	}
}
