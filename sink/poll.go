package sink

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	// polledSingly is how many open jobs are polled one by one; more are polled through the collection, 100 a call.
	polledSingly = 3
	// polledRest is how many jobs that the collection lacks are polled singly in one round, so that they hold up no
	// other.
	polledRest = 20
)

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

// took returns how long a complete job took, or 0 when its times do not say.
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

// poll waits until the next poll is due and then polls all open jobs once. It ends early with nil when there is
// something in wake.
func (j *Jobs) poll(ctx context.Context, wake <-chan struct{}) error {
	j.mu.Lock()
	due := j.due
	j.mu.Unlock()
	if sleep(ctx, time.Until(due), wake) != nil || time.Now().Before(due) {
		return nil
	}
	defer j.show(ctx)
	defer j.rest()
	ids := j.ids()
	if len(ids) > polledSingly {
		err := j.pollAll(ctx, ids)
		j.fails(err)
		return setupOnly(err)
	}
	return j.pollEach(ctx, ids)
}

// rest sets when the next poll is due.
func (j *Jobs) rest() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.due = time.Now().Add(j.pause)
	j.pause = min(j.pause*3/2, lastPoll)
}

// fails notes why a poll of this round failed.
func (j *Jobs) fails(err error) {
	var failed *Error
	if errors.As(err, &failed) && failed.Kind == Outage {
		j.failure = failed.brief
	}
}

// show has the client's stats say why polls failed in this round, until one has no failure. The polls are repeated
// until the wait ends, whose context is ctx.
func (j *Jobs) show(ctx context.Context) {
	if j.failure == "" {
		j.client.retries.end(&j.polls)
		return
	}
	until, _ := ctx.Deadline()
	j.client.retries.set(&j.polls, retry{
		endpoint: j.client.endpoints.jobs, first: j.client.elapsed(), limit: time.Until(until), deadline: until,
		failure: j.failure,
	})
	j.failure = ""
}

// setupOnly drops the errors that do not end a wait: the next poll may succeed.
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

var errOtherJob = errors.New("the answer is about another job")

// pollEach polls jobs one by one. A failed poll affects neither its own job nor others.
func (j *Jobs) pollEach(ctx context.Context, ids []string) error {
	for _, id := range ids {
		job, err := j.client.job(ctx, id, &request{doing: "watch import job " + foreign(id).String(), brief: true})
		switch {
		case setupOnly(err) != nil:
			return err
		case err != nil:
			j.fails(err)
		default:
			j.note(id, job)
		}
	}
	return nil
}

// job reads an import job by a request that has its options set. It returns nil when Klaviyo does not know the job.
func (c *Client) job(ctx context.Context, id string, r *request) (*jobResource, error) {
	var doc struct {
		Data jobResource `json:"data"`
	}
	r.method, r.path, r.endpoint = http.MethodGet, "/api/profile-bulk-import-jobs/"+url.PathEscape(id), c.endpoints.job
	r.accept = func(a *answer) error {
		if err := c.decodeID(a, &doc, &doc.Data.ID); err != nil {
			return err
		}
		if doc.Data.ID != id {
			return errOtherJob
		}
		return nil
	}
	a, err := c.call(ctx, r)
	switch {
	case err != nil:
		return nil, err
	case a.missing():
		return nil, nil
	case a.status >= 300:
		return nil, a.refused(r.doing)
	}
	return &doc.Data, nil
}

// pollAll reads the account's jobs, newest first, until it has found all open ones. It polls missing ones one by one:
// in each round those that were not polled for longest.
func (j *Jobs) pollAll(ctx context.Context, ids []string) error {
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
		r := &request{doing: "watch import jobs", path: next, endpoint: j.client.endpoints.jobs, brief: true}
		err := j.client.page(ctx, r, &page, func() bool { return page.Data != nil })
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
	return j.pollEach(ctx, j.rarest(missing, next == ""))
}

// rarest returns the missing jobs to poll singly in this round. When the collection was read to its end, all of them
// are absent from now on, unless they were before.
func (j *Jobs) rarest(missing map[string]bool, whole bool) []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	ids := make([]string, 0, len(missing))
	for id := range missing {
		w := j.open[id]
		if w == nil || w.state != Open {
			continue
		}
		if whole && w.absent.IsZero() {
			w.absent = now
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		return cmp.Or(j.open[a].polled.Compare(j.open[b].polled), cmp.Compare(a, b))
	})
	ids = ids[:min(len(ids), polledRest)]
	for _, id := range ids {
		j.open[id].polled = now
	}
	return ids
}
