package sink

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"
)

const (
	firstPoll = time.Second
	lastPoll  = 10 * time.Second
	// goneAfter is how long a job may be missing before it counts as expired. A new job may not be found everywhere
	// at once.
	goneAfter = time.Minute
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

// Job is an import job whose end is waited for.
type Job struct {
	ID   string
	Rows int              // that are settled, of those that the job has
	Keys iter.Seq[[]byte] // their addresses, in order; it may be ranged over at any time until Wait returns
}

// Jobs watches import jobs until they end, all of them together. Its methods may be called concurrently; one caller
// polls for all of them.
type Jobs struct {
	client *Client
	turn   chan struct{}    // holds one element while one caller polls
	slots  [2]chan struct{} // hold one for each job whose errors are read: of most jobs, and of those whose reads fail

	polls   retry  // the polls, as the client's stats show them; the next field and it belong to who has the turn
	failure string // why a poll failed in this round, "" when none did

	mu    sync.Mutex
	open  map[string]*watched
	pause time.Duration // between the next poll and the one after it
	due   time.Time     // of the next poll
}

// wait is a call of Wait. It belongs to its caller, but for over.
type wait struct {
	until time.Time
	jobs  []Job
	ended func(job int, e *End)
	left  int           // jobs whose end is not known yet
	open  int           // those of them that polls have to look for
	is    []bool        // of the jobs: the end is known
	wake  chan struct{} // holds one element after something was added to over, or a read is over
	over  []int         // jobs that have ended since the caller looked; Jobs.mu guards it
	reads reads
}

// NewJobs returns a Jobs for the jobs of the client's account.
func NewJobs(c *Client) *Jobs {
	j := &Jobs{client: c, turn: make(chan struct{}, 1), open: map[string]*watched{}}
	for i := range j.slots {
		j.slots[i] = make(chan struct{}, readers)
	}
	return j
}

// Wait waits for the end of jobs until the given time, reads their errors, and calls ended once for each job, one
// after the other. A job is Open when the time is over or ctx ends before its errors are read. A failed poll is not a
// failed job: Wait returns only an *Error of Kind Setup.
func (j *Jobs) Wait(ctx context.Context, until time.Time, jobs []Job, ended func(job int, e *End)) error {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	w := j.begin(until, jobs, ended)
	defer j.leave(w)
	var err error
	for err == nil && w.left > 0 && ctx.Err() == nil && !w.reads.broken() {
		err = j.step(ctx, w)
	}
	cancel()
	for _, r := range w.reads.wait() {
		j.end(w, r.place, r.unread())
	}
	err = cmp.Or(err, j.settle(w))
	for job := range jobs {
		if !w.is[job] {
			j.end(w, job, endOf(Open, 0))
		}
	}
	return err
}

// step waits for the next thing that happens to a job of w, or polls.
func (j *Jobs) step(ctx context.Context, w *wait) error {
	var turn chan<- struct{}
	if w.open > 0 {
		turn = j.turn
	}
	select {
	case <-w.wake:
	case <-ctx.Done():
	case turn <- struct{}{}:
		err := j.poll(ctx, w.wake)
		<-j.turn
		if err != nil {
			return err
		}
	}
	for _, job := range j.over(w) {
		j.finish(ctx, w, job)
	}
	return j.settle(w)
}

// over returns the jobs of w that have ended since the last call.
func (j *Jobs) over(w *wait) []int {
	j.mu.Lock()
	defer j.mu.Unlock()
	over := w.over
	w.over = nil
	return over
}

// finish settles the rows of a job that has ended, or begins to read its errors.
func (j *Jobs) finish(ctx context.Context, w *wait, job int) {
	w.open--
	own := &w.jobs[job]
	j.mu.Lock()
	is := *j.open[own.ID]
	reads := is.state == Complete && is.failed != 0
	j.open[own.ID].reading = reads
	j.mu.Unlock()
	if !reads {
		j.end(w, job, endOf(is.state, is.took))
		return
	}
	w.reads.add(ctx, &read{
		place: job, doing: "read the errors of import job " + own.ID, next: errorsPath(own.ID), took: is.took,
		left: perRow*own.Rows + someErrors, pause: newPause(),
		settling: settling{
			rows: own.Rows, keys: own.Keys, failed: is.failed, total: is.total,
			texts: j.client.newTexts(), faults: map[int]*Fault{},
		},
	})
}

// settle takes the ends of the jobs whose errors are read. Its error is the first one that ends the wait.
func (j *Jobs) settle(w *wait) (err error) {
	for _, r := range w.reads.take() {
		if r.err != nil {
			err = cmp.Or(err, r.err)
			r.end = endOf(Open, 0)
		}
		j.end(w, r.place, r.end)
	}
	return err
}

// end tells the caller the end of a job. Nobody polls for it any more, unless another caller waits for it.
func (j *Jobs) end(w *wait, job int, e *End) {
	w.is[job] = true
	w.left--
	j.mu.Lock()
	if is := j.open[w.jobs[job].ID]; is != nil {
		e.Created = is.created
	}
	j.mu.Unlock()
	j.drop(w, job)
	w.ended(job, e)
}

// begin enters the jobs of a call of Wait.
func (j *Jobs) begin(until time.Time, jobs []Job, ended func(int, *End)) *wait {
	w := &wait{
		until: until, jobs: jobs, ended: ended, left: len(jobs), open: len(jobs), is: make([]bool, len(jobs)),
		wake: make(chan struct{}, 1),
	}
	w.reads = reads{client: j.client, slots: &j.slots, more: make(chan struct{}, 1), wake: w.wake}
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.open) == 0 {
		j.pause, j.due = firstPoll*3/2, time.Now().Add(firstPoll)
	}
	for job := range jobs {
		id := jobs[job].ID
		known := j.open[id]
		if known == nil {
			known = new(watched)
			j.open[id] = known
		}
		known.places = append(known.places, placed{w, job})
		if known.state != Open {
			w.over = append(w.over, job)
			signal(w.wake)
		}
	}
	return w
}

// leave drops all jobs of a call of Wait.
func (j *Jobs) leave(w *wait) {
	for job := range w.jobs {
		j.drop(w, job)
	}
}

// drop notes that a call of Wait no longer waits for a job.
func (j *Jobs) drop(w *wait, job int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := w.jobs[job].ID
	known := j.open[id]
	if known == nil {
		return
	}
	known.places = slices.DeleteFunc(known.places, func(p placed) bool { return p == placed{w, job} })
	if len(known.places) == 0 {
		delete(j.open, id)
	}
	if len(j.open) == 0 {
		j.client.retries.end(&j.polls)
	}
}
