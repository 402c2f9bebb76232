package ceremony

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/assay-net/assay/zk/commit"
	"github.com/assay-net/assay/zk/setup/evaluation"
	"github.com/assay-net/assay/zk/setup/transcript"
)

// Ceremony is a folder with a plan.
type Ceremony struct {
	dir  string
	plan *transcript.Plan
	id   commit.Digest
	// Marks is a folder of this machine's own, for what it has verified or made; or empty. Contribute and Finalize believe it, Verify does not.
	Marks string
	// Step, if not nil, is told of everything that takes time.
	Step Step

	keys *Keyset
	// powers are the closed powers of tau of the call under way: a hundred megabytes at the largest size, so read once.
	powers *evaluation.Powers
}

// Init makes a ceremony's folder, which must not hold one. The plan's version, powers, domain and circuits are filled in.
func Init(dir string, plan transcript.Plan, keys *Keyset) (*Ceremony, error) {
	plan.Version = transcript.Version
	if err := keys.plan(&plan); err != nil {
		return nil, err
	}
	if err := plan.Check(); err != nil {
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
	if len(b) >= transcript.MaxPlan {
		return nil, fmt.Errorf("plan: %d bytes, at most %d", len(b), transcript.MaxPlan)
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
	b, err := readFile(path, transcript.MaxPlan)
	if err != nil {
		return nil, err
	}
	plan, err := transcript.ParsePlan(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Ceremony{dir: dir, plan: plan, id: plan.Digest()}, nil
}

// Plan is what the ceremony is about. Do not change it.
func (c *Ceremony) Plan() *transcript.Plan { return c.plan }

// ID is the plan's digest.
func (c *Ceremony) ID() commit.Digest { return c.id }

// Use compiled circuits, which must be those of the plan. Everything but Status needs them.
func (c *Ceremony) Use(keys *Keyset) error {
	if err := keys.check(c.plan); err != nil {
		return transcript.At(planFile, err)
	}
	c.keys = keys
	return nil
}
