package sink

import "time"

// Progress is how far the jobs are that callers wait for.
type Progress struct {
	Jobs       int64
	Rows, Done int64         // as far as Klaviyo said
	Left       time.Duration // until the first of the waits is over
	Reading    int64         // jobs that have ended and whose errors are read
}

// Progress returns how far the jobs are. It may be called at any time.
func (j *Jobs) Progress() (p Progress) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var until time.Time
	for _, w := range j.open {
		p.Jobs++
		p.Rows += int64(max(w.total, 0))
		p.Done += int64(w.done)
		if w.reading {
			p.Reading++
		}
		for _, place := range w.places {
			if until.IsZero() || place.wait.until.Before(until) {
				until = place.wait.until
			}
		}
	}
	if !until.IsZero() {
		p.Left = max(time.Until(until), 0)
	}
	return p
}
