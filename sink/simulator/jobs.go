package simulator

import (
	"net/http"
	"strconv"
	"time"
)

// job returns the import job of the call. An expired one no longer exists.
func (s *Simulator) job(c *call) (*job, *problem) {
	for _, j := range s.jobs {
		if j.id == c.id && s.options.Now().Before(j.expires()) {
			return j, nil
		}
	}
	p := notFound("Invalid job id")
	return nil, &p
}

// getJobs is GET /api/profile-bulk-import-jobs. Without sort, the order is that of creation.
func (s *Simulator) getJobs(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	at := func(i int) (*job, bool) {
		j := s.jobs[i]
		return j, now.Before(j.expires()) && c.filter.holds(j.field)
	}
	createdJSON := func(at time.Time) []byte { return microTimeJSON(at.Add(registration)) }
	return collection(c, len(s.jobs), at, func(b []byte, j *job) []byte { return s.appendJob(b, c, j, createdJSON) })
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

// getJobProfiles is GET /api/profile-bulk-import-jobs/{id}/profiles and …/relationships/profiles.
func (s *Simulator) getJobProfiles(c *call) answer {
	s.lock()
	defer s.mu.Unlock()
	j, p := s.job(c)
	if p != nil {
		return p.answer()
	}
	at := func(i int) (uint32, bool) { return s.profiles.survivor(j.profiles[i]) }
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

// appendJob appends the resource object of an import job. completed_count counts the profiles that did not fail.
func (s *Simulator) appendJob(b []byte, c *call, j *job, createdJSON func(time.Time) []byte) []byte {
	completed := 0
	var completedAt time.Time // stays zero for a cancelled job
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
	self := c.base + importPath + "/" + j.id + "/"
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
