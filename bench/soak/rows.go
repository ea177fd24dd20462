package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/segmentio/encoding/json"
)

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
	return !slices.Contains(s.channels, "sms") && !s.listless()
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

// fill draws the rows, and whether their number is given.
func (a *actor) fill(s *step) error {
	err := a.fillRows(s)
	if s.again == nil && a.dice.IntN(6) == 0 {
		s.counted, s.short = true, a.dice.IntN(3) == 0
		n := len(s.rows)
		if s.short {
			n++
		}
		s.args = append(s.args, pick(a.dice, "--expect-rows", "--min-rows"), fmt.Sprint(n))
	}
	return err
}

// fillRows draws the rows, or repeats those of the step before.
func (a *actor) fillRows(s *step) error {
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
			wrong := pick(d, "nope", `{"email":5,"profile_id":5,"phone_number":5,"external_id":5}`)
			s.rows = append(s.rows, &row{text: s.spell(wrong, d)})
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
	r.plain = b.String()
	r.text = s.spell(r.plain, a.dice)
}

// text is what pick prints of these rows: a line each.
func text(rows []*row) []byte {
	var b []byte
	for _, r := range rows {
		b = append(append(b, r.text...), '\n')
	}
	return b
}
