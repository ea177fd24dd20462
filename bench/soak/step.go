package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

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
	tolerant bool     // rejected rows are no failure
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
	person *person // nil if the row is bad
	list   int     // of actor.lists, -1 for a list that is not there
	name   string
	gift   string // "null" clears it
	got    result // the last one; its status is "missing" without any
}

func pick[T any](dice *rand.Rand, from ...T) T { return from[dice.IntN(len(from))] }

// draw draws a command line. After a run with a state file, it often draws the same command with the same rows.
func (a *actor) draw() *step {
	d := a.dice
	if l := a.last; l != nil && l.state != "" && d.IntN(2) == 0 {
		return &step{
			verb: l.verb, by: l.by, args: l.args, list: l.list, state: l.state, waited: l.waited, tolerant: l.tolerant,
			clear: l.clear, removals: l.removals, unmatched: l.unmatched, again: l.rows,
		}
	}
	s := &step{verb: pick(d, "add", "add", "add", "remove", "remove", "mirror", "mirror", "subscribe", "unsubscribe")}
	s.by = pick(d, "email", "email", "phone_number", "external_id")
	if s.verb == "remove" {
		s.by = pick(d, "profile_id", "email", "phone_number", "external_id")
	}
	s.args = []string{
		s.verb, "--base-url", a.door.url, "--quiet", "--by", s.by, "--batch-delay", pick(d, "10ms", "50ms", "1s"),
		"--concurrency", fmt.Sprint(1 + d.IntN(6)),
	}
	flag := func(args ...string) { s.args = append(s.args, args...) }
	if !a.account.paced || d.IntN(3) == 0 {
		flag("--no-rate-limit")
	}
	if s.tolerant = d.IntN(6) > 0; s.tolerant {
		flag("--max-invalid", "100%")
	}
	if d.IntN(8) == 0 && s.verb != "mirror" {
		flag("--check-first")
	}
	switch s.verb {
	case "mirror":
		s.removals = pick(d, 0, 3, 100_000, 100_000, 100_000)
		flag("--max-removals", fmt.Sprint(s.removals))
		if s.unmatched = d.IntN(2) == 0; s.unmatched {
			flag("--max-unmatched", "100%")
		}
		s.waited = true
	case "subscribe", "unsubscribe":
		s.channels = []string{"email"}
		if s.by == "phone_number" {
			s.channels = []string{"sms"}
		} else if s.by == "external_id" {
			s.channels = pick(d, []string{"email"}, []string{"sms"}, []string{"email", "sms"})
		}
		flag("--channel", strings.Join(s.channels, ","))
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
		flag("--list-column", "list", "--lists-by", pick(d, "name", "id"))
	default:
		if s.verb != "mirror" {
			list = d.IntN(len(a.lists))
		}
		if d.IntN(2) == 0 {
			flag("--list-id", a.lists[list].id)
		} else {
			flag("--list-name", a.lists[list].name)
		}
	}
	if !s.column && (s.verb == "add" || s.verb == "mirror") && d.IntN(2) == 0 {
		s.waited = true
		s.state = filepath.Join(a.dir, fmt.Sprintf("%s-%s-%s-%d-%v.state", a.tag, s.verb, s.by, list, s.clear))
		flag("--state", s.state)
	}
	if s.waited && (s.verb != "remove" && s.verb != "mirror") && s.state == "" && !slices.Contains(s.args, "--verify") {
		flag("--wait")
	}
	s.list = list
	return s
}

// fill draws the rows.
func (a *actor) fill(s *step) {
	d := a.dice
	for _, r := range s.again {
		same := *r
		same.got = result{}
		s.rows = append(s.rows, &same)
	}
	if s.again != nil {
		return
	}
	some := slices.DeleteFunc(slices.Clone(a.people), func(p *person) bool {
		was := s.before.of[p.email]
		// Consent by another identifier would make a second profile, which has no email and is nobody's.
		return d.IntN(4) == 0 || s.by == "profile_id" && !was.exists || s.channels != nil && s.by != "email" && !was.full
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
			r.list = d.IntN(len(a.lists))
			if d.IntN(25) == 0 {
				r.list = -1
			}
		}
		a.write(s, r, byID)
		s.rows = append(s.rows, r)
	}
}

// write writes the text of a row.
func (a *actor) write(s *step, r *row, byID bool) {
	var b strings.Builder
	p := r.person
	if s.verb == "add" || s.verb == "mirror" {
		if r.gift = pick(a.dice, "", "new", "null"); s.column {
			r.gift = ""
		}
		fmt.Fprintf(&b, `{"email":%q,"phone_number":%q,"external_id":%q,"first_name":%q`,
			p.email, p.phone, p.external, r.name)
		switch r.gift {
		case "null":
			b.WriteString(`,"gift":null`)
		case "new":
			b.WriteString(`,"gift":"new"`)
		}
	} else {
		fmt.Fprintf(&b, `{%q:%q`, s.by, p.identifier(s.by, s.before))
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
