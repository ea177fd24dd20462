package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"klaviyo-export/sink/simulator"
)

// round is a short story of one simulated Klaviyo: runs add people, are killed and resumed, and then remove some.
type round struct {
	*journal
	binary, dir string
	number      uint64
	dice        *rand.Rand

	sim   *simulator.Simulator
	url   string
	list  string
	paced bool // the simulator has rate limits, and klaviyo-export keeps them
	wait  bool
	codes map[string]bool // codes that unknown rows may have

	rows, kills, requests int64
}

// roundTotals sums up the rounds.
type roundTotals struct {
	Rounds   int64 `json:"rounds"`
	Rows     int64 `json:"rows"`
	Kills    int64 `json:"kills"`
	Requests int64 `json:"requests"`
}

// add adds a round.
func (t *roundTotals) add(r *round) {
	t.Rounds++
	t.Rows += r.rows
	t.Kills += r.kills
	t.Requests += r.requests
}

// row is a row of a round's input, with its right key and status.
type row struct{ text, key, status string }

// run does the whole round.
func (r *round) run() {
	started := time.Now()
	r.paced, r.wait, r.codes = r.dice.IntN(3) == 0, r.dice.IntN(2) == 0, map[string]bool{}
	r.sim = simulator.New(simulator.Options{
		Plan: r.plan(), Ledger: true, RateLimits: r.paced,
		JobTime: time.Duration(1+r.dice.IntN(300)) * time.Millisecond,
	})
	r.list = r.sim.AddList("Round", "single_opt_in")
	var err error
	if r.url, err = r.sim.Start("127.0.0.1:0"); err != nil {
		r.wrong("%v", err)
		return
	}
	defer r.sim.Close()
	rows := r.addition()
	before := r.journal.count()
	if results := r.finish("add", rows); results != nil {
		r.compareList(rows, results)
		r.remove()
	}
	for _, n := range r.sim.Requests() {
		r.requests += int64(n)
	}
	r.print(struct {
		Type     string  `json:"type"`
		Seconds  float64 `json:"seconds"`
		Round    uint64  `json:"round"`
		Rows     int64   `json:"rows"`
		Kills    int64   `json:"kills"`
		Requests int64   `json:"requests"`
		Paced    bool    `json:"paced"`
		Waited   bool    `json:"waited"`
		Took     float64 `json:"took_seconds"`
		Right    bool    `json:"right"`
	}{
		"round", r.seconds(), r.number, r.rows, r.kills, r.requests, r.paced, r.wait,
		time.Since(started).Seconds(), r.journal.count() == before,
	})
}

// wrong reports a breach.
func (r *round) wrong(format string, args ...any) {
	r.breach(fmt.Sprintf("round %d", r.number), format, args...)
}

// addition draws the rows to add.
func (r *round) addition() []row {
	rows := make([]row, 5_000+r.dice.IntN(30_000))
	for i := range rows {
		email, status := fmt.Sprintf("somebody%d@example.com", i), "applied"
		switch {
		case i%1000 == 17:
			email, status = "nobody", "rejected"
		case i%1000 == 400:
			email, status = fmt.Sprintf("failed%d@example.com", i), "rejected"
		case i%5000 == 600:
			email, status = fmt.Sprintf("refused%d@example.com", i), "rejected"
		case i%1000 == 700:
			email, status = fmt.Sprintf("SOMEBODY%d@example.com", i-200), "skipped"
		}
		rows[i] = row{fmt.Sprintf(`{"email":"%s","first_name":"Zoë","visits":%d}`, email, i), email, status}
	}
	return rows
}

// remove removes a third of the members from the list.
func (r *round) remove() {
	ids := map[string]string{}
	for _, e := range r.sim.Ledger() {
		ids[e.Email] = e.Profile
	}
	var rows []row
	stay := map[string]bool{}
	for i, email := range r.sim.Members(r.list) {
		if i%3 != 0 || len(rows) > 5_000 {
			stay[email] = true
			continue
		}
		rows = append(rows, row{fmt.Sprintf(`{"profile_id":"%s"}`, ids[email]), ids[email], "applied"})
		if i%1000 == 0 {
			again := row{rows[len(rows)-1].text, ids[email], "skipped"}
			rows = append(rows, row{`{"profile_id":"a b"}`, "a b", "rejected"}, again)
		}
	}
	if len(rows) == 0 || r.finish("remove", rows) == nil {
		return
	}
	for _, email := range r.sim.Members(r.list) {
		if !stay[email] {
			r.wrong("remove: %s is on the list, but a row removed it", email)
		}
		delete(stay, email)
	}
	for email := range stay {
		r.wrong("remove: %s is not on the list, but no row removed it", email)
	}
}
