package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// effect is what a row may have done to its person.
type effect int

const (
	none effect = iota
	either
	done
)

// wanted is what the account shows after a row had its effect on somebody who was in a state before.
func (a *actor) wanted(s *step, r *row, was state) state {
	is := was
	list := uint8(1) << max(r.list, 0)
	switch s.verb {
	case "add", "mirror":
		is.exists, is.full, is.name, is.on = true, true, r.name, is.on|list
		switch {
		case r.gift == "new":
			is.gift = "new"
		case r.gift == "null" && s.clear:
			is.gift = ""
		}
	case "remove":
		is.on &^= list
	case "subscribe":
		is.exists, is.on, is.left = true, is.on|list, is.left&^list
		if slices.Contains(s.channels, "email") {
			is.mail = "SUBSCRIBED"
		}
		if slices.Contains(s.channels, "sms") {
			is.sms = "SUBSCRIBED"
		}
	case "unsubscribe":
		is.exists = true
		if slices.Contains(s.channels, "sms") {
			is.sms = "UNSUBSCRIBED" // Klaviyo has no list suppression for numbers
		}
		if slices.Contains(s.channels, "email") {
			if s.global || !a.account.alone {
				is.mail = "UNSUBSCRIBED"
			} else {
				is.left |= list
			}
		}
		if is.on &^= list; s.global {
			is.on = 0
		}
	}
	return is
}

// effectOf says what the status of a row may mean, or what is wrong with the status.
func (a *actor) effectOf(s *step, r *row, earlier bool) (effect, string) {
	bad := r.person == nil || r.list < 0
	strange := !bad && (s.verb == "add" || s.verb == "mirror") && r.person.refused()
	was := state{}
	if !bad {
		was = s.before.of[r.person.email]
	}
	perhaps := none // after a process was ended early, an earlier one may have sent the row
	if s.kills > 0 {
		perhaps = either
	}
	if bad && !slices.Contains([]string{"rejected", "unsent", "missing"}, r.got.Status) {
		return none, "it is bad"
	}
	switch r.got.Status {
	case "applied":
		switch {
		case !s.waited:
			return none, "nobody waited"
		case strange:
			return none, "Klaviyo refused it"
		}
		return done, ""
	case "accepted":
		if s.last == "wait" && !s.picked || s.waited && s.kills == 0 {
			return none, "it was waited for"
		}
		return either, ""
	case "unknown":
		// An error of a row whose result a kill cut off matches no row of the results.
		cut := s.waited && s.kills > 0 && r.got.Code == "error_unmatched"
		if !a.account.codes[r.got.Code] && !cut {
			return none, "no fault explains it"
		}
		return either, ""
	case "rejected":
		if !bad && !strange {
			return none, "it is good"
		}
		return none, ""
	case "unsent", "missing":
		if s.exit == 0 && !s.unfinished {
			return none, "the run went to its end"
		}
		if bad {
			return none, ""
		}
		return perhaps, ""
	case "skipped":
		switch r.got.Code {
		case "duplicate":
			if earlier {
				return none, ""
			}
			return none, "nobody had its identifier before"
		case "unchanged":
			if a.proved[s.proofOf(r)] {
				return perhaps, ""
			}
			if s.kills > 0 {
				return done, "" // an earlier process of this step has proved it
			}
			return none, "the state cannot know it"
		case "not_on_list", "profile_not_found":
			off := was.on&(1<<r.list) == 0
			if s.by != "email" && s.by != "profile_id" && !was.full {
				return perhaps, "" // the profile does not have the identifier
			}
			if s.verb == "remove" || s.verb == "unsubscribe" && !s.global {
				if off || s.kills > 0 {
					return perhaps, ""
				}
			} else if !was.exists {
				return none, ""
			}
			return none, "the person is there"
		}
	}
	return none, "the status or its code is unexpected"
}

// judge compares the results of a step with what the account shows of all the actor's people.
func (a *actor) judge(s *step) string {
	may := map[string][]state{}
	named := map[string]bool{}
	type key struct {
		email string
		list  int
	}
	seen := map[key]bool{}
	for i, r := range s.rows {
		k := key{list: r.list}
		if r.person != nil {
			k.email = r.person.email
		}
		e, wrong := a.effectOf(s, r, seen[k])
		if wrong != "" {
			return fmt.Sprintf("row %d is %+v: %s: %s", i+1, r.got, wrong, r.text)
		}
		if r.person == nil {
			continue
		}
		named[k.email] = true
		if r.list < 0 {
			continue
		}
		seen[k] = true
		states := may[k.email]
		if states == nil {
			states = []state{s.before.of[k.email]}
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
		may[k.email] = next
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

// judgeLines compares the report with the lines.
func (s *step) judgeLines() string {
	if s.unfinished || s.report == nil {
		return ""
	}
	counts := map[string]int64{}
	for i, r := range s.rows {
		counts[r.got.Status]++
		if r.got.Status == "missing" && s.exit < 2 {
			return fmt.Sprintf("row %d has no result, exit %d: %s", i+1, s.exit, r.text)
		}
	}
	n := s.report.Rows
	if sum := n.Applied + n.Accepted + n.Skipped + n.Rejected + n.Unknown + n.Unsent + n.Resumed; sum != n.Read {
		return fmt.Sprintf("the counts of the report do not add up: %+v", n)
	}
	if s.kills == 0 && (n.Read != int64(len(s.rows)) ||
		n.Applied != counts["applied"] || n.Accepted != counts["accepted"] ||
		n.Skipped != counts["skipped"] || n.Rejected != counts["rejected"] || n.Unknown != counts["unknown"] ||
		n.Unsent != counts["unsent"]) {
		return fmt.Sprintf("the report counts %+v, the lines %v", n, counts)
	}
	removed := 0
	for _, status := range s.gone {
		if status == "removed" {
			removed++
		}
	}
	if m := s.report.Members; m != nil && m.Mirrored != nil && m.Unmatched > 0 && removed > 0 && !s.unmatched &&
		s.kills == 0 {
		return fmt.Sprintf("%d members were removed, and %d rows are not accounted for", removed, m.Unmatched)
	}
	if s.verb == "mirror" && removed > s.removals && s.kills == 0 {
		return fmt.Sprintf("%d members were removed, --max-removals is %d", removed, s.removals)
	}
	return ""
}

// judgeExit compares the exit status with the rows.
func (s *step) judgeExit() string {
	if s.unfinished || s.report == nil || s.kills > 0 && s.exit < 2 {
		return ""
	}
	worst := 0
	for _, r := range s.rows {
		switch {
		case r.got.Status == "unknown", r.got.Status == "unsent":
			worst = 1
		case r.got.Status == "rejected" && (!s.tolerant || s.last == "wait"):
			worst = 1
		}
	}
	for _, status := range s.gone {
		if status == "unknown" {
			worst = 1
		}
	}
	if s.exit == worst || s.verb == "mirror" && s.exit == 1 && s.report.Error != "" {
		return ""
	}
	return fmt.Sprintf("exit %d, the rows say %d: %s", s.exit, worst, s.report.Error)
}
