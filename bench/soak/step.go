package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
)

// step is one command with its rows and their results.
type step struct {
	verb, by string
	args     []string // of the command line
	rows     []*row
	channels []string // of consent: email, sms
	list     int      // of actor.lists, unless the rows name theirs
	state    string   // the state file, or ""
	waited   bool     // every row has its end in the results
	invalid  string   // --max-invalid
	first    bool     // --check-first
	plan     bool     // of mirror
	piped    bool     // the rows are those that members prints
	past     bool     // the consent is historical
	creates  int      // the most lists that may be created
	stops    bool     // the checks stop it before the first request
	column   bool     // the rows name their lists
	clear    bool     // nulls clear properties
	removals int      // the most that mirror removes
	global   bool     // the consent is withdrawn everywhere
	again    []*row   // of the step before, which this one repeats

	unmatched bool // mirror may remove somebody while rows are not accounted for

	results       string // the file of the results
	before, after *view
	started       time.Time
	later         []*person // who joined the list while it was mirrored
	events        []string  // how the processes of the step ended
	kills         int
	picked        bool // the last results are of rows that pick printed
	unfinished    bool // it was ended early and never continued
	exit          int
	said          string
	report        *report.Report
	gone          map[string]string // of mirror: the status of members' lines, by profile id
	last          string            // the verb of the process that ended last
	requests      int64
	listed        int // rows that members printed
}

// row is a row of the input.
type row struct {
	text   string
	person *person // nil if the row names nobody
	list   int     // of actor.lists, -1 for a list that is not there
	name   string
	gift   string // "null" clears it
	since  string // of the consent, if it is historical
	faulty bool   // the row names somebody, and is bad
	got    result // the last one; its status is "missing" without any

	confirmed bool // the person has confirmed the consent
}

func pick[T any](dice *rand.Rand, from ...T) T { return from[dice.IntN(len(from))] }

// draw draws a command line. After a run with a state file, it often draws the same command with the same rows.
func (a *actor) draw() *step {
	d := a.dice
	if l := a.last; l != nil && l.state != "" && d.IntN(2) == 0 {
		return &step{
			verb: l.verb, by: l.by, args: l.args, list: l.list, state: l.state, waited: l.waited, invalid: l.invalid,
			first: l.first, plan: l.plan, clear: l.clear, removals: l.removals, unmatched: l.unmatched, again: l.rows,
		}
	}
	s := &step{verb: pick(d, "add", "add", "add", "remove", "remove", "mirror", "mirror", "subscribe", "unsubscribe")}
	s.by = pick(d, "email", "email", "phone_number", "external_id")
	if s.verb == "unsubscribe" && d.IntN(2) == 0 {
		s.by = "phone_number"
	}
	if s.verb == "remove" {
		s.by = pick(d, "profile_id", "email", "phone_number", "external_id")
	}
	s.args = []string{s.verb, "--base-url", a.door.url, "--quiet", "--by", s.by}
	flag := func(args ...string) { s.args = append(s.args, args...) }
	if s.plan = s.verb == "mirror" && d.IntN(5) == 0; s.plan {
		flag("--plan")
	} else {
		flag("--batch-delay", pick(d, "10ms", "50ms", "1s"), "--concurrency", fmt.Sprint(1+d.IntN(6)))
	}
	if !a.account.paced || d.IntN(3) == 0 {
		flag("--no-rate-limit")
	}
	s.invalid = pick(d, "0", "2", "5%", "100%", "100%", "100%", "100%", "100%", "100%")
	flag("--max-invalid", s.invalid)
	if s.first = d.IntN(5) == 0 && s.verb != "mirror"; s.first {
		flag("--check-first")
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
		flag("--channel", strings.Join(s.channels, ","))
		if s.past = s.verb == "subscribe" && a.account.past && d.IntN(2) == 0; s.past {
			flag("--historical", "--consented-at", "agreed")
		}
		if s.global = s.verb == "unsubscribe" && d.IntN(3) == 0; s.global {
			flag("--everywhere")
		}
		s.waited = d.IntN(2) == 0
	case "remove":
		s.waited = true
		if d.IntN(4) == 0 {
			flag("--verify")
		}
	case "add":
		s.waited = d.IntN(2) == 0
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
		if s.verb == "remove" || s.verb == "unsubscribe" || s.first || len(a.lists) > 4 || d.IntN(2) == 0 {
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
	if !s.column && !s.piped && profiles && d.IntN(2) == 0 {
		s.waited = !s.plan
		s.state = filepath.Join(a.dir, fmt.Sprintf("%s-%s-%s-%d-%v.state", a.tag, s.verb, s.by, list, s.clear))
		flag("--state", s.state)
	}
	if s.waited && (s.verb != "remove" && s.verb != "mirror") && s.state == "" && !slices.Contains(s.args, "--verify") {
		flag("--wait")
	}
	s.list = list
	return s
}

// newLists names lists that a command may create.
func (a *actor) newLists(double bool) {
	for n := range 3 {
		a.lists = append(a.lists, list{name: fmt.Sprintf("New %d %s", n, a.tag), double: double})
	}
}

// anyList is one of the lists that are there.
func (a *actor) anyList() int {
	for {
		if n := a.dice.IntN(len(a.lists)); a.lists[n].id != "" {
			return n
		}
	}
}

// takes reports whether the rows of a step may name somebody.
func (a *actor) takes(s *step, p *person) bool {
	was := s.before.of[p.email]
	switch {
	case s.by == "profile_id" && !was.exists:
		return false
	case s.channels != nil && s.by != "email" && !was.full:
		return false // it would make a second profile, which has no email and is nobody's
	case p.mates == nil || s.by == "email" || s.verb == "remove":
		return true
	case s.by == "phone_number":
		// Klaviyo unsubscribes one of those who have the number, so nothing would ever show it of the others.
		return s.verb == "unsubscribe" && !s.global && !s.column && slices.ContainsFunc(p.mates, func(p *person) bool {
			return s.before.of[p.email].on&(1<<s.list) == 0
		})
	}
	return !slices.Contains(s.channels, "sms")
}

// fillPiped lets the rows be those that members prints of a list.
func (a *actor) fillPiped(s *step) error {
	e, err := a.start(&process{args: []string{
		"members", "--base-url", a.door.url, "--quiet", "--list-id", a.lists[a.anyList()].id,
	}})
	if err != nil || e.exit != 0 {
		return fmt.Errorf("members: exit %d, %v: %s", e.exit, err, e.said)
	}
	for line := range bytes.Lines(e.out) {
		var m map[string]string
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("members: %w: %s", err, line)
		}
		for _, p := range a.people {
			if p.email == strings.ToLower(m["email"]) && m[s.by] != "" && a.takes(s, p) {
				s.rows = append(s.rows, &row{
					text: strings.TrimSuffix(string(line), "\n"), person: p, list: s.list, name: s.before.of[p.email].name,
				})
			}
		}
	}
	return nil
}

// fill draws the rows.
func (a *actor) fill(s *step) error {
	d := a.dice
	for _, r := range s.again {
		same := *r
		same.got = result{}
		s.rows = append(s.rows, &same)
	}
	if s.piped {
		if err := a.fillPiped(s); err != nil {
			return err
		}
	}
	if s.piped = s.piped && len(s.rows) > 0; s.piped || s.again != nil {
		return nil
	}
	some := slices.DeleteFunc(slices.Clone(a.people), func(p *person) bool {
		return d.IntN(4) == 0 || !a.takes(s, p)
	})
	d.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	version := d.IntN(3)
	byID := slices.Contains(s.args, "id")
	for len(some) > 0 || len(s.rows) == 0 {
		if d.IntN(30) == 0 || len(some) == 0 {
			s.rows = append(s.rows, &row{text: pick(d, "nope", `{"email":5,"profile_id":5,"phone_number":5,"external_id":5}`)})
			if len(some) == 0 {
				break
			}
			continue
		}
		r := &row{person: some[0], list: s.list, name: fmt.Sprintf("v%d", version)}
		if len(s.rows) > 0 && d.IntN(12) == 0 {
			if again := s.rows[d.IntN(len(s.rows))]; again.person != nil {
				r.person, r.name = again.person, "again"
			}
		}
		if r.person == some[0] {
			some = some[1:]
		}
		if d.IntN(10) == 0 {
			r.name = "changed"
		}
		if s.column { // lists have import jobs of their own, in any order
			r.name = fmt.Sprintf("v%d", version)
			r.list = d.IntN(4)
			switch {
			case s.creates > 0 && d.IntN(4) == 0:
				r.list = 4 + d.IntN(len(a.lists)-4)
			case s.creates == 0 && d.IntN(25) == 0:
				r.list = -1
			}
		}
		a.write(s, r, byID)
		s.rows = append(s.rows, r)
	}
	return nil
}

// write writes the text of a row.
func (a *actor) write(s *step, r *row, byID bool) {
	var b strings.Builder
	p := r.person
	if s.verb == "add" || s.verb == "mirror" {
		if r.gift = pick(a.dice, "", "new", "null"); s.column {
			r.gift = ""
		}
		fmt.Fprintf(&b, `{"email":%q,"external_id":%q,"first_name":%q`, p.identifier("email", nil), p.external, r.name)
		if p.mates == nil {
			fmt.Fprintf(&b, `,"phone_number":%q`, p.phone)
		}
		switch r.gift {
		case "null":
			b.WriteString(`,"gift":null`)
		case "new":
			b.WriteString(`,"gift":"new"`)
		}
	} else {
		fmt.Fprintf(&b, `{%q:%q`, s.by, p.identifier(s.by, s.before))
	}
	if s.past {
		if r.since = "2024-01-01T10:00:00"; !s.column { // lists have requests of their own, in any order
			r.since = fmt.Sprintf("2024-0%d-01T10:00:00", 1+a.dice.IntN(9))
		}
		agreed := r.since + "Z"
		if r.faulty = a.dice.IntN(30) == 0; r.faulty {
			agreed = pick(a.dice, "soon", r.since, "2524-01-01T10:00:00Z")
		}
		fmt.Fprintf(&b, `,"agreed":%q`, agreed)
	}
	if s.column {
		name := "Missing"
		if r.list >= 0 {
			if name = a.lists[r.list].name; byID {
				name = a.lists[r.list].id
			}
		}
		fmt.Fprintf(&b, `,"list":%q`, name)
	}
	b.WriteString("}")
	r.text = b.String()
}

// text is the input of a command with these rows.
func text(rows []*row) []byte {
	var b []byte
	for _, r := range rows {
		b = append(append(b, r.text...), '\n')
	}
	return b
}
