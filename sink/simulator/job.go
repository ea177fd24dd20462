package simulator

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// job is one bulk import.
type job struct {
	id       string
	number   uint32 // from 1
	created  time.Time
	started  time.Time // zero while it is queued
	ended    time.Time // zero until it is complete or cancelled
	listIDs  []string
	total    int
	rows     []row    // until it is complete
	profiles []uint32 // then what became of them: the profiles written, in the order of the rows,
	errors   []importError

	fate       fate
	processing time.Duration // how long
	life       time.Duration // how long it can be read
	size       int           // of the request's body
	failing    map[int]*Fault
	report     *int // how many of the errors can be read; nil: all
}

// importError is a row that was dropped when the job ran.
type importError struct {
	id string
	problem
	payload []byte // the row's attributes as sent, and its id if it had one
}

func newImportError(p problem, r *row) importError {
	payload := append([]byte(nil), r.attributes...)
	if r.id != "" {
		m := newMerger(payload)
		m.write([]byte(`"id"`), []byte("id"), quote(nil, r.id))
		payload = m.object()
	}
	return importError{newUUID(), p, payload}
}

// newJobID makes an id of the form that was seen. It says nothing to a client.
func newJobID(now time.Time) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s_maintenance.%s.%d.%s", accountID, randomID(), now.Unix(), randomID()))
}

// randomID returns six letters and digits, as in the ids of lists.
func randomID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var id [6]byte
	for i := range id {
		id[i] = letters[rand.IntN(len(letters))]
	}
	return string(id[:])
}

// settle moves the jobs on to where they are at a time. A job takes effect whole, when it completes.
func (s *Simulator) settle(now time.Time) {
	for _, j := range s.open {
		if start := j.created.Add(s.options.JobTime); !now.Before(start) {
			j.started = start
		}
	}
	s.end(func(j *job) (time.Time, bool) {
		at := j.created.Add(s.options.JobTime + j.processing)
		return at, !now.Before(at) && j.fate != fateStuck
	})
}

// settleAll ends the open jobs before their time, except those that never end.
func (s *Simulator) settleAll() {
	now := s.options.Now()
	s.settle(now)
	for _, j := range s.open {
		if j.started.IsZero() {
			j.started = now
		}
	}
	s.end(func(j *job) (time.Time, bool) { return now, j.fate != fateStuck })
}

// end ends those of the open jobs that are over. Those that complete do so in the order of creation, in which they end.
func (s *Simulator) end(over func(*job) (at time.Time, ok bool)) {
	s.open = slices.DeleteFunc(s.open, func(j *job) bool {
		at, ok := over(j)
		switch {
		case !ok:
			return false
		case j.fate == fateCancelled:
			j.rows, j.failing = nil, nil
		default:
			s.apply(j, at)
		}
		j.ended = at
		return true
	})
}

func (j *job) status() string {
	switch {
	case !j.ended.IsZero() && j.fate == fateCancelled:
		return "cancelled"
	case !j.ended.IsZero():
		return "complete"
	case !j.started.IsZero():
		return "processing"
	}
	return "queued"
}

// expires returns when the job is gone.
func (j *job) expires() time.Time { return j.created.Add(j.life) }

func (j *job) field(field string) (value string, at time.Time) { return j.status(), time.Time{} }

// job returns the job of the call. Expired jobs are gone.
func (s *Simulator) job(c *call) (*job, *problem) {
	for _, j := range s.jobs {
		if j.id == c.id && s.options.Now().Before(j.expires()) {
			return j, nil
		}
	}
	p := notFound("Invalid job id")
	return nil, &p
}

// getJobs is GET /api/profile-bulk-import-jobs. Without sort, jobs come in the order of creation.
func (s *Simulator) getJobs(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	at := func(i int) (*job, bool) {
		j := s.jobs[i]
		return j, now.Before(j.expires()) && c.filter.holds(j.field)
	}
	return collection(c, len(s.jobs), at, func(b []byte, j *job) []byte { return s.appendJob(b, c, j, microTimeJSON) })
}

// getJob is GET /api/profile-bulk-import-jobs/{id}.
func (s *Simulator) getJob(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	j, p := s.job(c)
	if p != nil {
		return p.answer()
	}
	a := c.document(http.StatusOK, s.appendJob(nil, c, j, timeJSON))
	if c.include {
		a.body = append(a.body[:len(a.body)-1], `,"included":[`...)
		for i, l := range s.listsOf(j) {
			if i > 0 {
				a.body = append(a.body, ',')
			}
			a.body = l.append(a.body, c, timeJSON)
		}
		a.body = append(a.body, "]}"...)
	}
	return a
}

// getImportErrors is GET /api/profile-bulk-import-jobs/{id}/import-errors.
func (s *Simulator) getImportErrors(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	j, p := s.job(c)
	if p != nil {
		return p.answer()
	}
	n := len(j.errors)
	if j.report != nil {
		n = min(n, *j.report)
	}
	at := func(i int) (importError, bool) { return j.errors[i], true }
	return collection(c, n, at, func(b []byte, e importError) []byte {
		b = c.fields["import-error"].resource(b, "import-error", e.id, []attribute{
			{"code", quote(nil, e.code)},
			{"title", quote(nil, e.title)},
			{"detail", quote(nil, e.detail)},
			{"source", append(quote([]byte(`{"pointer":`), e.pointer), '}')},
			{"original_payload", e.payload},
		})
		return append(b, '}')
	})
}

// getJobProfiles is GET /api/profile-bulk-import-jobs/{id}/profiles and …/relationships/profiles.
func (s *Simulator) getJobProfiles(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	j, p := s.job(c)
	if p != nil {
		return p.answer()
	}
	at := func(i int) (uint32, bool) { return j.profiles[i], true }
	return collection(c, len(j.profiles), at, func(b []byte, n uint32) []byte {
		if c.relationship {
			return appendIdentifier(b, "profile", s.profiles.id(n))
		}
		return s.appendProfile(b, c, n, 0, false)
	})
}

// getJobLists is GET /api/profile-bulk-import-jobs/{id}/lists and …/relationships/lists.
func (s *Simulator) getJobLists(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	j, p := s.job(c)
	if p != nil {
		return p.answer()
	}
	lists := s.listsOf(j)
	at := func(i int) (*list, bool) { return lists[i], true }
	return collection(c, len(lists), at, func(b []byte, l *list) []byte {
		if c.relationship {
			return appendIdentifier(b, "list", l.id)
		}
		return l.append(b, c, timeJSON)
	})
}

// listsOf returns those lists of a job that still exist.
func (s *Simulator) listsOf(j *job) (lists []*list) {
	for _, id := range j.listIDs {
		if l := s.list(id); l != nil {
			lists = append(lists, l)
		}
	}
	return lists
}

// appendJob appends the resource object of a job. completed_count is the rows that took effect, without the failed ones.
func (s *Simulator) appendJob(b []byte, c *call, j *job, createdJSON func(time.Time) []byte) []byte {
	completed := 0
	var completedAt time.Time // of a cancelled job there is none
	if j.status() == "complete" {
		completed, completedAt = j.total-len(j.errors), j.ended
	}
	b = c.fields["profile-bulk-import-job"].resource(b, "profile-bulk-import-job", j.id, []attribute{
		{"status", quote(nil, j.status())},
		{"created_at", createdJSON(j.created)},
		{"total_count", strconv.AppendInt(nil, int64(j.total), 10)},
		{"completed_count", strconv.AppendInt(nil, int64(completed), 10)},
		{"failed_count", strconv.AppendInt(nil, int64(len(j.errors)), 10)},
		{"completed_at", timeOrNull(completedAt)},
		{"expires_at", timeJSON(j.expires())},
		{"started_at", timeOrNull(j.started)},
	})
	self := c.base + "/api/profile-bulk-import-jobs/" + j.id + "/"
	lists := []byte{'['}
	for i, id := range j.listIDs {
		if i > 0 {
			lists = append(lists, ',')
		}
		lists = appendIdentifier(lists, "list", id)
	}
	b = appendRelationship(append(b, `,"relationships":{`...), self, "lists", append(lists, ']'))
	b = appendRelationship(append(b, ','), self, "profiles", nil)
	b = quote(append(b, `,"import-errors":{"links":{"related":`...), self+"import-errors/")
	return append(appendSelf(append(b, "}}},"...), self), '}')
}

func timeOrNull(t time.Time) []byte {
	if t.IsZero() {
		return nil
	}
	return timeJSON(t)
}
