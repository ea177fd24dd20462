package pipeline

import (
	"errors"
	"maps"
	"slices"

	"klaviyo-export/pipeline/state"
	"klaviyo-export/report"
	"klaviyo-export/sink"
)

// StateOptions name the state file of a run, which remembers what each profile was when it was last applied.
type StateOptions struct {
	File    string
	Full    bool              // send all rows
	Mapping map[string]string // the flags, and their values, that say what becomes of a row
}

// hasher takes the hashes of profiles for the state. It is for one goroutine at a time.
type hasher struct {
	*state.Hasher
	fold  bool // the case of letters in identifiers does not count
	lower []byte
}

// person is the hash of a key, a JSON string.
func (h *hasher) person(key []byte) state.Hash {
	if !h.fold {
		return h.Person(key)
	}
	h.lower = append(h.lower[:0], key...)
	for i, c := range h.lower {
		if 'A' <= c && c <= 'Z' {
			h.lower[i] = c + 'a' - 'A'
		}
	}
	return h.Person(h.lower)
}

// openState opens the state file for the run's list, operation and mapping. Without sending, it only looks at it.
func (r *run) openState() error {
	o := r.options
	if o.State == nil {
		return nil
	}
	binding := state.Binding{Operation: o.Operation.String(), Mapping: maps.Clone(o.State.Mapping)}
	binding.List, _, _ = r.list.State()
	if a := r.account.wait(); a != nil {
		binding.Account = a.ID
	}
	open := state.Open
	if o.DryRun {
		open = state.Look
	}
	s, err := open(o.State.File, binding)
	if err != nil {
		return stateError(err)
	}
	r.state = s
	return nil
}

// stateError is an error of the state file as one of this package.
func stateError(err error) error {
	var own *state.Error
	if errors.As(err, &own) {
		return &Error{Text: own.Text, Hint: own.Hint, cause: err}
	}
	return err
}

// closeState writes what the state file lacks.
func (r *run) closeState() {
	if r.state == nil {
		return
	}
	if err := r.state.Close(); err != nil {
		r.control.stop(stateError(err))
	}
}

// forget makes the state forget people whose profiles change, before they are sent: if the run is killed before it
// has their results, nobody knows what Klaviyo has.
func (s *sends) forget(b *batch) error {
	if len(b.changed) == 0 {
		return nil
	}
	return stateError(s.state.Forget(b.changed))
}

// remembers makes the state remember applied rows, behind their results.
type remembers struct {
	state   *state.State
	list    *sink.List
	hasher  hasher
	control *control
	window  int64 // rows among which a person is sent only once
	rows    []state.Row
	unsure  []state.Hash // people whose profile is not known from now on
	twice   people       // those of them who are never remembered in this run
}

// note takes a row that was sent and whose line is written.
func (s *remembers) note(line *report.Line, profile state.Hash) {
	switch person := s.hasher.person(line.Key); line.Status {
	case report.Applied:
		s.rows = append(s.rows, state.Row{Person: person, Profile: profile})
	case report.Accepted, report.Unknown:
		if s.several() { // another row of the person may have been applied before this one, or after it
			s.unsure = append(s.unsure, person)
		}
	}
}

// several reports whether a person may have been sent more than once: rows that are farther apart than the window.
func (s *remembers) several() bool { return s.control.read.Load() > s.window }

// flush passes the rows on to the state. Their lines are on the output by now or, in a mirror, in its draft.
func (s *remembers) flush() error {
	if len(s.rows) == 0 && len(s.unsure) == 0 {
		return nil
	}
	id, _, _ := s.list.State()
	s.state.Bind(id)
	if s.several() {
		if err := s.settle(); err != nil {
			return stateError(err)
		}
	}
	err := s.state.Remember(s.rows)
	s.rows = s.rows[:0]
	return stateError(err)
}

// settle keeps only rows of people that this run has sent once: of several rows, the one that Klaviyo applied last is
// not known.
func (s *remembers) settle() error {
	kept := make([]state.Kept, len(s.rows))
	if err := s.state.Compare(s.rows, kept); err != nil {
		return err
	}
	of := map[state.Hash]state.Hash{} // the profile of each person in rows
	for i, row := range s.rows {
		other, again := of[row.Person]
		if kept[i] == state.Changed || again && other != row.Profile { // it was forgotten before it was sent
			s.unsure = append(s.unsure, row.Person)
		}
		of[row.Person] = row.Profile
	}
	for _, person := range s.unsure {
		s.twice.add(person)
	}
	s.rows = slices.DeleteFunc(s.rows, func(row state.Row) bool { return s.twice.has(row.Person) })
	if len(s.unsure) == 0 {
		return nil
	}
	err := s.state.Forget(s.unsure)
	s.unsure = s.unsure[:0]
	return err
}

// forgetRemoved makes the state forget removed members: nothing is known of them from now on.
func (r *run) forgetRemoved(all []*extra) error {
	if r.state == nil {
		return nil
	}
	h, people := r.newHasher(), []state.Hash(nil)
	for i := range all {
		if all[i].State == sink.Removed && all[i].key != nil {
			people = append(people, h.person(all[i].key))
		}
	}
	if len(people) == 0 {
		return nil
	}
	return stateError(r.state.Forget(people))
}

// newHasher returns a hasher of the run's identifiers.
func (r *run) newHasher() hasher {
	return hasher{Hasher: r.state.Hasher(), fold: r.options.Checker.By() == string(sink.Email)}
}

// people are those whose profiles a run changes, in some 25 bytes each: a later row with the profile that the state has
// must be sent again.
type people map[state.Hash]struct{}

func (p *people) add(person state.Hash) {
	if *p == nil {
		*p = people{}
	}
	(*p)[person] = struct{}{}
}

func (p people) has(person state.Hash) bool {
	_, ok := p[person]
	return ok
}
