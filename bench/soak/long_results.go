package main

import (
	"bufio"
	"fmt"
	"io"

	"github.com/segmentio/encoding/json"
)

// result is a line of the results: a row or the report.
type result struct {
	Type   string `json:"type"`
	Row    int64  `json:"row"`
	Status string `json:"status"`
	Key    string `json:"key"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Of     int64  `json:"of"`
	Job    string `json:"job"`

	ProfileID string `json:"profile_id"`
}

// final reports whether --resume leaves the row alone. Mirror looks again at people who were unchanged, and the last
// row of an input that ended early may have been cut.
func (r *result) final() bool {
	switch r.Status {
	case "applied", "accepted", "rejected", "skipped":
		return r.Code != "unchanged" && r.Code != "json_invalid"
	}
	return false
}

// settles reports whether a result is what waiting for the import job of an accepted row showed.
func (r *result) settles(was *result) bool {
	return was.Status == "accepted" && was.Job != "" && r.Job == was.Job
}

// read reads the results and checks each of them.
func (l *long) read(out io.Reader) {
	lines, said := bufio.NewReaderSize(out, 64<<10), 0
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			if len(line) > 0 {
				l.breach("long", "expected a newline behind the last line, got %q", line)
			}
			return
		}
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			l.breach("long", "expected a line of JSON, got %q", line)
			return
		}
		if r.Type == "report" {
			if err := json.Unmarshal(line, &l.reported); err != nil {
				l.breach("long", "read the report: %v", err)
			}
			continue
		}
		if wrong := l.check(&r); wrong != "" && said < 10 {
			l.breach("long", "%s: %s", wrong, line)
			said++
		}
		l.done.Add(1)
	}
}

// check returns what is wrong with a row's result, or "". Only a cancelled import job may leave rows unknown.
func (l *long) check(r *result) string {
	n := l.done.Load()
	email, want := longRow(n)
	l.results[r.Status]++
	cancelled := r.Status == "unknown" && r.Code == "job_cancelled" && want != "skipped" && email != "nobody"
	switch {
	case r.Type != "row" || r.Row != n+1 || r.Key != email:
		return fmt.Sprintf("expected the result of row %d, %s", n+1, email)
	case r.Status != want && !cancelled:
		return "expected the status " + want
	case want == "skipped" && r.Of != n:
		return fmt.Sprintf("expected a duplicate of row %d", n)
	}
	l.applied[n%people] = l.applied[n%people] || r.Status == "applied"
	l.uncertain[n%people] = l.uncertain[n%people] || cancelled
	return ""
}

// verify compares the exit status and the report with the results, and the results with the members of the list.
func (l *long) verify(members []string, exit int, said string) {
	want, rows := 0, l.reported.Rows
	if l.results["unknown"] > 0 {
		want = 1
	}
	if exit != want || l.reported.ExitCode != exit {
		l.breach("long", "exit status %d, but %d in the report and %d by the rows: %s", exit, l.reported.ExitCode,
			want, said)
	}
	if l.done.Load() != l.rows || rows.Read != l.rows || rows.Applied != l.results["applied"] ||
		rows.Rejected != l.results["rejected"] || rows.Skipped != l.results["skipped"] ||
		rows.Unknown != l.results["unknown"] || rows.Accepted+rows.Unsent > 0 {
		l.breach("long", "%d rows, %d results %v, but the report counts %+v", l.rows, l.done.Load(), l.results, rows)
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
			l.breach("long", "%s is applied, but not on the list", email)
		}
		if !l.applied[p] && !l.uncertain[p] && on[email] {
			l.breach("long", "%s is on the list, but no row is applied", email)
		}
		delete(on, email)
	}
	for email := range on {
		l.breach("long", "%s is on the list, but not in the rows", email)
	}
}
