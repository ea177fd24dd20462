package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// draw draws a command line. After a run with a state file, it often draws the same command with the same rows.
func (a *actor) draw() *step {
	d := a.dice
	if l := a.last; l != nil && l.state != "" && d.IntN(2) == 0 {
		return &step{
			verb: l.verb, by: l.by, args: l.args, list: l.list, state: l.state, waited: l.waited, invalid: l.invalid,
			first: l.first, halts: l.halts, full: l.full, counted: l.counted, short: l.short,
			plan: l.plan, clear: l.clear, removals: l.removals, unmatched: l.unmatched, again: l.rows, dry: l.dry,
			spelling: l.spelling,
		}
	}
	s := &step{verb: pick(d, "add", "add", "remove", "mirror", "mirror", "subscribe", "unsubscribe", "unsubscribe")}
	s.by = pick(d, "email", "email", "phone_number", "external_id")
	if s.verb == "unsubscribe" && d.IntN(2) == 0 {
		s.by = "phone_number"
	}
	if s.verb == "remove" {
		s.by = pick(d, "profile_id", "email", "phone_number", "external_id")
	}
	s.args = []string{s.verb, "--base-url", a.door.url, "--quiet", "--by", s.by}
	flag := func(args ...string) { s.args = append(s.args, args...) }
	s.plan, s.dry = s.verb == "mirror" && d.IntN(3) == 0, s.verb != "mirror" && d.IntN(12) == 0
	switch {
	case s.plan:
		flag("--plan")
	case s.dry:
		flag("--dry-run")
	default:
		flag("--batch-delay", pick(d, "10ms", "50ms", "1s"), "--concurrency", fmt.Sprint(1+d.IntN(6)))
	}
	if !a.account.paced || d.IntN(3) == 0 {
		flag("--no-rate-limit")
	} else {
		flag("--rate-share", pick(d, "50", "100"))
	}
	s.invalid = pick(d, "0", "2", "5%", "100%", "100%", "100%", "100%", "100%", "100%")
	flag("--max-invalid", s.invalid)
	if s.first = d.IntN(5) == 0 && s.verb != "mirror" && !s.dry; s.first {
		flag("--check-first")
	}
	if s.halts = d.IntN(5) == 0 && s.verb != "mirror"; s.halts {
		flag("--stop-on-invalid")
	}
	switch s.verb {
	case "mirror":
		s.removals = pick(d, 0, 3, 100_000, 100_000, 100_000)
		flag("--max-removals", fmt.Sprint(s.removals))
		if s.unmatched = d.IntN(2) == 0; s.unmatched {
			flag("--max-unmatched", "100%")
		}
		s.waited = !s.plan
	case "subscribe", "unsubscribe":
		s.channels = []string{"email"}
		if s.by == "phone_number" {
			s.channels = []string{"sms"}
		} else if s.by == "external_id" {
			s.channels = pick(d, []string{"email"}, []string{"sms"}, []string{"email", "sms"})
		}
		if s.verb == "subscribe" && slices.Equal(s.channels, []string{"sms"}) && d.IntN(3) == 0 {
			s.channels = []string{transactional}
		}
		flag("--channel", strings.Join(s.channels, ","))
		if s.past = s.verb == "subscribe" && a.account.past && !s.listless() && d.IntN(2) == 0; s.past {
			flag("--historical", "--consented-at", "agreed")
		}
		if s.verb == "subscribe" && d.IntN(3) == 0 {
			flag("--source", "Kiosk")
		}
		if s.global = d.IntN(3) == 0; s.global && s.verb == "unsubscribe" {
			flag("--everywhere")
		}
		s.waited = !s.dry && d.IntN(2) == 0
	case "remove":
		if s.waited = !s.dry; s.waited && d.IntN(4) == 0 {
			flag("--verify")
		}
	case "add":
		s.waited = !s.dry && d.IntN(2) == 0
		if s.waited && d.IntN(3) == 0 {
			flag("--verify")
		}
	}
	if s.verb == "add" || s.verb == "mirror" {
		if s.clear = d.IntN(3) == 0; s.clear {
			flag("--nulls", "clear")
		}
	}
	list := 0
	switch {
	case s.global:
	case s.verb != "mirror" && d.IntN(4) == 0:
		s.column = true
		flag("--list-column", "list")
		if s.verb == "remove" || s.verb == "unsubscribe" || s.first || s.dry || len(a.lists) > 4 || d.IntN(2) == 0 {
			flag("--lists-by", pick(d, "name", "id"))
			break
		}
		s.creates = 1 + d.IntN(2)
		flag("--create-lists", fmt.Sprint(s.creates))
		how := pick(d, "single", "double", "")
		if how != "" {
			flag("--opt-in", how)
		}
		a.newLists(how != "single")
	default:
		if s.verb != "mirror" {
			list = a.anyList()
		}
		if d.IntN(2) == 0 {
			flag("--list-id", a.lists[list].id)
		} else {
			flag("--list-name", a.lists[list].name)
		}
	}
	profiles := s.verb == "add" || s.verb == "mirror"
	if s.piped = !s.column && !s.past && d.IntN(8) == 0; s.piped && profiles {
		flag("--drop", "profile_id", "--drop", "member_since")
	}
	if !s.piped {
		var flags []string
		s.spelling, flags = drawSpelling(d, profiles || s.by == "email", profiles || s.by == "phone_number")
		flag(flags...)
	}
	if !s.column && !s.piped && profiles && d.IntN(2) == 0 {
		s.waited = !s.plan && !s.dry
		s.state = filepath.Join(a.dir, fmt.Sprintf("%s-%s-%s-%d-%v-%v-%v.state", a.tag, s.verb, s.by, list, s.clear,
			s.mapped, s.national))
		flag("--state", s.state)
		if s.full = s.waited && d.IntN(4) == 0; s.full {
			flag("--full")
		}
	}
	if s.waited && (s.verb != "remove" && s.verb != "mirror") && s.state == "" && !slices.Contains(s.args, "--verify") {
		flag("--wait")
	}
	if s.repeats = s.verb == "add" && s.state == "" && d.IntN(6) == 0; s.repeats {
		flag("--duplicates", "send")
	}
	if s.waited && profiles && d.IntN(3) == 0 {
		flag("--max-open-jobs", "1")
	}
	s.list = list
	return s
}
