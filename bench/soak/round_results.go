package main

import (
	"bytes"

	"klaviyo-export/report"

	"github.com/segmentio/encoding/json"
)

// compare compares the results with the rows, and returns the result of each row unless one is wrong.
func (r *round) compare(verb string, rows []row, text []byte, exit int, said string) []result {
	earlier, err := report.OpenResults(bytes.NewReader(text), int64(len(text)))
	if err != nil || earlier.Reports == nil || earlier.Last != int64(len(rows)) {
		r.wrong("%s: exit status %d, the results are not complete: %v: %s", verb, exit, err, said)
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
			r.wrong("%s: expected the result of row %d, got %v: %+v", verb, i+1, err, *got)
			return nil
		}
		uncertain := got.Status == "unknown" && r.codes[got.Code] && want.status != "skipped"
		if got.Status != want.status && !uncertain {
			r.wrong("%s: row %d: expected the status %s, got %s", verb, i+1, want.status, e.Text)
			return nil
		}
		counts[got.Status]++
	}
	worst, last := 0, earlier.Reports.Rows
	if counts["unknown"] > 0 || verb == "wait" && counts["rejected"] > 0 { // wait accepts no rejected row
		worst = 1
	}
	sum := last.Applied + last.Accepted + last.Skipped + last.Rejected + last.Unknown + last.Unsent + last.Resumed
	if exit != worst || earlier.Reports.ExitCode != exit || last.Read != int64(len(rows)) || sum != last.Read {
		r.wrong("%s: exit status %d, but %d by the rows and %d in the report, which counts %+v: %s",
			verb, exit, worst, earlier.Reports.ExitCode, last, said)
	}
	return results
}

// compareList compares the results of add with the ledger, which says who joined the list by which import job.
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
			r.wrong("add: row %d is applied by import job %s, but the ledger has no such entry (on the list: %v)",
				i+1, got.Job, on[got.Key])
		}
		if (got.Status == "applied" || got.Status == "unknown") && rows[i].status == "applied" {
			delete(on, got.Key)
		}
	}
	for email := range on {
		r.wrong("add: %s is on the list, but not in the rows", email)
	}
}
