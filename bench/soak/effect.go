package main

import "slices"

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
		if is.exists = true; !s.global && !s.listless() {
			is.on, is.left = is.on|list, is.left&^list
		}
		if slices.Contains(s.channels, "email") && is.mail != "SUBSCRIBED" {
			is.mail, is.mailSince = "SUBSCRIBED", r.since
		}
		if slices.Contains(s.channels, "sms") && is.sms != "SUBSCRIBED" {
			is.sms, is.smsSince = "SUBSCRIBED", r.since
		}
		if s.listless() {
			is.orders = "SUBSCRIBED"
		}
	case "unsubscribe":
		is.exists = true
		if slices.Contains(s.channels, "sms") {
			is.sms, is.orders = "UNSUBSCRIBED", "UNSUBSCRIBED" // Klaviyo has no list suppression for numbers
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

// stops reports whether the rows are checked first, and too many of them are bad, or their number is wrong.
func (a *actor) stops(s *step) bool {
	bad := 0
	for _, r := range s.rows {
		if a.bad(r) {
			bad++
		}
	}
	wrong := s.short || !s.allows(bad) || s.verb == "mirror" && bad == len(s.rows)
	return (s.first || s.verb == "mirror") && wrong && !s.picked // pick leaves rejected rows out
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

// transactional is the channel of messages about orders. Alone it puts nobody on a list, and nobody has to confirm it.
const transactional = "sms-transactional"

func (s *step) listless() bool { return slices.Contains(s.channels, transactional) }

// effectOf says what the status of a row may mean, or what is wrong with the status.
func (a *actor) effectOf(s *step, r *row, earlier bool) (effect, string) {
	bad := a.bad(r)
	strange := !bad && s.refuses(r)
	was := state{}
	if !bad {
		was = s.before.of[r.person.email]
	}
	asked := !bad && s.verb == "subscribe" && !s.past && !s.listless() && a.lists[r.list].double
	perhaps := none // after a process was ended early, an earlier one may have sent the row
	if s.kills > 0 {
		perhaps = either
	}
	if bad && !slices.Contains([]string{"rejected", "unsent", "missing"}, r.got.Status) {
		// A process that ended early did not know yet that the list of both rows is not there.
		if (s.kills > 0 || s.halted) && r.got.Code == "duplicate" && earlier {
			return none, ""
		}
		if r.got.Code == "profile_not_found" && r.person != nil && !s.before.of[r.person.email].full {
			return none, "" // people are looked up before lists
		}
		return none, "it is bad"
	}
	if s.stops && !bad && !slices.Contains([]string{"unsent", "missing"}, r.got.Status) {
		return none, "nothing may be sent"
	}
	switch r.got.Status {
	case "valid":
		if s.plan || s.dry {
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
		if !s.late && (s.last == "wait" && !s.picked || s.waited && s.kills == 0 && !s.halted) {
			return none, "it was waited for"
		}
		return either, ""
	case "unknown":
		// An error of a row whose result a kill cut off matches no row of the results.
		cut := s.waited && s.kills > 0 && r.got.Code == "error_unmatched"
		other := s.repeats && r.got.Code == "not_cleared" // another row of the person has a gift
		if !a.account.codes[r.got.Code] && !cut && !s.late && !other {
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
		if r.got.Status == "unsent" && s.exit == 1 && s.kills == 0 && !s.stops && !s.halted {
			return none, "nothing stopped the run"
		}
		if bad {
			return none, ""
		}
		return perhaps, ""
	case "skipped":
		switch r.got.Code {
		case "duplicate":
			if earlier && !s.repeats {
				return none, ""
			}
			return none, "nobody had its identifier before"
		case "unchanged":
			if s.full && s.kills == 0 {
				return none, "--full sends it"
			}
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
