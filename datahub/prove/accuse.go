package prove

import (
	"fmt"
	"maps"
	"slices"

	"github.com/assay-net/assay/zk"
)

// Wrong lists the workers whose results did not check, or that failed what others proved, and why. They are not listened to any more.
func (p *Prover) Wrong() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.wrong)
}

func (p *Prover) isWrong(worker string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.wrong[worker]
	return ok
}

// accuse remembers that a worker was wrong.
func (p *Prover) accuse(worker string, job *zk.ChunkJob, err error) {
	p.options.Logger.Error("worker was wrong; it is not listened to any more",
		"worker", worker, "fleet", job.Place.Fleet, "chunk", job.Place.Chunk, "epoch", job.Place.Epoch, "error", err)
	p.metrics.wrong.Inc()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong[worker] = fmt.Sprintf("chunk %d of fleet %s at epoch %d: %v", job.Place.Chunk, job.Place.Fleet, job.Place.Epoch, err)
}

// without lists workers to stay away, the same ones first every time.
func (p *Prover) without() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := slices.Sorted(maps.Keys(p.wrong))
	return names[:min(len(names), maxWithout)]
}

// maxUnable is how many jobs in a row a worker may fail that others then prove.
const maxUnable = 3

// able forgets what a worker could not do, since it proved a chunk.
func (p *Prover) able(worker string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.unable, worker)
}

// contradict counts a failure that another's proof contradicts. It returns an error if that was one too many.
func (p *Prover) contradict(worker string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unable[worker]++; p.unable[worker] < maxUnable {
		return nil
	}
	delete(p.unable, worker)
	return fmt.Errorf("failed %d jobs in a row that were proven elsewhere", maxUnable)
}
