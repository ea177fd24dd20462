package render

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
)

// A screen reader finds its way: each page has one h1 and a language, each table a caption and headers with a scope,
// each row of a table one header, each image a title, and each region that scrolls a name and the focus.
func TestHTMLAccess(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			page := pageOf(t, r)
			one := strings.Count(page, "<h1>") == 1 && strings.Count(page, "<main>") == 1
			if !one || !strings.Contains(page, `<html lang="en">`) {
				t.Error("the page needs one h1, one main and its language")
			}
			for _, table := range strings.Split(page, "<table")[1:] {
				table, _, _ = strings.Cut(table, "</table>")
				if strings.Count(table, "<caption") != 1 {
					t.Errorf("a table without a caption: %.200s", table)
				}
				head, _, _ := strings.Cut(table, "<tbody>")
				if !strings.Contains(head, "<thead><tr><th scope=\"col\"") || strings.Contains(head, `scope="row"`) {
					t.Errorf("a table without a head that paper repeats on each page: %.200s", table)
				}
				if n := strings.Count(table, "<tr>"); n != 1+strings.Count(table, `<th scope="row"`) {
					t.Errorf("%d rows do not have one header each: %.200s", n, table)
				}
			}
			for _, th := range regexp.MustCompile(`<th[ >][^>]*`).FindAllString(page, -1) {
				if !strings.Contains(th, `scope="`) {
					t.Errorf("%s has no scope", th)
				}
			}
			for _, svg := range strings.Split(page, "<svg")[1:] {
				image := strings.Contains(svg, `role="img"`) && strings.Contains(svg, "<title>")
				if !image && !strings.HasPrefix(svg, ` height="8" aria-hidden="true"`) {
					t.Errorf("an image without a title: %.100s", svg)
				}
			}
			const region = `<div class="wide" tabindex="0" role="region" aria-label="`
			if strings.Count(page, `class="wide"`) != strings.Count(page, region) {
				t.Error("a region that scrolls has no name or no focus")
			}
			rows, next := strings.Index(page, "<h2>Rows by status"), strings.Index(page, "<h2>What to do next")
			if rows > 0 && next > rows {
				t.Error("the next steps come after the figures")
			}
		})
	}
}

// Every code in the code of klaviyo-export has a sentence, and a remedy unless nothing needs doing.
func TestCodes(t *testing.T) {
	inCode := regexp.MustCompile(`(?:\bCode:\s+|\bCode +=\s+|\bunknown\(|\bCode[^=\n]* = report\.\w+, |` +
		`(?:Duplicate|Unchanged|stopped|interrupted|outage|Code) += |Pending +=? *)"([a-z_]+)"`)
	found := map[string]bool{}
	for _, folder := range []string{"validate", "sink", "pipeline", "report"} {
		files, err := filepath.Glob("../../" + folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", folder, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range inCode.FindAllSubmatch(text, -1) {
				found[string(match[1])] = !strings.HasSuffix(file, "_test.go") || found[string(match[1])]
			}
		}
	}
	documented := slices.DeleteFunc(slices.Sorted(maps.Keys(found)), func(code string) bool { return !found[code] })
	if len(documented) < 35 {
		t.Errorf("only %d codes are found in the code: %s", len(documented), documented)
	}
	for _, code := range documented {
		if !strings.HasSuffix(codes[code].Means, ".") {
			t.Errorf("%s has no sentence", code)
		}
	}
	var idle []string
	for code, told := range codes {
		if told.Remedy == "" {
			idle = append(idle, code)
		}
	}
	slices.Sort(idle)
	if diff := cmp.Diff([]string{"duplicate", "profile_not_found", "unchanged"}, idle); diff != "" {
		t.Error(diff)
	}
	klaviyo := &report.Reason{Code: "odd", Stage: "import"}
	if told := tell(&report.Report{}, klaviyo); told.Means == "" || told.Remedy == "" {
		t.Error("a code of Klaviyo has no sentence")
	}
}

// No page shows a whole customer address or number, although a report has them.
func TestHTMLMasked(t *testing.T) {
	for key, want := range map[string]string{
		"ann@example.com": "a***@example.com", "+14155550123": "+1***23", "bob": "***", "kück@例え.jp": "k***@例え.jp",
	} {
		r := &report.Report{Reasons: []report.Reason{{
			Code: "odd", Stage: "import", Rows: 1, FirstRow: 7, FirstKey: key,
			Detail: "mail to ann@example.com, +1 415 555 0123 or 14155550123 failed",
		}}, Error: "no ann@example.com, no +14155550123"}
		page := pageOf(t, r)
		want = "First: row 7, " + strings.ReplaceAll(want, "+", "&#43;")
		if strings.Contains(page, "ann@") || strings.Contains(page, "555") || !strings.Contains(page, want) {
			t.Errorf("%s is not masked as %s", key, want)
		}
	}
}

// The next steps name each command that the rows need, and none where nothing needs doing.
func TestNext(t *testing.T) {
	const (
		resume = "klaviyo-export add --list-id XyZ123 --resume results.ndjson < rows.ndjson >> results.ndjson"
		wait   = "klaviyo-export wait < results.ndjson > final.ndjson"
		list   = "klaviyo-export report --rejected csv results.ndjson > rejected.csv"
	)
	pending := []report.Reason{{Code: report.Pending, Rows: 2}}
	for name, c := range map[string]struct {
		exit    int
		rows    report.Rows
		reasons []report.Reason
		want    []string
	}{
		"nothing": {0, report.Rows{Read: 1, Applied: 1}, nil, []string{""}},
		"pending": {0, report.Rows{Read: 2, Accepted: 2}, pending, []string{wait}},
		"all": {4, report.Rows{Read: 4, Unsent: 1, Unknown: 1, Accepted: 1, Rejected: 1}, nil,
			[]string{resume, wait, list}},
		"error":  {2, report.Rows{}, nil, []string{""}},
		"unread": {143, report.Rows{Read: 1, Accepted: 1}, nil, []string{resume, wait}},
	} {
		r := &report.Report{ExitCode: c.exit, Operation: "add", Rows: c.rows, Reasons: c.reasons, Unread: name == "unread"}
		r.List = &report.List{ID: "XyZ123"}
		var commands []string
		for _, s := range next(r) {
			commands = append(commands, s.Command)
		}
		if diff := cmp.Diff(c.want, commands); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Klaviyo may still act on lost requests for consent, and mirror removes who is in no row: what to do says so.
func TestNextIsSafe(t *testing.T) {
	lost := &report.Reason{Code: "answer_lost", Rows: 1}
	r := &report.Report{ExitCode: 1, Operation: "unsubscribe", Rows: report.Rows{Read: 1, Unknown: 1}}
	first := next(r)[0].Text
	if !strings.Contains(first, "Wait half an hour after the run ended") || tell(r, lost).Remedy != askWait {
		t.Errorf("%s, %s", first, tell(r, lost).Remedy)
	}
	r = &report.Report{ExitCode: 1, Operation: "mirror", Rows: report.Rows{Read: 2, Applied: 1, Rejected: 1}}
	if first := next(r)[0].Text; !strings.HasSuffix(first, "then run the command with all rows.") {
		t.Error(first)
	}
}

// Rows that wait for Klaviyo or for people are apart from rows that did not arrive. The headline does not count them as
// done. A merged report names no command of one operation.
func TestWaiting(t *testing.T) {
	r := &report.Report{
		Operation: "several", Runs: 2, Rows: report.Rows{Read: 5, Applied: 1, Accepted: 2, Skipped: 1, Unsent: 1},
		Reasons: []report.Reason{{Code: "not_visible", Rows: 1}, {Code: report.Pending, Rows: 1}},
	}
	page := pageOf(t, r)
	if strings.Contains(page, "<h2>What needs work") || !strings.Contains(page, "<h2>What still waits") {
		t.Error("rows that wait are not apart")
	}
	const want = "1 of 5 rows is done. 1 row waits for the result. 1 row waits until its person confirms. " +
		"1 row did not need to be sent. 1 row was not sent."
	if got := sentences(people(r)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if step := next(r)[0]; step.Command != "" {
		t.Errorf("a merged report asks for %s", step.Command)
	}
	r.Rows = report.Rows{Read: 2, Accepted: 2}
	const accepted = "Klaviyo accepted all 2 rows, but their outcome is not known yet. " +
		"1 row waits until its person confirms."
	if got := sentences(people(r)); got != accepted {
		t.Error(got)
	}
}

// A merged report of several files has a line for each of the first hundred files. Accepted rows have not arrived. What
// to do names the first ten files that need something, in commands for a shell.
func TestRuns(t *testing.T) {
	r := samples()["merged"]
	one := NewRun("part <1>", &report.Report{
		Status: "failed", ExitCode: 1, Rows: report.Rows{Read: 6, Applied: 1, Accepted: 2, Rejected: 3},
	})
	want := Run{"part <1>", "failed, exit status 1", "6", "1", "2", "3", "part <1>", []step{
		{"part <1>: See the results of 2 accepted rows.", "klaviyo-export wait < 'part <1>' > 'part <1>.final'"},
		{"part <1>: List the 3 rejected rows. Correct what is wrong, then run the command with these rows.",
			"klaviyo-export report --rejected csv 'part <1>' > 'part <1>.rejected.csv'"},
	}}
	if diff := cmp.Diff(want, one, cmp.AllowUnexported(Run{})); diff != "" {
		t.Error(diff)
	}
	var page, text strings.Builder
	runs := slices.Repeat([]Run{one}, 102)
	if err := HTML(&page, r, runs...); err != nil {
		t.Fatal(err)
	}
	if err := Text(&text, r, runs...); err != nil {
		t.Fatal(err)
	}
	onPage := strings.Count(page.String(), "<bdi>part &lt;1&gt;</bdi>")
	if rest := strings.Count(text.String(), "  and 2 more files\n"); onPage != 100 || rest != 1 {
		t.Errorf("the page has %d files; the text names the rest %d times", onPage, rest)
	}
	whole := NewRun("whole", &report.Report{Rows: report.Rows{Read: 1, Applied: 1}})
	steps := next(r, append([]Run{whole}, runs[:12]...)...)
	last := steps[len(steps)-1].Text
	if n := len(steps); n != 21 || !strings.HasSuffix(last, "2 more files need something.") {
		t.Errorf("%d steps, the last is %q", n, last)
	}
	unfinished := NewRun("b.ndjson", &report.Report{ExitCode: 4, Operation: "add", Rows: report.Rows{Read: 2, Unsent: 2}})
	if got := next(r, whole, unfinished); len(got) != 1 || got[0].Command !=
		"klaviyo-export add --resume b.ndjson < rows.ndjson >> b.ndjson" {
		t.Errorf("%q", got)
	}
}
