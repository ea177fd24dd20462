package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
)

// round is a job for one simulated Klaviyo: people are added, by runs that are killed and taken up again, and some
// of them removed.
type round struct {
	*journal
	binary, dir string
	number      uint64
	dice        *rand.Rand

	sim   *simulator.Simulator
	url   string
	list  string
	paced bool // by the rate limits
	wait  bool
	codes map[string]bool // that unknown rows may have

	rows, kills, requests int64
}

// roundTotals sum up the rounds.
type roundTotals struct {
	Rounds   int64 `json:"rounds"`
	Rows     int64 `json:"rows"`
	Kills    int64 `json:"kills"`
	Requests int64 `json:"requests"`
}

func (t *roundTotals) add(r *round) {
	t.Rounds++
	t.Rows += r.rows
	t.Kills += r.kills
	t.Requests += r.requests
}

// row is a row of a round's input with the result that it should have.
type row struct{ text, key, status string }

// run does the whole round.
func (r *round) run() {
	started := time.Now()
	r.paced, r.wait, r.codes = r.dice.IntN(3) == 0, r.dice.IntN(2) == 0, map[string]bool{}
	r.sim = simulator.New(simulator.Options{Plan: r.plan(), Ledger: true, RateLimits: r.paced, JobTime: time.Duration(1+r.dice.IntN(300)) * time.Millisecond})
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
	}{"round", r.seconds(), r.number, r.rows, r.kills, r.requests, r.paced, r.wait, time.Since(started).Seconds(), r.journal.count() == before})
}

func (r *round) wrong(format string, args ...any) {
	r.breach(fmt.Sprintf("round %d", r.number), format, args...)
}

// plan draws what goes wrong. All of it passes, so that every row's fate is certain but for what codes has.
func (r *round) plan() *simulator.Plan {
	var faults []simulator.Fault
	kinds := []simulator.Fault{
		{Do: "status", Status: 500}, {Do: "status", Status: 502, As: "page"}, {Do: "status", Status: 503},
		{Do: "status", Status: 524, As: "page"},
		{Do: "challenge"}, {Do: "throttle"}, {Do: "throttle", Form: "date"}, {Do: "reset"},
		{Do: "reset", Processed: true},
		{Do: "lose", Status: 504}, {Do: "lose", Status: 200, As: "empty"}, {Do: "lose", Status: 202, As: "no_id"},
		{Do: "truncate"},
		{Do: "delay", Before: 300 * time.Millisecond}, {Do: "delay", After: 300 * time.Millisecond},
		{Do: "relink", To: "http://127.0.0.1:9"},
	}
	ons := []string{importing, importing, watching, listing, reasons, removing, removing, "GET /api/lists/{id}"}
	for range r.dice.IntN(7) {
		f := kinds[r.dice.IntN(len(kinds))]
		f.On, f.Skip, f.Times = ons[r.dice.IntN(len(ons))], r.dice.IntN(6), 1+r.dice.IntN(3)
		faults = append(faults, f)
	}
	if r.dice.IntN(4) == 0 {
		faults = append(faults, simulator.Fault{Do: "too_large", Times: -1, Profiles: 500 + r.dice.IntN(3000)})
	}
	refuse := simulator.Fault{Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid.", Naming: "all"}
	if !r.paced {
		refuse.Naming = []string{"all", "rounds", "unnamed"}[r.dice.IntN(3)]
	}
	fail := simulator.Fault{Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "duplicate_profile", Detail: "Taken.",
		Payload: []string{"full", "none", "attributes"}[r.dice.IntN(3)], Uppercase: r.dice.IntN(2) == 0}
	// Of a job some of whose results a kill has cut off, places say nothing: wait has to go by addresses, if errors
	// have them.
	r.codes["error_unmatched"] = !r.wait && fail.Payload == "none"
	if r.dice.IntN(6) == 0 {
		n := r.dice.IntN(4)
		fail.Report, r.codes["errors_incomplete"] = &n, true
	}
	faults = append(faults, refuse, fail)
	if r.dice.IntN(6) == 0 {
		faults = append(faults, simulator.Fault{Do: "cancel", Skip: r.dice.IntN(3)})
		r.codes["job_cancelled"] = true
	}
	return &simulator.Plan{Seed: r.number, Faults: faults}
}

// addition returns the rows to add.
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

// finish runs a command until it comes to its end, killing it before at random moments, and returns the last result
// of each row.
func (r *round) finish(verb string, rows []row) []result {
	r.rows += int64(len(rows))
	name := filepath.Join(r.dir, fmt.Sprintf("%s-%d", verb, r.number))
	defer os.Remove(name)
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		r.wrong("%v", err)
		return nil
	}
	args := []string{verb, "--base-url", r.url, "--list-id", r.list, "--max-invalid", "100%", "--quiet", "--resume", name,
		"--batch-delay", "10ms", "--concurrency", fmt.Sprint(1 + r.dice.IntN(6))}
	if r.wait && verb == "add" {
		args = append(args, "--wait")
	}
	if !r.paced {
		args = append(args, "--no-rate-limit")
	}
	for left := r.dice.IntN(4); ; left-- {
		kill := time.Duration(0)
		if left > 0 {
			kill = time.Duration(5+r.dice.IntN(600)) * time.Millisecond
		}
		exit, said := r.attempt(args, rows, name, kill)
		if exit == -1 && left > 0 {
			r.kills++
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			r.wrong("%s: %v", verb, err)
			return nil
		}
		if !r.wait && verb == "add" {
			text, exit, said = r.waitFor(text)
			verb = "wait"
		}
		return r.compare(verb, rows, text, exit, said)
	}
}

// attempt runs the command once with all rows, and kills it after some time unless that is 0.
func (r *round) attempt(args []string, rows []row, results string, kill time.Duration) (exit int, said string) {
	out, err := os.OpenFile(results, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return -2, err.Error()
	}
	defer out.Close()
	var errs bytes.Buffer
	command := exec.Command(r.binary, args...)
	command.Env, command.Stdout, command.Stderr = append(os.Environ(), "KLAVIYO_API_KEY=pk_soak"), out, &errs
	in, err := command.StdinPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		return -2, err.Error()
	}
	if kill > 0 {
		defer time.AfterFunc(kill, func() { _ = command.Process.Kill() }).Stop()
	}
	r.feed(in, rows)
	_ = command.Wait()
	return command.ProcessState.ExitCode(), errs.String()
}

// feed writes rows in bursts, so that requests are of any size.
func (r *round) feed(in io.WriteCloser, rows []row) {
	defer in.Close()
	for len(rows) > 0 {
		n := min(1+r.dice.IntN(4000), len(rows))
		var block strings.Builder
		for _, row := range rows[:n] {
			block.WriteString(row.text)
			block.WriteByte('\n')
		}
		if _, err := io.WriteString(in, block.String()); err != nil {
			return // the run was killed, or says itself what is wrong
		}
		rows = rows[n:]
		time.Sleep(time.Duration(r.dice.IntN(25)) * time.Millisecond) // as a query pauses
	}
}

// waitFor has the jobs of results waited for.
func (r *round) waitFor(text []byte) (results []byte, exit int, said string) {
	var out, errs bytes.Buffer
	command := exec.Command(r.binary, "wait", "--base-url", r.url, "--quiet")
	command.Env = append(os.Environ(), "KLAVIYO_API_KEY=pk_soak")
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(text), &out, &errs
	_ = command.Run()
	return out.Bytes(), command.ProcessState.ExitCode(), errs.String()
}

// compare holds the results against the rows.
func (r *round) compare(verb string, rows []row, text []byte, exit int, said string) []result {
	earlier, err := report.OpenResults(bytes.NewReader(text), int64(len(text)))
	if err != nil || earlier.Reports == nil || earlier.Last != int64(len(rows)) {
		r.wrong("%s: exit %d, the results do not reach their end: %v: %s", verb, exit, err, said)
		return nil
	}
	results, counts := make([]result, len(rows)), map[string]int64{}
	for i, want := range rows {
		e, ok, err := earlier.Of(int64(i + 1))
		if err == nil && ok {
			err = json.Unmarshal(e.Text, &results[i])
		}
		got := &results[i]
		if err != nil || !ok || got.Row != int64(i+1) || got.Key != want.key {
			r.wrong("%s: row %d has no result of its own: %v: %+v", verb, i+1, err, *got)
			return nil
		}
		uncertain := got.Status == "unknown" && r.codes[got.Code] && want.status != "skipped"
		if got.Status != want.status && !uncertain {
			r.wrong("%s: row %d should be %s: %s", verb, i+1, want.status, e.Text)
			return nil
		}
		counts[got.Status]++
	}
	worst, last := 0, earlier.Reports.Rows
	if counts["unknown"] > 0 || verb == "wait" && counts["rejected"] > 0 { // wait bears none
		worst = 1
	}
	sum := last.Applied + last.Accepted + last.Skipped + last.Rejected + last.Unknown + last.Unsent + last.Resumed
	if exit != worst || earlier.Reports.ExitCode != exit || last.Read != int64(len(rows)) || sum != last.Read {
		r.wrong("%s: exit %d, the rows say %d, the report %d with %+v: %s", verb, exit, worst, earlier.Reports.ExitCode, last, said)
	}
	return results
}

// compareList holds the results of an addition against the ledger: who joined, and by which job.
func (r *round) compareList(rows []row, results []result) {
	type entry struct{ email, job string }
	reached := map[entry]bool{}
	for _, e := range r.sim.Ledger() {
		if e.List == r.list && (e.Change == "joined" || e.Change == "stayed") {
			reached[entry{e.Email, e.Job}] = true
		}
	}
	on := map[string]bool{}
	for _, m := range r.sim.Members(r.list) {
		on[m] = true
	}
	for i, got := range results {
		if got.Status == "applied" && (!on[got.Key] || !reached[entry{got.Key, got.Job}]) {
			r.wrong("add: row %d is applied by job %s; on the list %v; the ledger does not say so", i+1, got.Job, on[got.Key])
		}
		if (got.Status == "applied" || got.Status == "unknown") && rows[i].status == "applied" {
			delete(on, got.Key)
		}
	}
	for email := range on {
		r.wrong("add: %s should not be on the list", email)
	}
}

// remove takes a third of the list off it.
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
			rows = append(rows, row{`{"profile_id":"a b"}`, "a b", "rejected"}, row{rows[len(rows)-1].text, ids[email], "skipped"})
		}
	}
	if len(rows) == 0 || r.finish("remove", rows) == nil {
		return
	}
	for _, email := range r.sim.Members(r.list) {
		if !stay[email] {
			r.wrong("remove: %s is still on the list", email)
		}
		delete(stay, email)
	}
	for email := range stay {
		r.wrong("remove: %s is off the list", email)
	}
}
