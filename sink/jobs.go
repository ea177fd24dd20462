package sink

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	firstPoll = time.Second
	lastPoll  = 10 * time.Second
	// goneAfter is how long a job may be missing before it counts as expired. A new job may not be found everywhere
	// at once.
	goneAfter = time.Minute
	// readTime is how long reading a job's errors is retried.
	readTime = 15 * time.Minute
)

// JobState is the state of an import job.
type JobState uint8

// States of a job. Complete, Cancelled and Expired are final.
const (
	Open      JobState = iota
	Complete           // ended, perhaps with failures
	Cancelled          // ended in Klaviyo by a person or program; some rows may have been imported before
	Expired            // Klaviyo no longer knows it
)

// Jobs watches import jobs until they end. Its methods may be called concurrently; one caller polls for all of them.
type Jobs struct {
	client  *Client
	turn    chan struct{} // holds one element while one caller polls
	reading chan struct{} // holds one element while the errors of a job are read

	polls   retry  // the polls, as the client's stats show them; the next field and it belong to who has the turn
	failure string // why a poll failed in this round, "" when none did

	mu    sync.Mutex
	open  map[string]*watched
	pause time.Duration // before the next poll
}

// watched is a job that callers wait for.
type watched struct {
	waiting int // callers
	state   JobState
	until   time.Time // the latest time until which a caller waits; zero while reads queue
	reads   int       // callers that read its errors
	took    time.Duration
	done    int       // completed_count and failed_count together, as of the last poll
	failed  int       // failed_count, -1 when Klaviyo did not say
	total   int       // total_count, -1 when Klaviyo did not say
	absent  time.Time // the first poll that did not find it; zero when the last one did
	ended   chan struct{}
}

// NewJobs returns a Jobs for the jobs of the client's account.
func NewJobs(c *Client) *Jobs {
	return &Jobs{
		client: c, turn: make(chan struct{}, 1), reading: make(chan struct{}, 1),
		open: map[string]*watched{}, pause: firstPoll,
	}
}

// Wait waits for a job's end until the given time, and then reads its errors. The job is Open when the time is over
// or ctx ends, or when its errors cannot be read. A failed poll is not a failed job: Wait returns only an *Error of
// Kind Setup.
func (j *Jobs) Wait(ctx context.Context, until time.Time, id string) (*End, error) {
	w := j.watch(id, until)
	defer j.forget(id)
	within, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for {
		select {
		case <-w.ended:
			return j.end(ctx, id, w)
		case <-within.Done():
			return &End{State: Open}, nil
		case j.turn <- struct{}{}:
			err := j.poll(within, w)
			<-j.turn
			if err != nil {
				return &End{State: Open}, err
			}
		}
	}
}

func (j *Jobs) watch(id string, until time.Time) *watched {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.open) == 0 {
		j.pause = firstPoll
	}
	w := j.open[id]
	if w == nil {
		w = &watched{ended: make(chan struct{})}
		j.open[id] = w
	}
	w.waiting++
	if until.After(w.until) {
		w.until = until
	}
	return w
}

func (j *Jobs) forget(id string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if w := j.open[id]; w.waiting > 1 {
		w.waiting--
	} else {
		delete(j.open, id)
	}
	if len(j.open) == 0 {
		j.client.retries.end(&j.polls)
	}
}

// end reads the errors of a job that has ended. Several jobs are read one after the other, within the quota.
func (j *Jobs) end(ctx context.Context, id string, w *watched) (*End, error) {
	e := &End{State: w.state, Took: w.took, failed: w.failed, total: w.total}
	if e.State != Complete || e.failed == 0 {
		return e, nil
	}
	j.read(w, 1, time.Time{})
	defer j.read(w, -1, time.Time{})
	select {
	case j.reading <- struct{}{}:
		defer func() { <-j.reading }()
	case <-ctx.Done():
		return &End{State: Open}, nil
	}
	j.read(w, 0, time.Now().Add(readTime))
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	err := j.client.importErrors(ctx, id, e)
	var failed *Error
	switch {
	case err == nil:
		return e, nil
	case errors.As(err, &failed) && failed.status == http.StatusNotFound:
		return &End{State: Expired}, nil
	}
	return &End{State: Open}, setupOnly(err)
}

// read notes that a caller begins or ends to read the job's errors, and until when it tries.
func (j *Jobs) read(w *watched, callers int, until time.Time) {
	j.mu.Lock()
	defer j.mu.Unlock()
	w.reads += callers
	w.until = until
}

// Progress is how far the jobs are that callers wait for.
type Progress struct {
	Jobs       int64
	Rows, Done int64         // as far as Klaviyo said
	Left       time.Duration // until the first of the waits is over
	Reading    int64         // jobs that have ended and whose errors are read, or wait for their turn
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
		if w.reads > 0 {
			p.Reading++
		}
		if !w.until.IsZero() && (until.IsZero() || w.until.Before(until)) {
			until = w.until
		}
	}
	if !until.IsZero() {
		p.Left = max(time.Until(until), 0)
	}
	return p
}
