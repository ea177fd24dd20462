package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A run stops before it sends or creates anything when none of the first rows has the required column.
func TestMissingColumn(t *testing.T) {
	for _, c := range []struct{ name, in, problem string }{
		{"missing", `{"EMAIL":"a@example.com"}`, `row 1: column "email" is missing, but "EMAIL" is there`},
		{"a number", `{"email":5}`, `row 1: column "email": expected a string, got a number`},
		{"behind rows that are no objects", "nope\n[1]\n{\"mail\":\"a@example.com\"}", "row 3: column"},
		{"in no row", strings.Repeat(`{"mail":"a@example.com"}`+"\n", 300), `none of the first 300 rows has "email"`},
		{
			"another fault alone", `{"x":1,"x":2}`,
			`row 1: column "email" is missing; the row has another fault too: column "x" appears twice`,
		},
		{
			"another fault first", `{"x":1,"x":2}` + "\n" + `{"mail":"a@example.com"}` + "\n" + `{"e":1}`,
			`row 2: column "email" is missing, but "mail" is there; use AS "email" or --map mail=email; none of`,
		},
		{
			"another fault in every row", strings.Repeat(`{"EMAIL":"a@example.com","$x":1,"$x":2}`+"\n", 2),
			`row 1: column "email" is missing; the row has another fault too: column "$x" appears twice`,
		},
		{
			"a number and another fault", `{"email":5,"x":1,"x":2}` + "\n{}",
			`row 2: column "email" is missing; the row has no columns; none of the first 2 rows has "email" as a string`,
		},
		{
			"a number and another fault alone", `{"email":5,"x":1,"x":2}`,
			`row 1: column "email" is not a string; the row has another fault too: column "x" appears twice`,
		},
		{"not JSON at all", strings.Repeat("2024-05-01 INFO ready\n", 1000), "the first 1000 rows are not JSON"},
		{"not JSON for long", strings.Repeat("x\n", 1000) + rowsFrom(0, 10), "the first 1000 rows are not JSON"},
	} {
		for _, first := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/check first=%v", c.name, first), func(t *testing.T) {
				o, sim := addOptions(t, nil)
				o.CheckFirst = first
				var out bytes.Buffer
				rep, err := Run(t.Context(), o, strings.NewReader(c.in), &out)
				rows, _ := parse(t, out.Bytes())
				if rep.ExitCode != 2 || len(rows) != 0 || err == nil || rep.Error != err.Error() || Hint(err) == "" {
					t.Errorf("exit %d, %d rows, error %v", rep.ExitCode, len(rows), err)
				}
				if !strings.Contains(rep.Error, c.problem) {
					t.Errorf("the error is %q: expected %q in it", rep.Error, c.problem)
				}
				if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 2}, sim.Requests()); diff != "" {
					t.Errorf("requests: %s", diff)
				}
			})
		}
	}
}

// A person without an address may come first: only that row is rejected when later ones have the column.
func TestColumnMissingFirst(t *testing.T) {
	for _, c := range []struct{ name, first string }{
		{"left out", `{"name":"Ann"}` + "\n"},
		{"a number", `{"email":5}` + "\n"},
		{"not JSON", "x\n"},
		{"in very many rows", strings.Repeat(`{"name":"Ann"}`+"\n", 20_000)},
	} {
		for _, checkFirst := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/check first=%v", c.name, checkFirst), func(t *testing.T) {
				o, sim := addOptions(t, nil)
				o.CheckFirst, o.MaxInvalid = checkFirst, Bound{rows: 50_000}
				rejected := int64(strings.Count(c.first, "\n"))
				var out bytes.Buffer
				rep, err := Run(t.Context(), o, strings.NewReader(c.first+rowsFrom(0, 50)), &out)
				if err != nil || rep.Rows.Rejected != rejected || rep.Rows.Accepted != 50 || len(sim.Members(rep.List.ID)) != 50 {
					t.Errorf("%v, %+v", err, rep.Rows)
				}
			})
		}
	}
}

// However many rows lack the column, the run ends with exit status 2 and sends nothing. Rows that were written by then
// have results.
func TestColumnMissingInManyRows(t *testing.T) {
	o, sim := addOptions(t, nil)
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(strings.Repeat(`{"mail":"a@example.com"}`+"\n", 50_000)), &out)
	rows, _ := parse(t, out.Bytes())
	if rep.ExitCode != 2 || rep.Rows.Read != int64(len(rows)) || rep.Rows.Rejected != rep.Rows.Read ||
		!strings.Contains(fmt.Sprint(err), `none of the first 50000 rows has "email"`) {
		t.Errorf("exit %d, %v, %+v", rep.ExitCode, err, rep.Rows)
	}
	if diff := cmp.Diff(map[string]int{"GET /api/lists 200": 2}, sim.Requests()); diff != "" {
		t.Error(diff)
	}
}

// Rows without the column that come slowly, one chunk each, are no reason to stop before a request is ready.
func TestColumnMissingFirstInManyChunks(t *testing.T) {
	o, _ := addOptions(t, nil)
	o.MaxInvalid = Bound{rows: 100}
	wide := strings.Repeat("x", chunkSize)
	var in strings.Builder
	for range 2 * maxParts {
		in.WriteString(`{"name":"` + wide + `"}` + "\n")
	}
	var out bytes.Buffer
	rep, err := Run(t.Context(), o, strings.NewReader(in.String()+rowsFrom(0, 5)), &out)
	if err != nil || rep.Rows.Accepted != 5 || rep.Rows.Rejected != 2*maxParts {
		t.Errorf("%v, %+v", err, rep.Rows)
	}
	o, _ = addOptions(t, nil)
	out.Reset()
	rep, err = Run(t.Context(), o, strings.NewReader(in.String()), &out)
	if rep.ExitCode != 2 || rep.Rows.Read != rep.Rows.Rejected || rep.List.Created {
		t.Errorf("exit %d, %v, %+v", rep.ExitCode, err, rep.Rows)
	}
}

// --stop-on-invalid leaves it to the required column whether the input is fit, as long as no row has that column.
func TestStopOnInvalidWaitsForTheColumn(t *testing.T) {
	for _, c := range []struct {
		name, in string
		exit     int
		read     int64
	}{
		{"no row has it", "{\"x\":1}\n{\"y\":2}\n", 2, 0},
		{"a later row has it", "{\"x\":1}\n" + rowsFrom(0, 3), 1, 4},
		{"not an object", "5\n" + rowsFrom(0, 3), 1, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, sim := addOptions(t, nil)
			o.StopOnInvalid = true
			var out bytes.Buffer
			rep, err := Run(t.Context(), o, strings.NewReader(c.in), &out)
			rows, _ := parse(t, out.Bytes())
			if rep.ExitCode != c.exit || rep.Rows.Read != c.read || int64(len(rows)) != c.read {
				t.Errorf("exit %d, %d rows, %v", rep.ExitCode, rep.Rows.Read, err)
			}
			if sim.Requests()["POST /api/profile-bulk-import-jobs 202"] > 0 {
				t.Error("rows were sent")
			}
		})
	}
}

// A signal leaves every row that was read a result, also while no row has the required column.
func TestInterruptBeforeTheColumn(t *testing.T) {
	o, _ := addOptions(t, nil)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	in, feed := io.Pipe()
	defer feed.Close()
	var out bytes.Buffer
	done := started(ctx, o, in, &out)
	fmt.Fprint(feed, `{"x":1}`+"\n"+`{"y`)
	fmt.Fprint(feed, `"`) // is read only after the first piece
	cancel(&Interrupted{Signal: "SIGINT", ExitCode: 130})
	rep := <-done
	if rows, _ := parse(t, out.Bytes()); brief(rows) != "1 rejected email_missing" || rep.ExitCode != 130 {
		t.Errorf("%s; exit %d", brief(rows), rep.ExitCode)
	}
}

// Fewer rows that are not JSON are rejected one by one.
func TestFewRowsThatAreNotJSON(t *testing.T) {
	o, _ := addOptions(t, nil)
	var out bytes.Buffer
	rep, _ := Run(t.Context(), o, strings.NewReader(strings.Repeat("x\n", 999)), &out)
	if rows, _ := parse(t, out.Bytes()); rep.ExitCode != 1 || len(rows) != 999 || rep.List.Created {
		t.Errorf("exit %d, %d rows", rep.ExitCode, len(rows))
	}
}

// Results that are written before the column turns out to be missing stand, and every row that was read has one.
func TestMissingColumnAfterManyThatAreNoObjects(t *testing.T) {
	in := strings.Repeat("[1]\n", 5000) + `{"EMAIL":"a@example.com"}` + "\n"
	for _, resumed := range []bool{false, true} {
		o, _ := addOptions(t, nil)
		var out bytes.Buffer
		rep, err := Run(t.Context(), o, strings.NewReader(in), &out)
		if resumed {
			o.Resume = earlierResults(t, out.Bytes())
			o.Resume.Report = nil // its list did not exist
			out.Reset()
			rep, err = Run(t.Context(), o, strings.NewReader(in), &out)
		}
		lines := bytes.Count(out.Bytes(), []byte("\n"))
		if rep.ExitCode != 2 || rep.Rows.Read != 5001 || rep.Rows.Rejected+rep.Rows.Resumed != 5001 || rep.List.Created ||
			resumed != (lines == 1) ||
			!strings.Contains(fmt.Sprint(err), `row 5001: column "email" is missing, but "EMAIL" is there`) {
			t.Errorf("exit %d, %d lines, %+v: %v", rep.ExitCode, lines, rep.Rows, err)
		}
	}
}

// A rejected array may hold several rows: --max-invalid never covers it, and with --check-first nothing is sent.
func TestRejectedArraysAreNotCovered(t *testing.T) {
	for _, c := range []struct {
		name, bad string
		exit      int
	}{
		{"an array of values", `["ann@example.com","[x]",1]`, 0},
		{"an array that begins with null", `[null,{"email":"b@example.com"}]`, 1},
		{"an array of arrays", `[["ann@example.com",1],["bo@example.com",2]]`, 1},
		{"an array behind a comma", `,[{"email":"b@example.com"}]`, 1},
		{"two objects", `{"email":"b@example.com"}{"email":"c@example.com"}`, 1},
		{"an object and an array", `{"email":"b@example.com"} [{"email":"c@example.com"}]`, 1},
		{"objects without a comma", `[{"email":"b@example.com"} {"email":"c@example.com"}]`, 1},
		{"an array that is too long", `[1` + strings.Repeat(`,{"email":"b@example.com"}`, 50_000) + `]`, 1},
		{"an object with others in it", `{"email":"b@example.com","x":[{"y":1},{"y":2}],"x":3}`, 0},
		{"a broken array of arrays", `[["ann@example.com",1],`, 1},
		{"a log line", "[2024-05-01 10:00:00] INFO", 0},
		{"a number", "5", 0},
	} {
		for _, first := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/check first=%v", c.name, first), func(t *testing.T) {
				o, sim := addOptions(t, nil)
				o.CheckFirst, o.MaxInvalid = first, Bound{rows: 10}
				var out bytes.Buffer
				rep, err := Run(t.Context(), o, strings.NewReader(rowsFrom(0, 3)+c.bad+"\n"), &out)
				sent := len(sim.Members(rep.List.ID))
				if rep.ExitCode != c.exit || (sent == 3) != (c.exit == 0 || !first) {
					t.Errorf("exit %d, %d on the list: %v", rep.ExitCode, sent, err)
				}
				if c.exit == 1 && !strings.Contains(fmt.Sprint(err), "--max-invalid does not cover them") {
					t.Errorf("error %v", err)
				}
			})
		}
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
