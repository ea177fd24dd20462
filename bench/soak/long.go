package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"klaviyo-export/report"
	"klaviyo-export/sink/simulator"
)

// summary is the last line of the output.
type summary struct {
	Type        string           `json:"type"`
	Seconds     float64          `json:"seconds"`
	Breaches    int              `json:"breaches"`
	Readings    int              `json:"readings"`
	Rows        int64            `json:"rows"` // of the long run, like the members up to Goroutines
	Results     map[string]int64 `json:"results"`
	RSS         span             `json:"rss_kb"`
	Threads     span             `json:"threads"`
	Descriptors span             `json:"descriptors"`
	Goroutines  span             `json:"goroutines"`
	Totals      *totals          `json:"rounds"`
}

const (
	// The long run has so many people. They come again after people rows, when the duplicate window has forgotten them.
	people, window = 100_000, 40_000
)

// The endpoints of faults.
const (
	importing = "POST /api/profile-bulk-import-jobs"
	watching  = "GET /api/profile-bulk-import-jobs/{id}"
	listing   = "GET /api/profile-bulk-import-jobs"
	reasons   = "GET /api/profile-bulk-import-jobs/{id}/import-errors"
	removing  = "DELETE /api/lists/{id}/relationships/profiles"

	subscribing   = "POST /api/profile-subscription-bulk-create-jobs"
	unsubscribing = "POST /api/profile-subscription-bulk-delete-jobs"
)

// longRow returns the address and the right status of row n of the long run, counted from 0.
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

// long is the run that lasts the whole time.
type long struct {
	*journal
	rows      int64        // of the input, complete when it has ended
	done      atomic.Int64 // rows with a result
	results   map[string]int64
	reported  report.Report
	applied   []bool // by person: a row is applied
	uncertain []bool // by person: a row is unknown
}

// runLong feeds one run until ends, takes readings of it, and checks every result.
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
	command := exec.Command(binary, "add", "--base-url", url, "--list-id", list, "--wait", "--no-rate-limit",
		"--concurrency", "2", "--max-open-jobs", "8", "--duplicate-window", fmt.Sprint(window),
		"--max-invalid", "100%", "--quiet")
	command.Env = append(os.Environ(), "KLAVIYO_API_KEY=pk_soak", godebug(every))
	readings, exit, said := l.drive(command, ends, every)
	l.verify(sim.Members(list), exit, said)
	s.Readings, s.Rows, s.Results = len(readings), l.rows, l.results
	if len(readings) < 8 {
		j.breach("long", "expected at least 8 readings, got %d", len(readings))
		return s
	}
	noise := 1
	if every < 2*time.Second { // in less than ten minutes on a busy machine a few more are no growth
		noise = 3
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
		if *of.span = spanOf(readings, of.value); !of.span.flat(of.few * noise) {
			j.breach("long", "%s grew: %+v", of.name, *of.span)
		}
	}
	return s
}

// drive runs the command and feeds it until ends. It returns the readings after the first tenth of the time, in
// which buffers and windows fill, the exit status, and standard error.
func (l *long) drive(
	command *exec.Cmd, ends time.Time, every time.Duration,
) (readings []reading, exit int, said string) {
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
	go func() { defer close(fed); l.feed(in, ends) }() // drive waits for both below
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

// feed writes rows until ends.
func (l *long) feed(in io.WriteCloser, ends time.Time) {
	var block []byte
	for time.Now().Before(ends) {
		block = block[:0]
		for range 1000 {
			email, _ := longRow(l.rows)
			block = fmt.Appendf(block, `{"email":"%s","first_name":"Zoë","visits":%d,"tags":["a","b"]}`, email, l.rows)
			block = append(block, '\n')
			l.rows++
		}
		if _, err := in.Write(block); err != nil {
			l.breach("long", "write rows to the run: %v", err)
			break
		}
	}
	_ = in.Close()
}
