package main

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/sink/simulator"
)

// actor is a team with people and lists of its own. It runs a few commands, one after the other, while other actors
// run theirs on the same account.
type actor struct {
	*round
	tag    string // in the email of each of its people
	dice   *rand.Rand
	door   *door
	people []*person
	lists  []list // the first one is the actor's alone
	steps  int
	last   *step
	proved map[proof]bool // what the state files may remember
	asked  []*person      // who may have been asked to confirm something
	mailed bool           // it has a campaign
}

// list is a list of the account.
type list struct {
	id, name string // without an id, the list is one that a command may create
	shared   bool   // with other actors
	double   bool   // people have to confirm that they subscribe
}

// person is somebody that rows may name. The email and the external id belong to nobody else.
type person struct {
	email, phone, external string
	also                   string    // a second address, which rows have then
	mates                  []*person // all who have the phone number, if there are several
	known                  bool      // there is a profile from the start
}

// refused reports whether Klaviyo refuses to import the person, by the faults of the account.
func (p *person) refused() bool {
	return strings.HasPrefix(p.email, "refused-") || strings.HasPrefix(p.email, "failed-")
}

// identifier is the value of a person's column.
func (p *person) identifier(by string, v *view) string {
	switch by {
	case "profile_id":
		return v.ids[p.email]
	case "phone_number":
		return p.phone
	case "external_id":
		return p.external
	}
	return cmp.Or(p.also, p.email)
}

// proof is a row's text that a state file may remember for somebody.
type proof struct{ file, email, text string }

// proofOf is the proof of a row. Without --nulls clear a null is left out of the profile.
func (s *step) proofOf(r *row) proof {
	text := r.plain
	if !s.clear {
		text = strings.Replace(text, `,"gift":null`, "", 1)
	}
	return proof{s.state, r.person.email, text}
}

// newActor draws people and lists, and puts some of them into the account.
func (r *round) newActor(number uint64, shared list) (*actor, error) {
	a := &actor{
		round: r, tag: fmt.Sprintf("r%dk%d", r.number, number), proved: map[proof]bool{},
		dice: rand.New(rand.NewPCG(r.seed, r.number<<8+number)),
	}
	for _, name := range []string{"Own ", "Second "} {
		name += a.tag
		a.lists = append(a.lists, list{id: r.account.sim.AddList(name, "single_opt_in"), name: name})
	}
	name := "Confirmed " + a.tag
	a.lists = append(a.lists, shared,
		list{id: r.account.sim.AddList(name, "double_opt_in"), name: name, double: true})
	most := pick(a.dice, 20, 100, 200, 2000)
	if r.account.paced || r.account.page > 0 {
		most = min(most, 60) // each page is a request
	}
	for n := range 5 + a.dice.IntN(most) {
		a.people = append(a.people, a.newPerson(n))
	}
	var err error
	a.door, err = open(r.account.sim)
	return a, err
}

// newPerson draws a person. Most of them have a profile, and are on some lists.
func (a *actor) newPerson(n int) *person {
	kind := "some"
	switch a.dice.IntN(40) {
	case 0:
		kind = "refused"
	case 1, 2:
		kind = "failed"
	}
	p := &person{
		email: fmt.Sprintf("%s-%sp%d@example.com", kind, a.tag, n), external: fmt.Sprintf("x-%sp%d", a.tag, n),
		phone: fmt.Sprintf("+4930%08d", 20_000_000+a.account.numbers.Add(1)),
	}
	if a.dice.IntN(3) == 0 {
		return p
	}
	p.known = true
	if n > 0 && a.dice.IntN(8) == 0 && a.people[n-1].known {
		p.share(a.people[n-1])
	}
	profile := simulator.Profile{
		Email: p.email, Phone: p.phone, External: p.external,
		Consent: []string{"", "", "SUBSCRIBED", "UNSUBSCRIBED"}[a.dice.IntN(4)],
	}
	if a.dice.IntN(2) == 0 {
		profile.Properties = map[string]string{"gift": "old"}
	}
	if kind == "some" && n < 60 && a.dice.IntN(6) == 0 { // look-ups ask for each of them alone, at Klaviyo's rate
		p.also = "also-" + p.email
		profile.Also = []string{p.also}
	}
	for _, l := range a.lists {
		if a.dice.IntN(2) == 0 {
			profile.Lists, profile.Joined = append(profile.Lists, l.name), time.Hour
		}
	}
	a.account.sim.Add(profile)
	return p
}

// share gives the person the phone number of another one.
func (p *person) share(other *person) {
	if other.mates == nil {
		other.mates = []*person{other}
	}
	p.phone = other.phone
	all := append(other.mates, p)
	for _, one := range all {
		one.mates = all
	}
}

// named are the people of a row: all who have its phone number.
func (s *step) named(r *row) []*person {
	switch {
	case r.person == nil:
		return nil
	case s.by == "phone_number" && r.person.mates != nil:
		return r.person.mates
	}
	return []*person{r.person}
}

// run runs the actor's commands, and stops at the first breach.
func (a *actor) run() {
	defer a.door.close()
	defer func() {
		files, _ := filepath.Glob(filepath.Join(a.dir, a.tag+"-*"))
		for _, file := range files {
			_ = os.Remove(file)
		}
	}()
	for range 1 + a.dice.IntN(4) {
		a.steps++
		if !a.step() {
			return
		}
	}
}

// step draws a command, runs it, continues it if it was ended early, and judges what it says.
func (a *actor) step() bool {
	a.confirm(a.asked)
	a.asked = nil
	s := a.draw()
	a.last = s
	var err error
	if s.before, err = a.look(); err != nil {
		return a.wrong(s, "%v", err)
	}
	if err = a.fill(s); err != nil {
		return a.wrong(s, "%v", err)
	}
	s.results = filepath.Join(a.dir, fmt.Sprintf("%s-%d", a.tag, a.steps))
	wrong := a.play(s)
	if a.asks(s); wrong != "" {
		return a.wrong(s, "%s", wrong)
	}
	if s.after, err = a.look(); err != nil {
		return a.wrong(s, "%v", err)
	}
	a.totals.count(s)
	if wrong := cmp.Or(s.judgeLines(), a.judge(s), s.judgeExit()); wrong != "" {
		return a.wrong(s, "%s", wrong)
	}
	if a.dice.IntN(4) == 0 {
		if wrong := a.members(s); wrong != "" {
			return a.wrong(s, "%s", wrong)
		}
	}
	if wrong := a.send(s); wrong != "" {
		return a.wrong(s, "%s", wrong)
	}
	return true
}

// wrong reports a breach, and returns false.
func (a *actor) wrong(s *step, format string, args ...any) bool {
	a.breach(fmt.Sprintf("round %d, actor %s, step %d", a.number, a.tag, a.steps),
		"%s\nrepeat: go run ./bench/soak -seed %d -round %d\ncommand: %v\nevents: %v\nfaults: %s\n%s",
		fmt.Sprintf(format, args...), a.seed, a.number, s.args, s.events, a.account.drawn, s.said)
	return false
}

// members runs members on the actor's own list, and compares the rows with the account.
func (a *actor) members(s *step) string {
	sent := a.door.requests.Load()
	e, err := a.start(&process{args: []string{"members", "--base-url", a.door.url, "--quiet", "--list-id", a.lists[0].id}})
	if err != nil || e.exit != 0 {
		return fmt.Sprintf("members: exit %d, %v: %s", e.exit, err, e.said)
	}
	read, lines := map[string]bool{}, 0
	for line := range bytes.Lines(e.out) {
		var m struct{ Email string }
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Sprintf("members: %v: %s", err, line)
		}
		read[strings.ToLower(m.Email)] = true
		lines++
	}
	for _, p := range a.people {
		if on := s.after.of[p.email].on&1 == 1; on != read[p.email] {
			return fmt.Sprintf("members: %s is on the list: %v, printed: %v", p.email, on, read[p.email])
		}
	}
	if lines != len(s.after.joined) {
		return fmt.Sprintf("members: %d rows, the list has %d", lines, len(s.after.joined))
	}
	a.totals.count(&step{verb: "members", listed: lines, requests: a.door.requests.Load() - sent})
	return ""
}
