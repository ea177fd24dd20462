package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/encoding/json"
)

const (
	firstPoll   = time.Second
	lastPoll    = 10 * time.Second
	watchedOne  = 3 // as many open jobs are asked for one by one; more through the collection, 100 a call
	maxPages    = 50
	maxErrors   = 100_000  // of a job of 10,000 rows
	maxPayloads = 64 << 20 // bytes of the profiles in a job's errors: of 4.9 MB that were sent
	// A job that was just taken may not be found everywhere at once; one that is so long not found has expired.
	goneAfter = time.Minute
)

// JobState is how far an import job has come.
type JobState uint8

// States of a job. Complete, Cancelled and Expired are final.
const (
	Open      JobState = iota
	Complete           // ended, perhaps with failures
	Cancelled          // ended by somebody; what it did before is not known
	Expired            // Klaviyo knows it no more
)

// Jobs watches import jobs until they end. Its methods may be called at once; of all callers one asks Klaviyo for all.
type Jobs struct {
	client  *Client
	turn    chan struct{} // holds one element while somebody asks
	reading chan struct{} // holds one element while the errors of a job are read

	mu    sync.Mutex
	open  map[string]*watched
	pause time.Duration // until the next question
}

type watched struct {
	waiting int // how many wait for it
	state   JobState
	until   time.Time // the latest time to which somebody waits for it
	took    time.Duration
	done    int       // completed_count and failed_count together, as last heard
	failed  int       // failed_count, -1 when Klaviyo did not say
	total   int       // total_count, -1 when Klaviyo did not say
	absent  time.Time // since when no question found it; zero when the last one did
	ended   chan struct{}
}

// NewJobs returns a Jobs for the jobs of the client's account.
func NewJobs(c *Client) *Jobs {
	return &Jobs{client: c, turn: make(chan struct{}, 1), reading: make(chan struct{}, 1), open: map[string]*watched{}, pause: firstPoll}
}

// End is what is known of a job: its state and, when it is Complete, its errors.
type End struct {
	State  JobState
	Took   time.Duration // from its creation to its completion by Klaviyo's clock, 0 when that is not known
	failed int
	total  int
	errors []importError
}

// Wait waits until the given time for a job's end, and reads its errors then. When the time is over, or ctx ends, the job
// is Open, as it is when its errors could not be read. Failed polls are no failed jobs: only an *Error of Kind Setup is returned.
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
			err := j.ask(within, w)
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
}

// ask waits for the pause and asks once for all open jobs, unless the caller's own has ended.
func (j *Jobs) ask(ctx context.Context, own *watched) error {
	j.mu.Lock()
	pause := j.pause
	j.pause = min(pause*3/2, lastPoll)
	j.mu.Unlock()
	if sleep(ctx, pause, own.ended) != nil {
		return nil
	}
	select {
	case <-own.ended:
		return nil
	default:
	}
	ids := j.ids()
	if len(ids) > watchedOne {
		return setupOnly(j.askAll(ctx, ids))
	}
	return j.askEach(ctx, ids)
}

// setupOnly keeps the errors that another question would meet again.
func setupOnly(err error) error {
	var failed *Error
	if errors.As(err, &failed) && failed.Kind == Setup {
		return err
	}
	return nil
}

func (j *Jobs) ids() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	ids := make([]string, 0, len(j.open))
	for id, w := range j.open {
		if w.state == Open {
			ids = append(ids, id)
		}
	}
	return ids
}

type jobResource struct {
	ID         string `json:"id"`
	Attributes struct {
		Status         string `json:"status"`
		FailedCount    *int   `json:"failed_count"`
		TotalCount     *int   `json:"total_count"`
		CompletedCount int    `json:"completed_count"`
		CreatedAt      string `json:"created_at"`
		CompletedAt    string `json:"completed_at"`
	} `json:"attributes"`
}

var errOtherJob = errors.New("the answer is about another job")

// askEach asks for jobs one by one.
func (j *Jobs) askEach(ctx context.Context, ids []string) error {
	for _, id := range ids {
		var doc struct {
			Data jobResource `json:"data"`
		}
		a, err := j.client.call(ctx, &request{
			doing: "watch import job " + id, method: http.MethodGet, path: "/api/profile-bulk-import-jobs/" + url.PathEscape(id),
			endpoint: j.client.rates.job, brief: true,
			accept: func(a *answer) error {
				if err := decodeID(a, &doc, &doc.Data.ID); err != nil {
					return err
				}
				if doc.Data.ID != id {
					return errOtherJob
				}
				return nil
			},
		})
		switch {
		case setupOnly(err) != nil:
			return err
		case err != nil: // a failed poll is no failed job, nor another's
		case a.status == http.StatusNotFound:
			j.note(id, nil)
		case a.status >= 300:
			return setupError("", "watch import job %s: %s", id, explain(a.status, a.errors))
		default:
			j.note(id, &doc.Data)
		}
	}
	return nil
}

// askAll reads the account's jobs, newest first, until it has met all that are open. Those that it does not meet are asked
// for one by one.
func (j *Jobs) askAll(ctx context.Context, ids []string) error {
	missing := map[string]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	next := "/api/profile-bulk-import-jobs?" + url.Values{"sort": {"-created_at"}, "page[size]": {"100"}}.Encode()
	for pages := 0; next != "" && len(missing) > 0 && pages < maxPages; pages++ {
		var page struct {
			Data  []jobResource `json:"data"`
			Links links         `json:"links"`
		}
		err := j.client.page(ctx, &request{doing: "watch import jobs", path: next, endpoint: j.client.rates.jobs, brief: true}, &page, func() bool { return page.Data != nil })
		if err != nil {
			return err
		}
		for i := range page.Data {
			if job := &page.Data[i]; missing[job.ID] {
				delete(missing, job.ID)
				j.note(job.ID, job)
			}
		}
		if next, err = page.Links.next(); err != nil {
			return err
		}
	}
	rest := make([]string, 0, len(missing))
	for id := range missing {
		rest = append(rest, id)
	}
	return j.askEach(ctx, rest)
}

// note enters what Klaviyo said of a job, nil for nothing, and wakes who waits for its end.
func (j *Jobs) note(id string, job *jobResource) {
	j.mu.Lock()
	defer j.mu.Unlock()
	w := j.open[id]
	if w == nil || w.state != Open {
		return
	}
	if job == nil {
		if w.absent.IsZero() {
			w.absent = time.Now()
		}
		if time.Since(w.absent) >= goneAfter {
			w.state = Expired
		}
	} else {
		w.absent, w.failed, w.total = time.Time{}, -1, -1
		w.took, w.done = job.took(), job.Attributes.CompletedCount
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
	if w.state != Open {
		close(w.ended)
		j.pause = firstPoll
	}
}

// took returns how long a job that is complete took, 0 when its times do not say.
func (j *jobResource) took() time.Duration {
	created, err := time.Parse(time.RFC3339, j.Attributes.CreatedAt)
	if err != nil {
		return 0
	}
	completed, err := time.Parse(time.RFC3339, j.Attributes.CompletedAt)
	if err != nil {
		return 0
	}
	return max(completed.Sub(created), 0)
}

// Progress is how far the jobs are that are waited for.
type Progress struct {
	Jobs       int64
	Rows, Done int64         // as far as Klaviyo said
	Left       time.Duration // for which the first of the jobs is still waited for
}

// Progress returns how far the jobs are. It may be called at any time.
func (j *Jobs) Progress() (p Progress) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, w := range j.open {
		p.Jobs++
		p.Rows += int64(max(w.total, 0))
		p.Done += int64(w.done)
		if left := time.Until(w.until); p.Jobs == 1 || left < p.Left {
			p.Left = max(left, 0)
		}
	}
	return p
}

// readTime is how long a job's errors are tried to be read.
const readTime = 15 * time.Minute

// end reads the errors of a job that has ended; of several jobs one after the other, within the quota.
func (j *Jobs) end(ctx context.Context, id string, w *watched) (*End, error) {
	e := &End{State: w.state, Took: w.took, failed: w.failed, total: w.total}
	if e.State != Complete || e.failed == 0 {
		return e, nil
	}
	select {
	case j.reading <- struct{}{}:
		defer func() { <-j.reading }()
	case <-ctx.Done():
		return &End{State: Open}, nil
	}
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

// importError is one entry of a job's import-errors (klaviyo-api.md §4.5).
type importError struct {
	Attributes struct {
		apiError
		Payload json.RawMessage `json:"original_payload"`
	} `json:"attributes"`
}

// importErrors reads all pages of a job's errors into e. Failing reads are repeated until ctx ends.
func (c *Client) importErrors(ctx context.Context, id string, e *End) error {
	pause, payloads := newPause(), 0
	next := "/api/profile-bulk-import-jobs/" + url.PathEscape(id) + "/import-errors?" + url.Values{"page[size]": {"100"}}.Encode()
	for pages := 0; next != ""; pages++ {
		if pages == maxErrors/100 || len(e.errors) > maxErrors || payloads > maxPayloads {
			return setupError("", "read the errors of import job %s: their pages have no end", id)
		}
		var page struct {
			Data  []importError `json:"data"`
			Links links         `json:"links"`
		}
		err := c.page(ctx, &request{doing: "read the errors of import job " + id, path: next, endpoint: c.rates.errors}, &page, func() bool { return page.Data != nil })
		var failed *Error
		if errors.As(err, &failed) && failed.Kind == Outage {
			_ = sleep(ctx, pause.NextBackOff(), nil) // the next call sees to it when ctx has ended
			pages--
			continue
		}
		if err != nil {
			return err
		}
		for i := range page.Data {
			c.clean(&page.Data[i].Attributes.apiError)
			payloads += len(page.Data[i].Attributes.Payload)
		}
		e.errors = append(e.errors, page.Data...)
		if next, err = page.Links.next(); err != nil {
			return err
		}
	}
	return nil
}

// email returns the address that the error's payload holds: the profile's attributes, by themselves or below attributes.
func (e *importError) email() string {
	type identifiers struct {
		Email any `json:"email"`
	}
	var payload struct {
		identifiers
		Attributes identifiers `json:"attributes"`
	}
	if decode(e.Attributes.Payload, &payload) != nil {
		return ""
	}
	for _, v := range []any{payload.Email, payload.Attributes.Email} {
		if s, ok := v.(string); ok && s != "" {
			return strings.TrimSpace(s)
		}
	}
	return ""
}

// Settlement says what became of a job's rows: Faults has those that its errors name, by their place in the job, and Rest and
// RestFault hold for all others.
type Settlement struct {
	Faults    map[int]*Fault
	Rest      Status
	RestFault *Fault
}

// Settle attributes a job's errors to its n rows, whose addresses key returns. Success is never what is left over: when an
// error fits no row, or fewer rows are named than failed, all others are Unknown.
func (e *End) Settle(n int, key func(place int) []byte) Settlement {
	switch e.State {
	case Open:
		return Settlement{Rest: Accepted}
	case Cancelled:
		return unknown("job_cancelled", "the import job was cancelled: the row may have been imported or not")
	case Expired:
		return unknown("job_expired", "Klaviyo no longer knows the import job, or another account's key was given: the row may have been imported or not")
	}
	v := Settlement{Faults: map[int]*Fault{}, Rest: Applied}
	if len(e.errors) == 0 && e.failed <= 0 {
		return v
	}
	unmatched := e.attribute(&v, n, key)
	switch {
	case unmatched > 0:
		v.Rest, v.RestFault = Unknown, &Fault{Code: "error_unmatched", Detail: fmt.Sprintf("%d errors of the import job name no row: this row may be among those", unmatched)}
	case len(v.Faults) < e.failed:
		v.Rest, v.RestFault = Unknown, &Fault{Code: "errors_incomplete", Detail: fmt.Sprintf("the import job failed for %d rows, and its errors name %d: this row may be among the others", max(e.failed, len(v.Faults)), len(v.Faults))}
	}
	return v
}

func unknown(code, detail string) Settlement {
	return Settlement{Rest: Unknown, RestFault: &Fault{Code: code, Detail: detail}}
}

// attribute enters the errors into v and returns how many fit no row.
func (e *End) attribute(v *Settlement, n int, key func(int) []byte) (unmatched int) {
	places := make(map[string]int, n)
	for i := range n {
		address := string(bytes.ToLower(key(i)))
		if _, twice := places[address]; twice {
			places[address] = ambiguous
			continue
		}
		places[address] = i
	}
	for i := range e.errors {
		said := &e.errors[i].Attributes
		at, column := indexed(said.Source.Pointer, importPointer, n)
		if e.total != n {
			at = -1 // rows of the job are missing here, or may be: places say nothing
		}
		if address := strings.ToLower(e.errors[i].email()); address != "" {
			place, ok := places[address]
			switch {
			case !ok:
				at = -1
			case place != ambiguous:
				at = place
			case at >= 0 && string(bytes.ToLower(key(at))) != address:
				at = -1
			}
		}
		if at < 0 {
			unmatched++
			continue
		}
		if f := v.Faults[at]; f != nil {
			f.add(said.text())
			continue
		}
		v.Faults[at] = &Fault{Code: said.Code, Column: column, Detail: said.text()}
	}
	return unmatched
}

// ambiguous marks an address that several rows of a job have.
const ambiguous = -1
