package pipeline

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
)

// An earlier row of the run that changes a person sends a later row, although the state remembers that one: Klaviyo
// would keep the other profile.
func TestStateOfPeopleWithTwoRows(t *testing.T) {
	t.Parallel()
	run := stateRuns(t)
	const old, changed = `{"email":"a@example.com","n":1}`, `{"email":"a@example.com","n":2}`
	const other = `{"email":"b@example.com"}`
	if got := run(old, other); got != "1 applied, 2 applied" {
		t.Errorf("first run: %s", got)
	}
	if got := run(changed, other, old); got != "1 applied, 2 skipped unchanged, 3 applied" {
		t.Errorf("second run: %s", got)
	}
}

// The state knows a person whose address has capital letters again.
func TestStateOfCapitalLetters(t *testing.T) {
	t.Parallel()
	run := stateRuns(t)
	for _, want := range []string{"1 applied", "1 skipped unchanged"} {
		if got := run(`{"email":"Ann@Example.com"}`); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// stateRuns returns a function that adds rows, each time with the same state, and returns what became of them. A person
// counts as a duplicate only in the next row.
func stateRuns(t *testing.T) func(rows ...string) string {
	t.Helper()
	url, list, _ := served(t, 0, simulator.Options{})
	o := checkOptions(t)
	o.Client = newClient(t, &sink.Options{
		BaseURL: url, Alone: true, Concurrency: 1, RateShare: 100, RetryFor: time.Minute,
	})
	o.List, o.Window, o.Wait, o.WaitTimeout, o.MaxOpenJobs = sink.ListRef{ID: list}, 1, true, time.Minute, 8
	o.State = &StateOptions{File: filepath.Join(t.TempDir(), "state")}
	return func(rows ...string) string {
		t.Helper()
		var out bytes.Buffer
		if _, err := Run(t.Context(), o, strings.NewReader(strings.Join(rows, "\n")), &out); err != nil {
			t.Error(err)
		}
		results, _ := parse(t, out.Bytes())
		return brief(results)
	}
}

// The timeline has every request of the run.
func TestTimelineHasRequests(t *testing.T) {
	t.Parallel()
	o, sim := addOptions(t, nil)
	var out bytes.Buffer
	if _, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 30)), &out); err != nil {
		t.Fatal(err)
	}
	_, rep := parse(t, out.Bytes())
	sum, all := int64(0), 0
	for _, b := range rep.Timeline {
		sum += b.Requests
	}
	for _, n := range sim.Requests() {
		all += n
	}
	if sum != int64(all) {
		t.Errorf("the timeline has %d requests, the server %d: %v", sum, all, sim.Requests())
	}
}
