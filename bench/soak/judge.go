package main

import (
	"fmt"
	"slices"
	"strconv"
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
		is.exists, is.full, is.name, is.on = true, is.full || !s.piped, r.name, is.on|list
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
		if slices.Contains(s.channels, "email") && is.mail != "SUBSCRIBED" {
			is.mail, is.mailSince = "SUBSCRIBED", r.since
		}
		if slices.Contains(s.channels, "sms") && is.sms != "SUBSCRIBED" {
			is.sms, is.smsSince = "SUBSCRIBED", r.since
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

// bad reports whether a row is wrong, or its list is not there.
func (a *actor) bad(r *row) bool {
	return r.person == nil || r.faulty || r.list < 0 || a.lists[r.list].id == ""
}

// allows reports whether so many rows may be rejected.
func (s *step) allows(rejected int) bool {
	if share, ok := strings.CutSuffix(s.invalid, "%"); ok {
		percent, _ := strconv.Atoi(share)
		return 100*rejected <= percent*len(s.rows)
	}
	most, _ := strconv.Atoi(s.invalid)
	return rejected <= most
}

// stops reports whether the rows are checked first, and too many of them are bad.
func (a *actor) stops(s *step) bool {
	bad := 0
	for _, r := range s.rows {
		if a.bad(r) {
			bad++
		}
	}
	return (s.first || s.verb == "mirror") && (!s.allows(bad) || s.verb == "mirror" && bad == len(s.rows))
}

// refuses reports whether Klaviyo refuses a good row, by the faults of the account, or because the person has
// unsubscribed since a historical consent. Or the row is refused because somebody who is not on the list has its phone
// number too: Klaviyo might unsubscribe that person everywhere.
func (s *step) refuses(r *row) bool {
	was := s.before.of[r.person.email]
	switch s.verb {
	case "add", "mirror":
		return r.person.refused()
	case "subscribe":
		return s.past && (slices.Contains(s.channels, "email") && was.mail == "UNSUBSCRIBED" ||
			slices.Contains(s.channels, "sms") && was.sms == "UNSUBSCRIBED")
	case "unsubscribe":
		return len(s.named(r)) > 1 && s.on(r)
	}
	return false
}

// on reports whether one of the people of a row is on its list.
func (s *step) on(r *row) bool {
	return slices.ContainsFunc(s.named(r), func(p *person) bool { return s.before.of[p.email].on&(1<<r.list) != 0 })
}

// effectOf says what the status of a row may mean, or what is wrong with the status.
func (a *actor) effectOf(s *step, r *row, earlier bool) (effect, string) {
	bad := a.bad(r)
	strange := !bad && s.refuses(r)
	was := state{}
	if !bad {
		was = s.before.of[r.person.email]
	}
	asked := !bad && s.verb == "subscribe" && !s.past && a.lists[r.list].double
	perhaps := none // after a process was ended early, an earlier one may have sent the row
	if s.kills > 0 {
		perhaps = either
	}
	if bad && !slices.Contains([]string{"rejected", "unsent", "missing"}, r.got.Status) {
		return none, "it is bad"
	}
	if s.stops && !bad && !slices.Contains([]string{"unsent", "missing"}, r.got.Status) {
		return none, "nothing may be sent"
	}
	switch r.got.Status {
	case "valid":
		if s.plan {
			return none, ""
		}
	case "applied":
		switch {
		case !s.waited:
			return none, "nobody waited"
		case strange:
			return none, "Klaviyo refused it"
		}
		return done, ""
	case "accepted":
		if strange && (s.verb == "subscribe" || s.verb == "unsubscribe") {
			return none, "it had to be refused"
		}
		if asked != (r.got.Code == "confirmation_pending") {
			return none, "the list asks people to confirm, or it does not"
		}
		if asked && !r.confirmed {
			return none, ""
		}
		if asked && (s.last != "wait" || s.picked) {
			return done, ""
		}
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
		// Lists are created by later processes that an earlier one did not create.
		late := s.kills > 0 && s.creates > 0 && r.got.Code == "list_not_found"
		if !bad && !strange && !late {
			return none, "it is good"
		}
		return none, ""
	case "unsent", "missing":
		if s.exit == 0 && !s.unfinished {
			return none, "the run went to its end"
		}
		if r.got.Status == "unsent" && s.exit == 1 && s.kills == 0 && !s.stops {
			return none, "nothing stopped the run"
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
			off := !s.on(r)
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
		identifier string
		list       int
	}
	seen := map[key]bool{}
	s.stops = a.stops(s)
	for i, r := range s.rows {
		k := key{list: r.list}
		if r.person != nil {
			k.identifier = r.person.identifier(s.by, s.before)
		}
		e, wrong := a.effectOf(s, r, seen[k])
		if wrong != "" {
			return fmt.Sprintf("row %d is %+v: %s: %s", i+1, r.got, wrong, r.text)
		}
		if a.bad(r) {
			continue
		}
		seen[k] = true
		for _, p := range s.named(r) {
			named[p.email] = true
			states := may[p.email]
			if states == nil {
				states = []state{s.before.of[p.email]}
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
	}
	absent := slices.ContainsFunc(s.rows, func(r *row) bool { return r.list >= 0 && a.lists[r.list].id == "" })
	if s.kills == 0 && s.exit <= 1 && absent && s.after.made < s.creates {
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
		extra := was.on&1 == 1 && s.before.joined[p.email].Before(s.started.Add(-3*time.Second))
		if is != was || line != "" && line != "extra" || s.exit == 0 && extra != (line == "extra") {
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
	if sum := n.Applied + n.Accepted + n.Skipped + n.Rejected + n.Unknown + n.Unsent + n.Valid + n.Resumed; sum != n.Read {
		return fmt.Sprintf("the counts of the report do not add up: %+v", n)
	}
	if s.kills == 0 && (n.Read != int64(len(s.rows)) ||
		n.Applied != counts["applied"] || n.Accepted != counts["accepted"] ||
		n.Skipped != counts["skipped"] || n.Rejected != counts["rejected"] || n.Unknown != counts["unknown"] ||
		n.Unsent != counts["unsent"] || n.Valid != counts["valid"]) {
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
	if s.verb == "mirror" && removed > 0 && !s.allows(int(counts["rejected"])) && s.kills == 0 {
		return fmt.Sprintf("%d members were removed, %d rows are rejected, --max-invalid is %s", removed, counts["rejected"],
			s.invalid)
	}
	if made, most := s.after.made, s.creates*(s.kills+1); made > most {
		return fmt.Sprintf("%d lists were created, --create-lists is %d, after %d kills", made, s.creates, s.kills)
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
	worst, rejected := 0, 0
	for _, r := range s.rows {
		switch r.got.Status {
		case "unknown", "unsent":
			worst = 1
		case "rejected":
			rejected++
		}
	}
	if !s.allows(rejected) || s.last == "wait" && rejected > 0 {
		worst = 1
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
