package report

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// runOf writes the results of a run: "1 rejected a" is row 1 with that status and code, "1 resumed" a row without a
// line. The key is that of the row's number, unless another one follows. With an exit status of -1 there is no report,
// because the run was killed.
func runOf(exit int, continues bool, rows ...string) string {
	var out strings.Builder
	w := NewWriter(&out)
	for _, row := range rows {
		var status, code, key string
		l := Line{}
		fmt.Sscan(row, &l.Row, &status, &code, &key)
		if l.Status, l.Code = Resumed, code; status != "resumed" {
			l.Status, _ = ParseStatus(status)
		}
		if key == "" {
			key = fmt.Sprint(l.Row, "@example.com")
		}
		if code != codeCut {
			l.Key = []byte(`"` + key + `"`)
		}
		w.Line(&l)
	}
	if exit == -1 {
		w.Flush()
		return out.String()
	}
	r := &Report{Type: "report", Status: StatusOf(exit), ExitCode: exit, Rows: w.Rows(), Reasons: w.Reasons()}
	r.Rows.Continues = continues
	w.Report(r)
	return out.String()
}

// brief is the exit status, the counts and the reasons of a report.
func brief(r *Report) string {
	text := fmt.Sprintf("exit %d: %d rows", r.ExitCode, r.Rows.Read)
	for status, n := range r.Rows.ByStatus() {
		if n > 0 {
			text += fmt.Sprintf(", %d %v", n, Status(status))
		}
	}
	for _, one := range r.Reasons {
		text += fmt.Sprintf("; %s %d from %d %s", one.Code, one.Rows, one.FirstRow, one.FirstKey)
	}
	return text
}

// Each row of runs that resumed one another counts once, with its last line, whether the runs have reports, were
// interrupted, killed or cut short. Independent runs add up. The rows that did not get there are listed likewise.
func TestChains(t *testing.T) {
	outage := runOf(4, false, "1 unknown lost", "2 unknown lost", "3 unknown lost")
	good := []string{"1 applied", "2 applied", "3 applied"}
	part := runOf(4, false, "1 applied", "2 unknown lost", "3 unknown lost")
	cutRow := runOf(1, false, "1 applied", "2 rejected json_invalid")
	const cutLine = `{"type":"row","row":2,"sta`
	for _, c := range []struct{ name, text, want, rejects string }{
		{"no row was resumed", outage + runOf(0, true, good...), "exit 0: 3 rows, 3 applied", ""},
		{"no row was resumed, killed", runOf(-1, false, "1 unknown lost") + runOf(0, true, good...),
			"exit 0: 3 rows, 3 applied", ""},
		{"a run that resumed none", outage + runOf(0, false, good...),
			"exit 4: 6 rows, 3 applied, 3 unknown; lost 3 from 1 1@example.com", "1 lost, 2 lost, 3 lost"},
		{"the cut last row", cutRow + runOf(0, true, "1 resumed", "2 applied"), "exit 0: 2 rows, 2 applied", ""},
		{"the cut last row, interrupted", cutRow + runOf(130, true, "1 resumed", "2 unsent stop"),
			"exit 130: 2 rows, 1 applied, 1 unsent; stop 1 from 2 2@example.com", "2 stop"},
		{"a cut last line", runOf(-1, false, "1 applied") + cutLine + runOf(0, true, "1 resumed", "2 applied", "3 applied"),
			"exit 0: 3 rows, 3 applied", ""},
		{"a cut last line of a row that has one", runOf(-1, false, "1 applied", "2 unknown lost") + cutLine + "\n" +
			runOf(0, true, "1 resumed", "2 applied", "3 applied"), "exit 0: 3 rows, 3 applied", ""},
		{"interrupted before the last row", part + runOf(130, true, "1 resumed", "2 unsent stop"),
			"exit 130: 3 rows, 1 applied, 1 unknown, 1 unsent; stop 1 from 2 2@example.com; lost 1 from 3 3@example.com",
			"2 stop, 3 lost"},
		{"interrupted before the first row", part + runOf(130, true),
			"exit 130: 3 rows, 1 applied, 2 unknown; lost 2 from 2 2@example.com", "2 lost, 3 lost"},
		{"killed", part + runOf(-1, true, "2 applied"),
			"exit 143: 3 rows, 2 applied, 1 unknown; lost 1 from 3 3@example.com", "3 lost"},
		{"killed twice, then resumed", runOf(-1, false, "1 unknown lost", "2 applied", "3 unknown lost") +
			runOf(-1, true, "1 applied", "3 unknown lost") + runOf(0, true, "1 resumed", "2 resumed", "3 applied"),
			"exit 0: 3 rows, 3 applied", ""},
		{"killed three times", runOf(-1, false, "1 unknown lost", "2 applied", "3 unknown lost") +
			runOf(-1, true, "1 unknown lost") + runOf(-1, true, "1 applied", "3 applied"), "exit 143: 3 rows, 3 applied", ""},
		{"killed, each with another input", runOf(-1, false, "1 unknown lost a@", "2 unknown lost b@") +
			runOf(-1, false, "1 unknown lost c@"), "exit 143: 3 rows, 3 unknown; lost 3 from 1 a@", "1 lost, 2 lost, 1 lost"},
		{"killed, with another input", outage + runOf(-1, false, "1 unsent stop x@"),
			"exit 143: 4 rows, 3 unknown, 1 unsent; lost 3 from 1 1@example.com; stop 1 from 1 x@",
			"1 lost, 2 lost, 3 lost, 1 stop"},
		{"a result that is elsewhere", part + runOf(0, true, "1 resumed", "2 resumed", "3 applied"),
			"exit 0: 3 rows, 2 applied, 1 resumed", ""},
		{"all results are elsewhere", part + runOf(0, true, "1 resumed", "2 resumed", "3 resumed", "4 resumed"),
			"exit 0: 4 rows, 1 applied, 3 resumed", ""},
		{"the first run is elsewhere", runOf(4, true, "1 unknown lost", "2 resumed", "3 unsent stop") +
			runOf(0, true, "1 applied", "2 resumed", "3 applied"), "exit 0: 3 rows, 2 applied, 1 resumed", ""},
		{"a merged report", outage +
			`{"type":"report","status":"succeeded","exit_code":0,"rows":{"read":9,"applied":8,"resumed":1},"runs":2}` + "\n",
			"exit 4: 12 rows, 8 applied, 3 unknown, 1 resumed; lost 3 from 1 1@example.com", "1 lost, 2 lost, 3 lost"},
		{"twice", part + runOf(4, true, "1 resumed", "2 unknown gone", "3 applied") + part +
			runOf(0, true, "1 resumed", "2 applied", "3 applied"),
			"exit 4: 6 rows, 5 applied, 1 unknown; gone 1 from 2 2@example.com", "2 gone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, in := range readers(t, c.text) {
				r, _, err := ReadStream("s", in)
				if err != nil {
					t.Fatal(name, err)
				}
				if diff := cmp.Diff(c.want, brief(r)); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			var got []string
			_, err := Rejects("s", strings.NewReader(c.text), func(r *Reject) error {
				got = append(got, fmt.Sprint(r.Row, " ", r.Code))
				return nil
			})
			if diff := cmp.Diff(c.rejects, strings.Join(got, ", ")); diff != "" || err != nil {
				t.Error("rejects:", err, diff)
			}
		})
	}
}

// A report of a run that resumed another has resumed, also when it is 0 and after it was read and written again.
func TestContinues(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{runOf(0, true, "1 applied"), true}, {runOf(4, true, "1 unsent stop") + runOf(0, true, "1 applied"), true},
		{runOf(0, false, "1 applied"), false},
		{strings.Replace(runOf(0, true, "1 applied"), `"resumed":0`, `"resumed":null`, 1), false},
	} {
		r, _, err := ReadStream("s", strings.NewReader(c.text))
		if err != nil || r.Rows.Continues != c.want {
			t.Errorf("got %t, %v, expected %t: %s", r.Rows.Continues, err, c.want, c.text)
		}
		line := bytesOf(t, r)
		if strings.Contains(line, `"unsent":0,"resumed":0}`) != c.want {
			t.Errorf("expected resumed %t: %s", c.want, line)
		}
		if merged := bytesOf(t, Merge(r, r)); strings.Contains(merged, "resumed") {
			t.Errorf("a merged report has it: %s", merged)
		}
	}
}

// A pipe that cannot be copied is read as long as no run in it was resumed.
func TestNoCopy(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/gone")
	one := runOf(4, false, "1 unknown lost")
	r, _, err := ReadStream("s", io.MultiReader(strings.NewReader(one+one)))
	if err != nil || r.Rows.Read != 2 {
		t.Fatal(r, err)
	}
	_, _, err = ReadStream("s", io.MultiReader(strings.NewReader(one+runOf(0, true, "1 applied"))))
	if err == nil || !strings.HasPrefix(err.Error(), "read s: keep a copy of the results: ") {
		t.Error(err)
	}
}

// Any number of runs that resumed one another can be counted: when they are too many, by their reports.
func TestManyResumed(t *testing.T) {
	text := runOf(4, false, "1 applied", "2 unsent stop")
	for range maxRuns + 10 {
		text += runOf(4, true, "1 resumed", "2 unsent stop")
	}
	r, _, err := ReadStream("s", strings.NewReader(text+runOf(0, true, "1 resumed", "2 applied")))
	if want := "exit 0: 2 rows, 2 applied"; err != nil || brief(r) != want {
		t.Errorf("got %v, expected %s", err, want)
	}
}
