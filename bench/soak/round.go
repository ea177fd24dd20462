package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// round is some actors at the same time on one account.
type round struct {
	*journal
	binary, dir  string
	seed, number uint64
	account      *account
	totals       *totals
}

// totals sums up the steps by command.
type totals struct {
	mu       sync.Mutex
	Rounds   int64             `json:"rounds"`
	Accounts int64             `json:"accounts"`
	Of       map[string]*tally `json:"commands"`
}

// tally is what the steps of one command did.
type tally struct {
	Steps    int64            `json:"steps"`
	Rows     int64            `json:"rows"`
	Kills    int64            `json:"kills"`
	Requests int64            `json:"requests"`
	Results  map[string]int64 `json:"results"`
}

// count adds a step.
func (t *totals) count(s *step) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of := t.Of[s.verb]
	if of == nil {
		of = &tally{Results: map[string]int64{}}
		t.Of[s.verb] = of
	}
	of.Steps++
	of.Rows += int64(len(s.rows) + s.listed)
	of.Kills += int64(s.kills)
	of.Requests += s.requests
	for _, r := range s.rows {
		of.Results[r.got.Status]++
	}
	for _, status := range s.gone {
		of.Results["member "+status]++
	}
}

// run runs the round and looks for members that no actor explains.
func (r *round) run() {
	started, before := time.Now(), r.count()
	dice := rand.New(rand.NewPCG(r.seed, r.number<<8+255))
	shared := list{name: fmt.Sprintf("Shared r%d", r.number), shared: true}
	shared.id = r.account.sim.AddList(shared.name, "single_opt_in")
	var actors []*actor
	for n := range uint64(2 + dice.IntN(4)) {
		a, err := r.newActor(n, shared)
		if err != nil {
			r.breach(fmt.Sprintf("round %d", r.number), "%v", err)
			return
		}
		actors = append(actors, a)
	}
	var wait sync.WaitGroup
	for _, a := range actors {
		wait.Go(a.run)
	}
	wait.Wait()
	steps := 0
	for _, a := range actors {
		steps += a.steps
		for i, l := range a.lists {
			r.strangers(a, l, i, actors)
		}
	}
	r.print(struct {
		Type    string  `json:"type"`
		Seconds float64 `json:"seconds"`
		Seed    uint64  `json:"seed"`
		Round   uint64  `json:"round"`
		Actors  int     `json:"actors"`
		Steps   int     `json:"steps"`
		Took    float64 `json:"took_seconds"`
		Right   bool    `json:"right"`
	}{
		"round", r.seconds(), r.seed, r.number, len(actors), steps, time.Since(started).Seconds(), r.count() == before,
	})
}

// strangers reports members of a list who are nobody's.
func (r *round) strangers(a *actor, l list, place int, actors []*actor) {
	for _, m := range r.account.sim.Memberships(l.id) {
		explained := slices.ContainsFunc(actors, func(other *actor) bool {
			return (l.shared || other == a) && strings.Contains(m.Email, "-"+other.tag+"p")
		})
		if !explained {
			r.breach(fmt.Sprintf("round %d", r.number), "%s is on list %s (%d), and in nobody's rows", m.Email, l.name, place)
		}
	}
}
