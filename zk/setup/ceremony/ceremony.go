package ceremony

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/consensys/gnark/backend/groth16/bn254/mpcsetup"

	"github.com/assay-net/assay/zk/commit"
)

// Ceremony is a folder with a plan.
type Ceremony struct {
	dir  string
	plan *Plan
	id   commit.Digest
	// Marks is a folder of this machine's own, for what it has verified; or empty. See [Ceremony.Contribute].
	Marks string
	// Step, if not nil, is told of everything that takes time.
	Step Step

	keys *Keyset
	// commons are the sealed powers of tau: hundreds of megabytes at the largest size, so made once.
	commons *mpcsetup.SrsCommons
}

// Init makes a ceremony's folder, which must not hold one. The plan's version, powers, domain and circuits are filled in.
func Init(dir string, plan Plan, keys *Keyset) (*Ceremony, error) {
	plan.Version = planVersion
	if err := keys.plan(&plan); err != nil {
		return nil, err
	}
	if err := plan.check(); err != nil {
		return nil, err
	}
	for i := range keys.Circuits { // refused now rather than when everybody has contributed
		if _, err := shapeOf(keys.Circuits[i].System, plan.Circuits[i].Domain); err != nil {
			return nil, fmt.Errorf("circuit %s: %w", plan.Circuits[i].ID, err)
		}
	}
	b, err := json.MarshalIndent(&plan, "", "  ")
	if err != nil {
		return nil, err
	}
	if len(b) >= maxPlan {
		return nil, fmt.Errorf("plan: %d bytes, at most %d", len(b), maxPlan)
	}
	err = createFile(filepath.Join(dir, planFile), func(f *os.File) error {
		_, err := f.Write(append(b, '\n'))
		return err
	})
	if err != nil {
		return nil, err
	}
	return Open(dir)
}

// Open reads a ceremony's plan.
func Open(dir string) (*Ceremony, error) {
	path := filepath.Join(dir, planFile)
	b, err := readFile(path, maxPlan)
	if err != nil {
		return nil, err
	}
	plan, err := ParsePlan(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Ceremony{dir: dir, plan: plan, id: plan.Digest()}, nil
}

// Plan is what the ceremony is about. Do not change it.
func (c *Ceremony) Plan() *Plan { return c.plan }

// ID is the plan's digest.
func (c *Ceremony) ID() commit.Digest { return c.id }

// Use compiled circuits, which must be those of the plan. Everything but Status needs them.
func (c *Ceremony) Use(keys *Keyset) error {
	if err := keys.check(c.plan); err != nil {
		return at(planFile, err)
	}
	c.keys = keys
	return nil
}

// stages are the parts that are closed together. The second stands on the first.
const (
	firstStage  = 1
	secondStage = 2
)

// partNames of a stage.
func (c *Ceremony) partNames(stage int) []string {
	if stage == firstStage {
		return []string{srsPart, powersPart}
	}
	var out []string
	for i := range c.plan.Circuits {
		out = append(out, c.plan.Circuits[i].ID)
	}
	return out
}

// startDigest is what the first contribution of a part follows. Parts of the second stage stand on the closed powers of tau.
func (c *Ceremony) startDigest(part string, first *closing) commit.Digest {
	t := commit.NewTranscript(tagStart, c.id)
	t.Bytes([]byte(part))
	if part != srsPart && part != powersPart {
		digest := first.of(powersPart).digest
		t.Bytes(digest[:])
	}
	return t.Digest()
}

// binding is what a contribution's proofs are made for: its place and who makes it.
func (c *Ceremony) binding(part string, number int, previous, contributor commit.Digest) commit.Digest {
	t := commit.NewTranscript(tagBinding, c.id)
	t.Bytes([]byte(part))
	t.Uint(uint64(number))
	t.Bytes(previous[:])
	t.Bytes(contributor[:])
	return t.Digest()
}
