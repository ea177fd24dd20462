package sink

import "time"

// watched is a job that callers wait for.
type watched struct {
	places  []placed // of the job
	state   JobState
	reading bool // it has ended, and its errors are read
	took    time.Duration
	created time.Time // by Klaviyo's clock; zero when it did not say
	done    int       // completed_count and failed_count together, as of the last poll
	failed  int       // failed_count, -1 when Klaviyo did not say
	total   int       // total_count, -1 when Klaviyo did not say
	absent  time.Time // since when no poll finds it; zero when the last one did
	polled  time.Time // last, singly, because the collection lacked it
}

// placed is the place of a job in a call of Wait.
type placed struct {
	wait *wait
	job  int
}

// note stores what a poll found of a job, nil for nothing, and wakes those who wait for its end.
func (j *Jobs) note(id string, job *jobResource) {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.open[id]
	if w == nil || w.state != Open {
		return
	}
	if job == nil {
		w.miss()
	} else {
		w.update(job)
	}
	if w.state == Open {
		return
	}
	j.pause = firstPoll
	for _, place := range w.places {
		place.wait.over = append(place.wait.over, place.job)
		signal(place.wait.wake)
	}
}

// miss notes that a poll did not find the job.
func (w *watched) miss() {
	if w.absent.IsZero() {
		w.absent = time.Now()
	}
	if time.Since(w.absent) >= goneAfter {
		w.state = Expired
	}
}

func (w *watched) update(job *jobResource) {
	w.absent, w.failed, w.total = time.Time{}, -1, -1
	w.took, w.done = job.took(), job.Attributes.CompletedCount
	w.created, _ = time.Parse(time.RFC3339, job.Attributes.CreatedAt)
	if n := job.Attributes.FailedCount; n != nil {
		w.failed = *n
		w.done += *n
	}
	if n := job.Attributes.TotalCount; n != nil {
		w.total = *n
	}
	switch job.Attributes.Status {
	case "complete":
		w.state = Complete
	case "cancelled":
		w.state = Cancelled
	}
}
