package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// judge compares the results of a step with what the account shows of all the actor's people.
func (a *actor) judge(s *step) string {
	may := map[string][]state{}
	named := map[string]bool{}
	type key struct {
		identifier string
		list       int
	}
	seen := map[key]bool{}
	s.stops = a.stops(s)
	var repeated []*row
	for i, r := range s.rows {
		k := key{list: r.list}
		if r.person != nil {
			k.identifier = r.person.identifier(s.by, s.before)
		}
		e, wrong := a.effectOf(s, r, seen[k])
		if wrong != "" {
			return fmt.Sprintf("row %d is %+v: %s: %s", i+1, r.got, wrong, r.text)
		}
		seen[k] = seen[k] || r.person != nil && !r.faulty
		if a.bad(r) {
			continue
		}
		for _, p := range s.named(r) {
			named[p.email] = true
			states := may[p.email]
			if states == nil {
				states = []state{s.before.of[p.email]}
			}
			if e == done && s.repeats { // a later request may have its effect earlier
				e = either
			}
			var next []state
			for _, was := range states {
				if e != done {
					next = append(next, was)
				}
				if e != none {
					next = append(next, a.wanted(s, r, was))
				}
			}
			may[p.email] = next
		}
		if e != none && s.repeats {
			repeated = append(repeated, r)
		}
	}
	for range 3 { // requests have their effect in any order
		for _, r := range repeated {
			for _, was := range may[r.person.email] {
				if is := a.wanted(s, r, was); !slices.Contains(may[r.person.email], is) {
					may[r.person.email] = append(may[r.person.email], is)
				}
			}
		}
	}
	absent := slices.ContainsFunc(s.rows, func(r *row) bool { // a list is created for good rows
		return r.list >= 0 && a.lists[r.list].id == "" && r.person != nil && !r.faulty && r.got.Code != "profile_not_found"
	})
	if s.kills == 0 && s.exit <= 1 && !s.halted && absent && s.after.made < s.creates {
		return fmt.Sprintf("%d lists were created, --create-lists is %d, and rows name more", s.after.made, s.creates)
	}
	for _, p := range a.people {
		states, was, is := may[p.email], s.before.of[p.email], s.after.of[p.email]
		if slices.Contains(s.later, p) {
			if is.on&1 == 0 {
				return fmt.Sprintf("%s joined later, and was removed", p.email)
			}
			continue
		}
		if states == nil {
			states = []state{was}
		}
		if s.verb == "mirror" && !named[p.email] {
			if wrong := s.judgeExtra(p, was, is); wrong != "" {
				return wrong
			}
			continue
		}
		// Before a row has had its effect, nothing shows that it is about a profile without its identifier.
		hidden := s.verb == "mirror" && s.by != "email" && was.exists && !was.full
		if line := s.gone[s.before.ids[p.email]]; s.verb == "mirror" && line != "" && !hidden {
			return fmt.Sprintf("%s is in a row, and the line of the member says %q: rows %s", p.email, line, s.rowsOf(p))
		}
		for _, st := range states {
			if st.on &^= 1; hidden {
				states = append(states, st)
			}
		}
		if !slices.Contains(states, is) {
			return fmt.Sprintf("%s is %+v, was %+v, and may be %+v: rows %s", p.email, is, was, states, s.rowsOf(p))
		}
	}
	a.remember(s)
	return ""
}

// judgeExtra judges somebody who is in no row of a mirror.
func (s *step) judgeExtra(p *person, was, is state) string {
	off := was
	off.on &^= 1
	line := s.gone[s.before.ids[p.email]]
	if s.plan {
		on := was.on&1 == 1 // whoever joined a moment ago may stay: that depends on Klaviyo's first answer
		extra := on && s.before.joined[p.email].Before(s.started.Add(-3*time.Second))
		if is != was || line != "" && line != "extra" || line == "extra" && !on || s.exit == 0 && extra && line == "" {
			return fmt.Sprintf("%s is in no row of a plan, was %+v, is %+v, and its line says %q", p.email, was, is, line)
		}
		return ""
	}
	switch {
	case is != was && is != off:
		return fmt.Sprintf("%s is in no row, was %+v, is %+v", p.email, was, is)
	case line == "removed" && is.on&1 == 1:
		return fmt.Sprintf("%s is said to be removed, and is on the list", p.email)
	case is != was && line != "removed" && line != "unknown" && s.kills == 0:
		return fmt.Sprintf("%s was removed, and its line says %q", p.email, line)
	case s.exit == 0 && !s.unfinished && is.on&1 == 1 && s.after.joined[p.email].Before(s.started.Add(-3*time.Second)):
		return fmt.Sprintf("%s is in no row, and is on the list still", p.email)
	}
	return ""
}

// rowsOf are the rows of somebody, with their results.
func (s *step) rowsOf(p *person) string {
	var b strings.Builder
	for i, r := range s.rows {
		if r.person == p {
			fmt.Fprintf(&b, "%d %s %+v; ", i+1, r.text, r.got)
		}
	}
	return b.String()
}

// remember notes what the state file may remember.
func (a *actor) remember(s *step) {
	if s.state == "" {
		return
	}
	for _, r := range s.rows {
		if r.person == nil {
			continue
		}
		if is := s.after.of[r.person.email]; r.got.Status == "applied" || s.kills > 0 && a.wanted(s, r, is) == is {
			a.proved[s.proofOf(r)] = true
		}
	}
}
