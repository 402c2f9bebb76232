package ceremony

// Status is how far a ceremony has come, from headers and closings alone: signatures, order and lengths are checked, the mathematics is not.
type Status struct {
	*Record
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
	s := &Status{Record: c.record(chains, first, second, nil)}
	switch {
	case first == nil:
		s.Stage = firstStage
	case second == nil:
		s.Stage = secondStage
	default:
		return s, nil
	}
	for _, part := range c.partNames(s.Stage) {
		s.Open = append(s.Open, c.openPart(part, chains[part]))
	}
	return s, nil
}

func (c *Ceremony) openPart(part string, headers []*Header) OpenPart {
	o := OpenPart{Part: part, Contributions: len(headers), CanClose: len(headers) >= c.plan.Minimum, Missing: []string{}}
	for i := range c.plan.Contributors {
		who, missing := &c.plan.Contributors[i], true
		for _, h := range headers {
			missing = missing && h.Contributor != who.key.DeviceID()
		}
		if missing {
			o.Missing = append(o.Missing, who.ID)
		}
	}
	return o
}
