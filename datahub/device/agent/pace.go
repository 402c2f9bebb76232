package agent

import "time"

const (
	// fewFrames are sent at first on a new connection, and one after a time without an acknowledgement.
	fewFrames = 4
	oneFrame  = 1
)

// pace decides how fast frames are sent again. A node that is slow has them all, and only needs time: sending everything again would make it
// slower. So the time to wait follows how long acknowledgements take (as TCP does, RFC 6298), every acknowledgement starts it anew, and
// after it only the oldest frame is sent. Its acknowledgement tells what the node has: if it covers more than was sent again, nothing was
// lost; if it covers just that, the frames after it follow, twice as many each time.
type pace struct {
	quiet int // times in a row that nothing was acknowledged
	// moved is when the last acknowledgement came.
	moved time.Time
	// limited says that at most credit frames may be sent for now.
	limited bool
	credit  int
	// smooth and varies are mean and deviation of how long frames take that were sent once.
	smooth, varies time.Duration
}

// may takes from the credit.
func (p *pace) may() bool {
	if !p.limited {
		return true
	}
	if p.credit == 0 {
		return false
	}
	p.credit--
	return true
}

func (p *pace) took(d time.Duration) {
	if p.smooth == 0 {
		p.smooth, p.varies = d, d/2
		return
	}
	p.varies += ((p.smooth - d).Abs() - p.varies) / 4
	p.smooth += (d - p.smooth) / 8
}

// goBack begins again with the oldest frame. The caller holds the lock.
func (a *Agent) goBack(credit int) { a.unsent, a.pace.limited, a.pace.credit = 0, true, credit }

// deadline is when the oldest frame is to be sent again. The caller holds the lock.
func (a *Agent) deadline() time.Time {
	p := &a.pace
	least := max(a.options.ResendAfter, p.smooth+4*p.varies)
	d := min(a.options.ResendMost, least<<min(p.quiet, 20))
	// The jitter is a function of the frame and the try, so that asking twice gives the same.
	jitter := time.Duration((a.pending[0].sequence*2654435761+uint64(a.device.ID()[0])+uint64(p.quiet))%256) * d / 1024
	since := a.pending[0].sent
	if p.moved.After(since) {
		since = p.moved
	}
	return since.Add(d + jitter)
}

// expire goes back to the oldest frame if it has waited too long.
func (a *Agent) expire(g *greeting) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.pending) == 0 || a.unsent == 0 || time.Now().Before(a.deadline()) {
		return
	}
	a.goBack(oneFrame)
	a.pace.quiet++
	a.options.Logger.Debug("frames are not acknowledged", "from", a.pending[0].sequence, "frames", len(a.pending), "times", a.pace.quiet)
	if a.pace.quiet%helloAfter == 0 {
		g.due = true
	}
}

// advance moves on after n frames were acknowledged and dropped. The caller holds the lock.
func (a *Agent) advance(n int) {
	p := &a.pace
	p.quiet, p.moved = 0, time.Now()
	switch {
	case !p.limited:
		a.unsent = max(0, a.unsent-n)
	case n > a.unsent: // the node had more than was sent again: it will have all that this connection carried
		session := a.counters.connects.Load()
		for a.unsent = 0; a.unsent < len(a.pending) && a.pending[a.unsent].session == session; a.unsent++ {
		}
		p.limited = false
	default:
		a.unsent -= n
		p.credit += 2 * n
		p.limited = a.unsent < len(a.pending)
	}
	a.poke()
}
