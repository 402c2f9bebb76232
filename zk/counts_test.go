package zk

import "testing"

func TestCounts(t *testing.T) {
	for _, n := range []int{64, 256, 1024} {
		c, err := CompileChunk(n)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d: %d constraints, %.2f per battery", n, c.GetNbConstraints(), float64(c.GetNbConstraints())/float64(n))
	}
	c, err := CompileFleet()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("fleet: %d constraints", c.GetNbConstraints())
}
