package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
)

// A command can be pasted: it names the file of the results, the address, the identifier and the consent of the run,
// and it is left out where one of them is not safe in a shell. Without its address the rows of a test would go to
// Klaviyo.
func TestCommands(t *testing.T) {
	lost := report.Rows{Read: 1, Unknown: 1}
	for name, c := range map[string]struct {
		report report.Report
		file   string
		want   string
	}{
		"file": {report.Report{Operation: "add", List: newsletter(), BaseURL: "https://a.klaviyo.com"}, "out/a-1.ndjson",
			"klaviyo-export add --list-id XyZ123 --resume out/a-1.ndjson < rows.ndjson >> out/a-1.ndjson"},
		"file to quote": {report.Report{Operation: "add", List: newsletter()}, "my results.ndjson",
			"klaviyo-export add --list-id XyZ123 --resume 'my results.ndjson' < rows.ndjson >> 'my results.ndjson'"},
		"address": {report.Report{Operation: "remove", By: "email", List: newsletter(), BaseURL: "http://127.0.0.1:80"}, "r",
			"klaviyo-export remove --base-url http://127.0.0.1:80 --list-id XyZ123 --by email --resume r < rows.ndjson >> r"},
		"address to quote": {report.Report{Operation: "add", List: newsletter(), BaseURL: "http://h/;x"}, "r", ""},
		"consent": {report.Report{Operation: "unsubscribe", BaseURL: "https://a.klaviyo.com",
			Consent: &report.Consents{Everywhere: true, Channels: []string{"email", "sms-transactional"}}}, "r",
			"klaviyo-export unsubscribe --everywhere --channel email,sms-transactional --resume r < rows.ndjson >> r"},
		"lists of rows": {report.Report{Operation: "add", Lists: make([]report.ListRows, 1)}, "r", ""},
		"killed":        {report.Report{ExitCode: 143}, "r", ""},
	} {
		c.report.Rows = lost
		first := next(&c.report, Run{file: c.file})[0]
		if diff := cmp.Diff(c.want, first.Command); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if c.want == "" && !strings.HasSuffix(first.Text, "Run the same command again, with --resume r and the same rows.") {
			t.Errorf("%s: %s", name, first.Text)
		}
	}
}

// readFrom are runs that were read from files, and need nothing of their own.
func readFrom(files []string) (runs []Run) {
	for _, name := range files {
		runs = append(runs, Run{file: name})
	}
	return runs
}

// Every run says what to do next, and says it in a way that is right for it: a check is not finished, a simulated run
// cannot go on, and merged runs have no one command.
func TestNextOfOthers(t *testing.T) {
	for name, c := range map[string]struct {
		report  report.Report
		results []string
		want    []step
	}{
		"dry run": {report.Report{BaseURL: "x", Rows: report.Rows{Read: 1, Valid: 1}}, nil,
			[]step{{"To send the rows, run the command without --dry-run.", ""}}},
		"check": {report.Report{Operation: "remove", Rows: report.Rows{Read: 1, Valid: 1}}, nil,
			[]step{{"To send the rows, run klaviyo-export remove.", ""}}},
		"plan": {report.Report{Rows: report.Rows{Read: 1, Valid: 1},
			Members: &report.Members{Mirrored: &report.Mirrored{}}}, nil,
			[]step{{"To do this, run the command with --max-removals in place of --plan.", ""}}},
		"too few rows": {report.Report{ExitCode: 1}, nil,
			[]step{{"Check where the rows come from, such as the query or the file. Then run the command again.", ""}}},
		"too many bad rows": {report.Report{Operation: "add", ExitCode: 1, List: newsletter(), Unread: true,
			Rows: report.Rows{Read: 9, Accepted: 2, Rejected: 1, Unsent: 6}}, []string{"r"}, []step{
			{"See the results of 2 accepted rows.", "klaviyo-export wait < r > final.ndjson"},
			{"List the rejected row. Correct what is wrong, then run the command with all rows.",
				"klaviyo-export report --rejected csv r > rejected.csv"},
		}},
		"too few rows to send": {report.Report{Operation: "add", ExitCode: 1, Rows: report.Rows{Read: 9, Unsent: 9}}, nil,
			[]step{{"Check where the rows come from, such as the query or the file. Then run the command again.", ""}}},
		"killed before the first result": {report.Report{ExitCode: 143}, []string{"r"},
			[]step{{"Finish the run: rows may be without a result. Run the same command again, with --resume r and the " +
				"same rows.", ""}}},
		"killed after all results": {report.Report{Operation: "add", ExitCode: 143, Unread: true,
			Rows: report.Rows{Read: 2, Applied: 2}}, []string{"r"},
			[]step{{"Finish the run: it did not read all rows. Keep the other flags of the run.",
				"klaviyo-export add --resume r < rows.ndjson >> r"}}},
		"simulated": {report.Report{Simulated: true, Rows: report.Rows{Read: 1, Accepted: 1}}, nil,
			[]step{{"To send the rows to Klaviyo, run the command without --simulate.", ""}}},
		"simulate": {report.Report{Simulated: true, BaseURL: "x", Rows: report.Rows{Read: 1, Applied: 1}}, nil,
			[]step{{"To send the rows to Klaviyo, run the command without --base-url.", ""}}},
		"merged": {report.Report{Runs: 2, ExitCode: 1, Members: &report.Members{Mirrored: &report.Mirrored{}},
			Rows: report.Rows{Read: 5, Accepted: 1, Rejected: 1, Unsent: 1}}, []string{"a.ndjson", "b.ndjson"}, []step{
			{"Send 1 row that was not sent. Run the command of each unfinished file again, with --resume and that file.", ""},
			{"See the results of 1 accepted row. Run klaviyo-export wait on each file that has some.", ""},
			{"List the rejected row. Correct what is wrong, then run the command with all rows.",
				"klaviyo-export report --rejected csv a.ndjson b.ndjson > rejected.csv"},
		}},
		"merged mirrors": {report.Report{Runs: 2, ExitCode: 1, Rows: report.Rows{Read: 1, Applied: 1}}, nil,
			[]step{{"See the report of each file that did not succeed.", ""}}},
		"campaign": {report.Report{Rows: report.Rows{Read: 1, Applied: 1},
			Campaign: &report.Campaign{ID: "01X", Status: report.CampaignNotSent}}, []string{"r"},
			[]step{{"If the campaign should be sent, fix what prevented it, then run send again. " +
				"In place of N, write the most recipients that you allow.",
				"klaviyo-export send --campaign 01X --max-recipients N < r > sent.ndjson"}}},
		"perhaps sent": {report.Report{Rows: report.Rows{Read: 1, Applied: 1},
			Campaign: &report.Campaign{ID: "01X", Status: report.CampaignUnknown}}, nil,
			[]step{{"Look in Klaviyo whether the campaign was sent. Do not send it again before you know.", ""}}},
	} {
		if diff := cmp.Diff(c.want, next(&c.report, readFrom(c.results)...)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// People who were not on the list need nothing done in merged runs either, unless they may be the rows in doubt.
func TestAwayOfMerged(t *testing.T) {
	r := &report.Report{Runs: 2, Operation: "several", Rows: report.Rows{Read: 9, Skipped: 2, Unknown: 3}}
	gone := report.Reason{Code: "not_on_list", Rows: 2}
	r.Reasons = []report.Reason{{Code: "answer_lost", Rows: 3}, gone}
	if needed(r, &gone) {
		t.Error("rows that were skipped need work")
	}
	r.Reasons[0].Rows = 1
	if !needed(r, &gone) {
		t.Error("rows in doubt need no work")
	}
}
