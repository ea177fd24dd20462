package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions of this file are the kinds of faults with which other clients change a list right before a request has
// its effect. They change the list of the request's path, or all lists if its path has none.

func serveJoin(f *Fault, x *exchange, next func() *kept) *kept {
	x.change(func(l *list, now time.Time) {
		for _, pattern := range f.Addresses {
			times := 1
			if strings.Contains(pattern, "*") {
				times = max(1, f.Profiles)
			}
			for range times {
				number := strconv.Itoa(len(x.profiles.all) + 1)
				n := x.addProfile(strings.Replace(pattern, "*", number, 1))
				x.joining(l, n, now, byOthers)
			}
		}
	})
	return next()
}

func serveLeave(f *Fault, x *exchange, next func() *kept) *kept {
	x.change(func(l *list, now time.Time) {
		gone := 0
		for _, m := range l.order {
			if m.left || !x.concerns(f, m.profile) {
				continue
			}
			x.leaving(l, m.profile, now, byOthers)
			if gone++; gone == f.Profiles {
				return
			}
		}
	})
	return next()
}

func serveDeleted(_ *Fault, x *exchange, next func() *kept) *kept {
	x.change(func(l *list, _ time.Time) {
		x.lists = slices.DeleteFunc(x.lists, func(other *list) bool { return other == l })
	})
	return next()
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
	attributes := s.profiles.all[n].attributes
	return f.Addresses == nil && f.Phones == nil || matchesAny(f.Addresses, identifier(attributes, "email")) ||
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

func wrongList(f *Fault) string {
	if !ofList(f.On) {
		return fmt.Sprintf("on: expected an operation on /api/lists/{id}, got %q", f.On)
	}
	return ""
}
