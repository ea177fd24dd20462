package render

import (
	"strings"
	"testing"

	"klaviyo-export/report"
)

// Every exit status has a sentence. No sentence counts accepted rows as done.
func TestOutcome(t *testing.T) {
	type rows = report.Rows
	for _, c := range []struct {
		name string
		exit int
		rows report.Rows
		want string
	}{
		{"empty", 0, rows{}, "there were no rows"},
		{"applied", 0, rows{Read: 2, Applied: 2}, "every row is applied"},
		{"applied and skipped", 0, rows{Read: 2, Applied: 1, Skipped: 1}, "every row is applied or skipped"},
		{"skipped", 0, rows{Read: 2, Skipped: 2}, "every row is skipped"},
		{"resumed", 0, rows{Read: 3, Applied: 1, Skipped: 1, Resumed: 1}, "every row is applied, skipped or resumed"},
		{"valid", 0, rows{Read: 2, Valid: 2}, "every row is valid; nothing was sent"},
		{"valid and skipped", 0, rows{Read: 2, Valid: 1, Skipped: 1}, "every row is valid or skipped; nothing was sent"},
		{"accepted", 0, rows{Read: 2, Accepted: 2},
			"Klaviyo accepted every row, but the outcome is not known yet: klaviyo-export wait finds it out"},
		{"some accepted", 0, rows{Read: 4000, Applied: 1000, Accepted: 3000},
			"no row failed, but the outcome of 3,000 of 4,000 rows is not known yet: klaviyo-export wait finds it out"},
		{"rejected within the bound", 0, rows{Read: 2, Applied: 1, Rejected: 1},
			"1 of 2 rows is rejected, no more than --max-invalid allows"},
		{"accepted and rejected within the bound", 0, rows{Read: 4000, Accepted: 3990, Rejected: 10},
			"10 of 4,000 rows are rejected, no more than --max-invalid allows"},
		{"one rejected", 1, rows{Read: 2, Applied: 1, Rejected: 1}, "1 of 2 rows is rejected"},
		{"some failed", 1, rows{Read: 9, Applied: 1, Rejected: 1, Unknown: 2, Unsent: 5},
			"8 of 9 rows are rejected, unknown or unsent"},
		{"all failed", 1, rows{Read: 2, Rejected: 1, Unknown: 1}, "every row is rejected or unknown"},
		{"the only row failed", 1, rows{Read: 1, Rejected: 1}, "every row is rejected"},
		{"unexpected input", 1, rows{Read: 2, Accepted: 2}, "no row failed, but the input was not as expected"},
		{"unexpected empty input", 1, rows{}, "no row failed, but the input was not as expected"},
		{"error", 2, rows{}, "the run could not finish; fix the cause, then run it again"},
		{"timed out", 3, rows{}, "some import jobs did not finish in time; run klaviyo-export wait on the results"},
		{"outage", 4, rows{}, "Klaviyo or the network failed for too long; run it again later"},
		{"SIGINT", 130, rows{}, "the run was interrupted (SIGINT)"},
		{"SIGTERM", 143, rows{}, "the run was stopped (SIGTERM or SIGHUP) or killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := outcome(&report.Report{ExitCode: c.exit, Rows: c.rows}); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Consent is not waited for by import jobs.
func TestOutcomeOfConsent(t *testing.T) {
	r := &report.Report{ExitCode: 3, Rows: report.Rows{Read: 2, Accepted: 2}, Consent: &report.Consents{}}
	const want = "Klaviyo did not show the consent of some rows in time; run klaviyo-export wait on the results"
	if got := outcome(r); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A mirror that removed nobody, or not all, says so, and never that it is the input's fault. Its waiting goes on with
// the mirror itself.
func TestOutcomeOfMirror(t *testing.T) {
	for _, c := range []struct {
		exit int
		rows report.Rows
		m    *report.Mirrored
		want string
	}{
		{1, report.Rows{Read: 2, Applied: 2}, &report.Mirrored{Read: 9, Extras: 7},
			"no row failed, but the mirror stopped: it removed nobody"},
		{1, report.Rows{Read: 2, Applied: 2}, &report.Mirrored{Read: 9, Extras: 7, Removed: 6},
			"no row failed, but 1 extra may still be on the list"},
		{1, report.Rows{Read: 2, Valid: 2}, &report.Mirrored{Read: 9, Extras: 7},
			"no row failed, but a run would remove nobody"},
		{1, report.Rows{Read: 2, Applied: 1, Unknown: 1}, &report.Mirrored{Read: 9, Unmatched: 1}, "1 of 2 rows is unknown"},
		{1, report.Rows{Read: 2, Applied: 2}, nil, "no row failed, but the input was not as expected"},
		{3, report.Rows{Read: 2, Accepted: 2}, nil,
			"some import jobs did not finish in time; continue with klaviyo-export mirror --resume"},
	} {
		r := &report.Report{ExitCode: c.exit, Operation: "mirror", Rows: c.rows, Members: &report.Members{Mirrored: c.m}}
		if got := outcome(r); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// The headline of a merged report says how many runs it covers.
func TestHeadline(t *testing.T) {
	for _, c := range []struct {
		name   string
		report report.Report
		want   string
	}{
		{"one run", report.Report{Status: "succeeded"}, "succeeded, exit status 0: there were no rows"},
		{"good runs", report.Report{Status: "succeeded", Runs: 1200},
			"succeeded, exit status 0: 1,200 runs; there were no rows"},
		{"a bad run", report.Report{Status: "timed_out", ExitCode: 3, Runs: 8},
			"timed out, exit status 3: worst of 8 runs; some import jobs did not finish in time; " +
				"run klaviyo-export wait on the results"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, meaning := headline(&c.report)
			if got := status + ": " + meaning; got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The first line of the text and of the page says that the run is simulated, and claims no more of merged runs than is
// known.
func TestSimulated(t *testing.T) {
	const none = "There were no rows, so nothing changed. Succeeded, exit status 0: there were no rows"
	for _, c := range []struct {
		name   string
		report report.Report
		want   string
	}{
		{"one run", report.Report{Status: "succeeded", Simulated: true},
			"Simulated, nothing was sent to Klaviyo. " + none},
		{"merged runs", report.Report{Status: "succeeded", Simulated: true, Runs: 2},
			"Simulated, at least in part. There were no rows, so nothing changed. " +
				"Succeeded, exit status 0: 2 runs; there were no rows"},
		{"not simulated", report.Report{Status: "succeeded"}, none},
	} {
		t.Run(c.name, func(t *testing.T) {
			var text strings.Builder
			if err := Text(&text, &c.report); err != nil {
				t.Fatal(err)
			}
			got, _, _ := strings.Cut(text.String(), "\n\n")
			if got = strings.ReplaceAll(got, "\n", " "); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			page := pageOf(t, &c.report)
			first := strings.Index(page, "<p class=\"above\">"+strings.SplitAfter(c.want, ".")[0]+"</p>")
			if said := first > 0 && first < strings.Index(page, "<p class=\"chip\""); said != c.report.Simulated {
				t.Errorf("the first line of the page says so: %v", said)
			}
		})
	}
}
