package ceremony

import "github.com/assay-net/assay/zk/setup/transcript"

// Status is how far a ceremony has come, from headers and closings alone: signatures, order and lengths are checked, the mathematics is not.
type Status struct {
	*transcript.Record
	// Stage is the one that is open: 1, 2, or 0 when all is closed.
	Stage int `json:"stage"`
	// Open lists the parts that take contributions.
	Open []OpenPart `json:"open"`
}

// OpenPart is a part that takes contributions.
type OpenPart struct {
	Part          string `json:"part"`
	Contributions int    `json:"contributions"`
	// Missing are who may still contribute.
	Missing []string `json:"missing"`
	// CanClose says that there are as many contributions as the plan demands.
	CanClose bool `json:"can_close"`
}

// Status reads headers only. It needs no circuits.
func (c *Ceremony) Status() (*Status, error) {
	first, second, err := c.closings()
	if err != nil {
		return nil, err
	}
	chains, err := c.allChains(first, second)
	if err != nil {
		return nil, err
	}
	s := &Status{Record: transcript.NewRecord(c.plan, chains, first, second, nil)}
	switch {
	case first == nil:
		s.Stage = transcript.FirstStage
	case second == nil:
		s.Stage = transcript.SecondStage
	default:
		return s, nil
	}
	for _, part := range c.plan.Parts(s.Stage) {
		s.Open = append(s.Open, c.openPart(part, chains[part]))
	}
	return s, nil
}

func (c *Ceremony) openPart(part string, chain *transcript.Chain) OpenPart {
	o := OpenPart{Part: part, Contributions: chain.Number(), CanClose: chain.Number() >= c.plan.Minimum, Missing: []string{}}
	for i := range c.plan.Contributors {
		if who := &c.plan.Contributors[i]; !chain.Has(who.KeyDigest()) {
			o.Missing = append(o.Missing, who.ID)
		}
	}
	return o
}
