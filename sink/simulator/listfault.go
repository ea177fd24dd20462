package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions of this file are the kinds of faults with which other clients change a list and its members. They
// change the list of the request's path, or all lists if its path has none.

// serveJoin adds profiles: now, or in the second of the newest member. With shifting cursors they are the first of that
// second, so that a page repeats somebody.
func serveJoin(f *Fault, x *exchange, next func() *kept) *kept {
	return x.around(f, next, func(l *list, now time.Time) {
		if newest := l.newest(); f.As == "newest" && !newest.IsZero() {
			now = newest
		}
		for _, pattern := range f.Addresses {
			times := 1
			if strings.Contains(pattern, "*") {
				times = max(1, f.Profiles)
			}
			for range times {
				number := strconv.Itoa(len(x.profiles.all) + 1)
				n := x.addProfile(strings.Replace(pattern, "*", number, 1))
				_, member := l.at[n]
				if f.As == "newest" && x.options.Plan.Cursors == "shifting" && !member && len(l.order) > 0 {
					l.joinAhead(n)
					x.enter(now, joined, l.id, n, byOthers)
					continue
				}
				x.joining(l, n, now, byOthers)
			}
		}
	})
}

func serveLeave(f *Fault, x *exchange, next func() *kept) *kept {
	return x.around(f, next, func(l *list, now time.Time) {
		for _, n := range x.chosen(f, l) {
			x.leaving(l, n, now, byOthers)
		}
	})
}

// serveRejoin lets members leave and join again, which gives them a new time of joining.
func serveRejoin(f *Fault, x *exchange, next func() *kept) *kept {
	return x.around(f, next, func(l *list, now time.Time) {
		for _, n := range x.chosen(f, l) {
			x.leaving(l, n, now, byOthers)
			x.joining(l, n, now, byOthers)
		}
	})
}

func serveDeletedProfile(f *Fault, x *exchange, next func() *kept) *kept {
	return x.around(f, next, func(l *list, now time.Time) {
		for _, n := range x.chosen(f, l) {
			x.deleteProfile(n, now)
		}
	})
}

// serveMerge merges members into the profile with the email of into, or each into another member that is drawn. Their
// memberships move to the survivor. Their ids stand for it from then on, unless forget is set. Choice: a membership
// that moves keeps the time of joining, and a survivor who is a member keeps its own.
func serveMerge(f *Fault, x *exchange, next func() *kept) *kept {
	return x.around(f, next, func(l *list, now time.Time) {
		for _, n := range x.chosen(f, l) {
			survivor := n
			if f.Into != "" {
				survivor = x.addProfile(f.Into)
			} else if others := x.selected(&Fault{}, l, 0); len(others) > 1 {
				others = slices.DeleteFunc(others, func(other uint32) bool { return other == n })
				survivor = others[x.drawn.IntN(len(others))]
			}
			if survivor != n {
				x.mergeProfiles(n, survivor, now)
				if f.Forget {
					delete(x.profiles.merged, n)
				}
			}
		}
	})
}

func serveRenamed(f *Fault, x *exchange, next func() *kept) *kept {
	return x.around(f, next, func(l *list, now time.Time) { l.name, l.updated = f.Name, now })
}

func serveDeleted(f *Fault, x *exchange, next func() *kept) *kept {
	return x.around(f, next, func(l *list, _ time.Time) {
		x.lists = slices.DeleteFunc(x.lists, func(other *list) bool { return other == l })
	})
}

// byOthers is the cause of what these faults change.
var byOthers = cause{others: true}

// around passes the request on and calls change for each list that the request is about, before that or, with
// processed, after it. A fault that ends the connection does not keep it from that.
func (x *exchange) around(f *Fault, next func() *kept, change func(l *list, now time.Time)) *kept {
	if f.Processed {
		defer x.change(change)
	} else {
		x.change(change)
	}
	return next()
}

// chosen returns the members that a fault changes: all that it selects, the first so many of them, or with as: drawn so
// many, one without profiles, as the plan's seed draws them.
func (x *exchange) chosen(f *Fault, l *list) []uint32 {
	if f.As != "drawn" {
		return x.selected(f, l, f.Profiles)
	}
	numbers := x.selected(f, l, 0)
	most := min(max(1, f.Profiles), len(numbers))
	for i := range most {
		k := i + x.drawn.IntN(len(numbers)-i)
		numbers[i], numbers[k] = numbers[k], numbers[i]
	}
	return numbers[:most]
}

// selected returns the members that a fault concerns, in the order of joining, at most so many; 0 is all.
func (s *Simulator) selected(f *Fault, l *list, most int) (numbers []uint32) {
	for _, m := range l.order {
		if m.left || !s.concerns(f, m.profile) {
			continue
		}
		if numbers = append(numbers, m.profile); len(numbers) == most {
			break
		}
	}
	return numbers
}

// change calls f for each list that the request is about, with the account locked.
func (x *exchange) change(f func(l *list, now time.Time)) {
	x.lock()
	defer x.mu.Unlock()
	lists := slices.Clone(x.lists)
	if op, id, _ := lookUp(x.r); op != nil && ofList(op.path) {
		lists = slices.DeleteFunc(lists, func(l *list) bool { return l.id != id })
	}
	for _, l := range lists {
		f(l, x.options.Now())
	}
}

// ofList reports whether an operation's path, or its name, is that of one list.
func ofList(path string) bool {
	_, path, _ = strings.Cut(path, "/")
	return strings.HasPrefix(path, "api/lists/{id}")
}

// concerns reports whether a fault concerns a profile: one of its patterns matches, or it has no patterns.
func (s *Simulator) concerns(f *Fault, n uint32) bool {
	if f.Addresses == nil && f.Phones == nil {
		return true
	}
	attributes := s.profiles.all[n].attributes
	return matchesAny(f.Addresses, identifier(attributes, "email")) ||
		matchesAny(f.Phones, identifier(attributes, "phone_number"))
}

func wrongJoin(f *Fault) string {
	numbered := false
	for _, pattern := range f.Addresses {
		numbered = numbered || strings.Contains(pattern, "*")
		if !validEmail([]byte(strings.Replace(pattern, "*", "1", 1))) || strings.Count(pattern, "*") > 1 {
			return fmt.Sprintf("addresses: expected emails with at most one *, got %q", pattern)
		}
	}
	switch {
	case f.Addresses == nil:
		return "addresses is missing: expected emails such as late*@example.com, where * becomes a number"
	case f.Profiles > 0 && !numbered:
		return "profiles has no effect without an address with *"
	}
	return ""
}

func wrongMerge(f *Fault) string {
	switch {
	case f.Into != "" && !validEmail([]byte(f.Into)):
		return fmt.Sprintf("into: expected an email, got %q", f.Into)
	case f.Into == "" && f.As != "drawn":
		return "into is missing: expected the email of the survivor, or as: drawn"
	}
	return ""
}

func wrongName(f *Fault) string {
	if strings.TrimSpace(f.Name) == "" {
		return "name is missing: expected the list's new name"
	}
	return wrongList(f)
}

func wrongList(f *Fault) string {
	if !ofList(f.On) {
		return fmt.Sprintf("on: expected an operation on /api/lists/{id}, got %q", f.On)
	}
	return ""
}
