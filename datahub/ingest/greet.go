package ingest

import (
	"context"
	"errors"
	"time"
)

const (
	// maxHellosWaiting bounds the enrolment requests that wait for an answer, maxGreetings those that are answered together.
	maxHellosWaiting = 4096
	maxGreetings     = 256
	greetTimeout     = time.Minute
)

// greetAll has enrolment requests answered. It works beside the frames, since an answer needs the key store, and after them: what
// a device sent before its hello is stored when the answer tells it where to go on.
func (p *Pipeline) greetAll(ctx context.Context) {
	for first := range p.hellos {
		items := []*item{first}
		for more := true; more && len(items) < maxGreetings; {
			select {
			case it, ok := <-p.hellos:
				if more = ok; ok {
					items = append(items, it)
				}
			default:
				more = false
			}
		}
		p.greet(ctx, items)
	}
}

func (p *Pipeline) greet(ctx context.Context, items []*item) {
	greetings := make([]Greeting, len(items))
	for i, it := range items {
		greetings[i] = Greeting{Device: it.id, Certificate: it.certificate, Hello: it.hello, Through: p.through(it)}
	}
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	var answers []Answer
	err := contain(func() error {
		answers = p.o.Sink.Greet(ctx, greetings)
		if len(answers) != len(greetings) {
			return errors.New("not an answer to each")
		}
		return nil
	})
	if err != nil {
		p.metrics.greeted.WithLabelValues("failed").Add(float64(len(items)))
		p.o.Logger.Error("enrolment requests were not answered", "requests", len(items), "error", err)
		return
	}
	for i, a := range answers {
		p.answer(items[i], a)
	}
}

func (p *Pipeline) answer(it *item, a Answer) {
	switch {
	case a.Err != nil:
		p.metrics.greeted.WithLabelValues("refused").Inc()
		p.notice("an enrolment request was not granted", "device", it.id, "error", a.Err)
	case a.Down == nil:
		p.metrics.greeted.WithLabelValues("ignored").Inc()
	case p.Send(it.id, a.Down) != nil:
		p.metrics.unsent.Inc()
	default:
		p.metrics.greeted.WithLabelValues("answered").Inc()
	}
}

func (p *Pipeline) through(it *item) uint64 {
	if through, ok := p.devices.committed(it.id); ok {
		return through
	}
	known, _ := p.o.Registry.Lookup(it.id)
	return known.Through
}
