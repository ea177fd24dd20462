package pipeline

import (
	"slices"

	"klaviyo-export/report"
)

const (
	maxGroup = 64 << 10 // rows that are gathered for one import job: more than a batch has

	// Keys of all groups that wait for import jobs take at most maxHeld bytes, as far as one group does not take
	// more. They are counted in units.
	maxHeld, heldUnit = 96 << 20, 64 << 10

	// maxUnread is how many rows without an open import job are gathered to be read back.
	maxUnread = 10_000

	// maxKept is how long a key is at most that a job's error is looked for with. A key of ours has 101 characters.
	maxKept = 1 << 10
)

// groups is the stage that gathers earlier results by import job. It keeps nothing but the keys of rows that are
// waited for; rewrites reads all else again.
type groups struct {
	control *control
	held    func(*report.Entry) bool // whether the row's key is kept
	room    *permits
	emit    func(*results)
	open    *results
	rows    int    // gathered, with those that are passed on
	job     string // of open's accepted rows

	// where rows name their lists:
	target    func(list string) *target
	backlog   *backlog
	scattered map[scattered]*results // those that are gathered
	queue     []*results             // the same ones, in the order of their first rows
	last      int64                  // the last row
}

func newGroups(c *control, held func(*report.Entry) bool, room *permits, emit func(*results)) *groups {
	return &groups{control: c, held: held, room: room, emit: emit, open: new(results)}
}

// add takes the next row.
func (s *groups) add(e *report.Entry) {
	waits := waiting(e)
	if waits && s.job != "" && e.Job != s.job || s.rows >= maxGroup || len(s.open.ends) >= maxUnread && !waits {
		s.next()
	}
	s.control.read.Add(1)
	if s.rows++; s.rows == 1 {
		s.open.first = e.Row
	}
	s.open.last = e.Row
	if !s.held(e) {
		return
	}
	if waits {
		s.job = e.Job
	}
	s.open.keep(e)
}

// keep enters an earlier result.
func (r *results) keep(e *report.Entry) {
	key := e.Key
	if len(key) > maxKept {
		key = nil
	}
	r.add(key)
	line := report.Line{Status: e.Status, Job: e.Job}
	if len(e.Channels) > 0 {
		line.Code = e.Code
	}
	r.join(&line)
	if len(e.Channels) > 0 {
		r.askAgain(e)
	}
}

// trim gives back the room for more rows.
func (r *results) trim() {
	r.asked = slices.Clip(r.asked)
	r.keys, r.ends = slices.Clone(r.keys), slices.Clone(r.ends)
}

// next hands on what is gathered. It blocks while the keys of earlier groups leave no room.
func (s *groups) next() {
	if s.rows == 0 {
		return
	}
	s.open.trim()
	held := cap(s.open.keys) + 4*cap(s.open.ends)
	s.open.permits = s.room.take(held / heldUnit)
	s.emit(s.open)
	s.open, s.rows, s.job = new(results), 0, ""
}

// wait hands on the last groups.
func (s *groups) wait() {
	s.next()
	for len(s.queue) > 0 {
		s.gathered(s.queue[0])
	}
}
