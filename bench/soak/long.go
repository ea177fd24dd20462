package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
)

// summary is the last line.
type summary struct {
	Type        string           `json:"type"`
	Seconds     float64          `json:"seconds"`
	Breaches    int              `json:"breaches"`
	Readings    int              `json:"readings"`
	Rows        int64            `json:"rows"` // of the long run, as are those below
	Results     map[string]int64 `json:"results"`
	RSS         span             `json:"rss_kb"`
	Threads     span             `json:"threads"`
	Descriptors span             `json:"descriptors"`
	Goroutines  span             `json:"goroutines"`
	Rounds      roundTotals      `json:"rounds"`
}

const (
	// people is how many there are in the long run; the same come again after so many rows, and are no duplicates
	// by then.
	people, window = 100_000, 40_000
	importing      = "POST /api/profile-bulk-import-jobs"
	watching       = "GET /api/profile-bulk-import-jobs/{id}"
	listing        = "GET /api/profile-bulk-import-jobs"
	reasons        = "GET /api/profile-bulk-import-jobs/{id}/import-errors"
	removing       = "DELETE /api/lists/{id}/relationships/profiles"
)

// longPlan lets a request to take its second, so that the rows are always more than can be sent, and much go wrong.
func longPlan(seed uint64) *simulator.Plan {
	faults := []simulator.Fault{{On: importing, Do: "delay", Before: time.Second, Times: -1}}
	for _, f := range []simulator.Fault{
		{Do: "status", Status: 500}, {Do: "status", Status: 503}, {Do: "status", Status: 524, As: "page"},
		{Do: "challenge"}, {Do: "throttle"},
		{Do: "reset"}, {Do: "reset", Processed: true}, {Do: "lose", Status: 504},
		{Do: "lose", Status: 202, As: "no_id"}, {Do: "truncate"},
	} {
		for _, on := range []string{importing, watching, listing, reasons} {
			f.On, f.Times, f.Percent = on, -1, 1
			faults = append(faults, f)
		}
	}
	return &simulator.Plan{Seed: seed, Faults: append(faults,
		simulator.Fault{Do: "refuse", Times: -1, Addresses: []string{"refused*"}, Code: "invalid", Detail: "Invalid."},
		simulator.Fault{Do: "fail", Times: -1, Addresses: []string{"failed*"}, Code: "duplicate_profile", Detail: "Taken."},
		simulator.Fault{Do: "cancel", Times: -1, Percent: 0.5},
	)}
}

// longRow returns who is in a row of the long run, counted from 0, and which result it should have.
func longRow(n int64) (email, status string) {
	p := n % people
	switch {
	case p%1000 == 17:
		return "nobody", "rejected"
	case p%1000 == 500:
		return fmt.Sprintf("failed%d@example.com", p), "rejected"
	case p%20000 == 600:
		return fmt.Sprintf("refused%d@example.com", p), "rejected"
	case p%1000 == 700:
		return fmt.Sprintf("SOMEBODY%d@example.com", p-1), "skipped"
	}
	return fmt.Sprintf("somebody%d@example.com", p), "applied"
}

// long is the run that goes on for the whole time.
type long struct {
	*journal
	rows      int64 // of the input, until it has ended
	done      atomic.Int64
	results   map[string]int64
	reported  report.Report
	applied   []bool // by person
	uncertain []bool
}

// runLong feeds one run for the whole time, takes readings of it, and checks every result.
func runLong(j *journal, binary string, ends time.Time, seed uint64) (s summary) {
	l := &long{journal: j, results: map[string]int64{}, applied: make([]bool, people), uncertain: make([]bool, people)}
	sim := simulator.New(simulator.Options{Plan: longPlan(seed), JobTime: 200 * time.Millisecond})
	list := sim.AddList("Long", "single_opt_in")
	url, err := sim.Start("127.0.0.1:0")
	if err != nil {
		j.breach("long", "%v", err)
		return s
	}
	defer sim.Close()
	every := min(max(time.Until(ends)/300, 250*time.Millisecond), 10*time.Second)
	command := exec.Command(binary, "add", "--base-url", url, "--list-id", list, "--wait", "--no-rate-limit", "--concurrency", "2", "--max-open-jobs", "8",
		"--duplicate-window", fmt.Sprint(window), "--max-invalid", "100%", "--quiet")
	command.Env = append(os.Environ(), "KLAVIYO_API_KEY=pk_soak", godebug(every))
	readings, exit, said := l.drive(command, ends, every)
	l.verify(sim.Members(list), exit, said)
	s.Readings, s.Rows, s.Results = len(readings), l.rows, l.results
	if len(readings) < 8 {
		j.breach("long", "only %d readings", len(readings))
		return s
	}
	for _, of := range []struct {
		name  string
		span  *span
		few   int
		value func(*reading) int
	}{
		{"rss_kb", &s.RSS, 0, func(r *reading) int { return r.RSS }},
		{"threads", &s.Threads, 3, func(r *reading) int { return r.Threads }},
		{"descriptors", &s.Descriptors, 3, func(r *reading) int { return r.Descriptors }},
		{"goroutines", &s.Goroutines, 6, func(r *reading) int { return r.Goroutines }},
	} {
		if *of.span = spanOf(readings, of.value); !of.span.flat(of.few) {
			j.breach("long", "%s grew: %+v", of.name, *of.span)
		}
	}
	return s
}

// drive feeds the run until the time is over and takes readings after the first tenth, in which buffers and windows
// fill.
func (l *long) drive(command *exec.Cmd, ends time.Time, every time.Duration) (readings []reading, exit int, said string) {
	in, _ := command.StdinPipe()
	out, _ := command.StdoutPipe()
	errs, err := command.StderrPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		l.breach("long", "%v", err)
		return nil, -1, ""
	}
	var g goroutines
	g.follow(errs)
	fed, read := make(chan struct{}), make(chan struct{})
	go func() { defer close(fed); l.feed(in, ends) }() // waited for below, as is the next
	go func() { defer close(read); l.read(out) }()
	from := time.Now().Add(max(time.Until(ends)/10, min(8*time.Second, time.Until(ends)/3)))
	tick := time.NewTicker(every)
	defer tick.Stop()
	for now := range tick.C {
		if now.After(ends) {
			break
		}
		r, err := take(command.Process.Pid)
		if err != nil {
			l.breach("long", "%v", err)
			break
		}
		r.Type, r.Seconds, r.Rows, r.Goroutines = "reading", l.seconds(), l.done.Load(), int(g.last.Load())
		l.print(r)
		if now.After(from) {
			readings = append(readings, r)
		}
	}
	<-fed
	<-read
	g.ended.Wait()
	_ = command.Wait()
	return readings, command.ProcessState.ExitCode(), g.other.String()
}

func (l *long) feed(in io.WriteCloser, ends time.Time) {
	var block []byte
	for time.Now().Before(ends) {
		block = block[:0]
		for range 1000 {
			email, _ := longRow(l.rows)
			block = fmt.Appendf(block, `{"email":"%s","first_name":"Zoë","visits":%d,"tags":["a","b"]}`+"\n", email, l.rows)
			l.rows++
		}
		if _, err := in.Write(block); err != nil {
			l.breach("long", "the run took no more rows: %v", err)
			break
		}
	}
	_ = in.Close()
}

// result is a result line, or the report.
type result struct {
	Type   string `json:"type"`
	Row    int64  `json:"row"`
	Status string `json:"status"`
	Key    string `json:"key"`
	Code   string `json:"code"`
	Of     int64  `json:"of"`
	Job    string `json:"job"`
}

// read checks every result as it comes.
func (l *long) read(out io.Reader) {
	lines, said := bufio.NewReaderSize(out, 64<<10), 0
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			if len(line) > 0 {
				l.breach("long", "the last line is cut: %q", line)
			}
			return
		}
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			l.breach("long", "not JSON: %q", line)
			return
		}
		if r.Type == "report" {
			if err := json.Unmarshal(line, &l.reported); err != nil {
				l.breach("long", "the report: %v", err)
			}
			continue
		}
		if wrong := l.judge(&r); wrong != "" && said < 10 {
			l.breach("long", "%s: %s", wrong, line)
			said++
		}
		l.done.Add(1)
	}
}

// judge tells what is wrong with a row's result. Only a job that was cancelled may leave rows unknown.
func (l *long) judge(r *result) string {
	n := l.done.Load()
	email, want := longRow(n)
	l.results[r.Status]++
	cancelled := r.Status == "unknown" && r.Code == "job_cancelled" && want != "skipped" && email != "nobody"
	switch {
	case r.Type != "row" || r.Row != n+1 || r.Key != email:
		return fmt.Sprintf("not the result of row %d, %s", n+1, email)
	case r.Status != want && !cancelled:
		return "it should be " + want
	case want == "skipped" && r.Of != n:
		return fmt.Sprintf("it repeats row %d", n)
	}
	l.applied[n%people] = l.applied[n%people] || r.Status == "applied"
	l.uncertain[n%people] = l.uncertain[n%people] || cancelled
	return ""
}

// verify compares the end of the run with its results, and the results with who is on the list.
func (l *long) verify(members []string, exit int, said string) {
	want, rows := 0, l.reported.Rows
	if l.results["unknown"] > 0 {
		want = 1
	}
	if exit != want || l.reported.ExitCode != exit {
		l.breach("long", "exit %d, the report says %d, the rows %d: %s", exit, l.reported.ExitCode, want, said)
	}
	if l.done.Load() != l.rows || rows.Read != l.rows || rows.Applied != l.results["applied"] || rows.Rejected != l.results["rejected"] ||
		rows.Skipped != l.results["skipped"] || rows.Unknown != l.results["unknown"] || rows.Accepted+rows.Unsent > 0 {
		l.breach("long", "%d rows, %d results %v, the report counts %+v", l.rows, l.done.Load(), l.results, rows)
	}
	on := make(map[string]bool, len(members))
	for _, m := range members {
		on[m] = true
	}
	for p := range int64(people) {
		email, status := longRow(p)
		if status != "applied" {
			continue
		}
		if l.applied[p] && !on[email] {
			l.breach("long", "%s is applied and not on the list", email)
		}
		if !l.applied[p] && !l.uncertain[p] && on[email] {
			l.breach("long", "%s is on the list without a result", email)
		}
		delete(on, email)
	}
	for email := range on {
		l.breach("long", "%s should not be on the list", email)
	}
}
