package simulator

import (
	"cmp"
	"math/rand/v2"
	"sync"
)

// faults are the faults of a plan with the progress of each. Several goroutines may use them at once.
type faults struct {
	mu    sync.Mutex
	state []progress
}

// progress is a fault with its counts.
type progress struct {
	*Fault
	kind
	seen, acted int // counts of matching requests
	chance      *rand.Rand
}

func newFaults(p *Plan) *faults {
	fs := &faults{}
	for i := range p.Faults {
		f := p.Faults[i] // a copy, because the plan belongs to the caller
		chance := rand.New(rand.NewPCG(p.Seed, uint64(i)))
		fs.state = append(fs.state, progress{Fault: &f, kind: kinds[f.Do], chance: chance})
	}
	return fs
}

// onRequest returns the faults that act on a request for an operation.
func (fs *faults) onRequest(name string) []*progress {
	return fs.due(func(p *progress) bool { return p.serve != nil && (p.On == "*" || p.On == name) })
}

// onImport returns the faults that act on an import that would be accepted.
func (fs *faults) onImport(j *job) []*progress {
	return fs.due(func(p *progress) bool { return p.affect != nil && (p.concerns == nil || p.concerns(p.Fault, j)) })
}

// due counts one request for every fault that it matches. It returns the faults that act on it, up to the first whose
// kind is last.
func (fs *faults) due(matches func(*progress) bool) (acting []*progress) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	ended := false
	for i := range fs.state {
		p := &fs.state[i]
		if !matches(p) || !p.turn() || ended {
			continue
		}
		p.acted++
		acting = append(acting, p)
		ended = p.last
	}
	return acting
}

// turn counts a matching request and reports whether the fault acts on it.
func (p *progress) turn() bool {
	p.seen++
	n := p.seen - p.Skip
	if n < 1 || n%max(1, p.Every) != 0 || p.Percent > 0 && p.chance.Float64()*100 >= p.Percent {
		return false
	}
	return p.Times < 0 || p.acted < cmp.Or(p.Times, 1)
}
