package pipeline

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A run stops before it sends or creates anything when the first object lacks the required column.
func TestMissingColumn(t *testing.T) {
	for _, c := range []struct{ name, in string }{
		{"missing", `{"EMAIL":"a@example.com"}`},
		{"a number", `{"email":5}`},
		{"behind rows that are no objects", "nope\n[1]\n{\"mail\":\"a@example.com\"}"},
		{"before good rows", `{"mail":"a@example.com"}` + "\n" + rowsFrom(0, 50_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, sim := addOptions(t, nil)
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, strings.NewReader(c.in), &out)
			rows, _ := parse(t, out.Bytes())
			if rep.ExitCode != 2 || len(rows) != 0 || err == nil || rep.Error != err.Error() || Hint(err) == "" {
				t.Errorf("exit %d, %d rows, error %v", rep.ExitCode, len(rows), err)
			}
			if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 1}, sim.Requests()); diff != "" {
				t.Errorf("requests: %s", diff)
			}
		})
	}
}

// The results that are written before the first object lacks the column stand, and every row before it has one.
func TestMissingColumnAfterManyThatAreNoObjects(t *testing.T) {
	o, _ := addOptions(t, nil)
	in := strings.Repeat("x\n", 5000) + `{"EMAIL":"a@example.com"}` + "\n" + rowsFrom(1, 5)
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in), &out)
	rows, _ := parse(t, out.Bytes())
	if rep.ExitCode != 2 || rep.Rows.Read != 5000 || rep.Rows.Rejected != 5000 || len(rows) != 5000 || rep.List.Created ||
		!strings.Contains(fmt.Sprint(err), "row 5001: column \"email\" is missing, but \"EMAIL\" is there") {
		t.Errorf("exit %d, %d rows, %+v: %v", rep.ExitCode, len(rows), rep.Rows, err)
	}
}

// A resumed run stops at the missing column too, and keeps the final results of the earlier run.
func TestMissingColumnInAResumedRun(t *testing.T) {
	in := strings.Repeat("x\n", 5000) + `{"EMAIL":"a@example.com"}` + "\n"
	o, _ := addOptions(t, nil)
	var first, second bytes.Buffer
	_, _ = Run(t.Context(), o, strings.NewReader(in), &first)
	o.Resume = earlierResults(t, first.Bytes())
	o.Resume.Report = nil // its list did not exist
	rep, _ := Run(t.Context(), o, strings.NewReader(in), &second)
	// The last row is no JSON and may have been cut: it is checked again.
	lines := bytes.Count(second.Bytes(), []byte("\n"))
	if rep.ExitCode != 2 || rep.Rows.Resumed != 4999 || rep.Rows.Rejected != 1 || lines != 2 {
		t.Errorf("exit %d, %+v, %d lines", rep.ExitCode, rep.Rows, lines)
	}
}

// earlierResults opens output of an earlier run, until the test ends.
func earlierResults(t testing.TB, out []byte) *Earlier {
	t.Helper()
	file := filepath.Join(t.TempDir(), "results")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	earlier, err := OpenEarlier(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(earlier.Close)
	return earlier
}

// A null in the first row proves that the column exists. A later row without the column is rejected alone.
func TestColumnMissingLater(t *testing.T) {
	var out bytes.Buffer
	in := "{\"email\":null}\n{\"email\":\"a@example.com\"}\n{\"mail\":1}\n{\"email\":true}\n{\"email\":\" \"}\n"
	_, _ = Run(t.Context(), checkOptions(t), strings.NewReader(in), &out)
	rows, _ := parse(t, out.Bytes())
	want := "1 rejected email_missing, 2 valid, 3 rejected email_missing, 4 rejected type_wrong, 5 rejected email_missing"
	if got := brief(rows); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
