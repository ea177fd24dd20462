package pipeline

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
	"klaviyo-export/sink"
	"klaviyo-export/sink/simulator"
	"klaviyo-export/validate"
)

// clearing returns options of a run that reads its rows back and whose nulls clear.
func clearing(t *testing.T, by string, plan *simulator.Plan, wrap func(http.Handler) http.Handler) *Options {
	t.Helper()
	o := readingBack(t, by, validate.Add, 0, simulator.Options{Plan: plan, Wrap: wrap, JobTime: time.Millisecond})
	o.Checker = clearingChecker(t, by)
	return o
}

func clearingChecker(t *testing.T, by string) *validate.Checker {
	t.Helper()
	checker, err := validate.New(validate.Options{By: by, Nulls: validate.Clear})
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

// cleared returns the rows that a run wrote, each as its status, code, column and whether it was read back, and what
// the details say is left.
func cleared(t *testing.T, o *Options, in string) (rows []string, rep *report.Report) {
	t.Helper()
	var out bytes.Buffer
	rep, _ = Run(t.Context(), o, strings.NewReader(in), &out)
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, `{"type":"row"`) {
			continue
		}
		row := status(line)
		if _, rest, ok := strings.Cut(line, `"column":"`); ok {
			column, _, _ := strings.Cut(rest, `"`)
			row += " " + column
		}
		if _, rest, ok := strings.Cut(line, "still has "); ok {
			left, _, _ := strings.Cut(rest, ":")
			row += ", left " + strings.ReplaceAll(left, `\`, "")
		}
		if strings.Contains(line, `"verified":false`) {
			row += " unverified"
		}
		rows = append(rows, row)
	}
	return rows, rep
}

const profilesWith = `{"email":"a@example.com","external_id":"a","phone_number":"+12015550101","plan":"x","n":1}
{"email":"b@example.com","external_id":"b","phone_number":"+12015550102","plan":"x","n":1}
{"external_id":"c","plan":"x","n":1}
`

// A row that clears a property is applied when the profile has lost it, and unknown while the profile still has it.
// A profile that cannot be read is not verified, whichever identifier names the person.
func TestClearedIsReadBack(t *testing.T) {
	t.Parallel()
	kept := &simulator.Plan{Faults: []simulator.Fault{
		{Do: "keep_properties", Addresses: []string{"b@*"}, Times: -1},
	}}
	for _, c := range []struct {
		name, by, in string
		plan         *simulator.Plan
		want         []string
		members      report.ReadBackCounts
	}{
		{"by email", "email", `{"email":"a@example.com","plan":null,"none":null}
{"email":"b@example.com","plan":null,"none":null,"n":null}
{"email":"B@example.com","n":null}
{"email":"d@example.com","n":2}
{"email":"e@"}
`, kept, []string{
			"applied", `unknown not_cleared plan, left "plan", "n"`, "skipped duplicate", "applied",
			"rejected email_invalid email",
		}, report.ReadBackCounts{Verified: 2, Missing: 1}},
		{"by phone number", "phone_number", `{"phone_number":"+1 201 555 0101","properties":{"plan":null}}` + "\n", nil,
			[]string{"applied"}, report.ReadBackCounts{Verified: 1, Unmailable: 1}},
		{"by external id", "external_id",
			`{"external_id":"b","email":"b@example.com","n":null}` + "\n" + `{"external_id":"c","n":null}` + "\n" +
				`{"external_id":"a","n":null}` + "\n",
			kept, []string{`unknown not_cleared n, left "n"`, "applied unverified", "applied"},
			report.ReadBackCounts{Verified: 1, Missing: 1, Unverified: 1}},
		{"a profile that left the list", "email", `{"email":"a@example.com","n":null}` + "\n",
			&simulator.Plan{Faults: []simulator.Fault{
				{Do: "hide", On: "GET /api/lists/{id}/profiles", Addresses: []string{"a@*"}, Times: -1},
			}}, []string{"unknown not_on_list"}, report.ReadBackCounts{Missing: 1}},
		{"a profile that is not found", "email", `{"email":"a@example.com","n":null}` + "\n",
			&simulator.Plan{Faults: []simulator.Fault{
				{Do: "hide", On: "GET /api/profiles", Addresses: []string{"a@*"}, Times: -1},
			}}, []string{"applied unverified"}, report.ReadBackCounts{Unverified: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := clearing(t, c.by, c.plan, nil)
			o.Wait, o.Verify, o.Checker = false, false, byExternalID(t)
			if _, rep := cleared(t, o, profilesWith); rep.Rows.Accepted != 3 {
				t.Fatalf("%+v", rep.Rows)
			}
			o.Wait, o.Verify, o.Checker = true, true, clearingChecker(t, c.by)
			rows, rep := cleared(t, o, c.in)
			if diff := cmp.Diff(c.want, rows); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
			rep.Members.New = 0 // whether the second that the run began in is that of joining
			if diff := cmp.Diff(c.members, *rep.Members.ReadBackCounts); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
		})
	}
}

func byExternalID(t *testing.T) *validate.Checker {
	t.Helper()
	checker, err := validate.New(validate.Options{By: "external_id"})
	if err != nil {
		t.Fatal(err)
	}
	return checker
}

// Only rows that clear something have their profiles read, 100 a request.
func TestOnlyClearedIsRead(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	o := clearing(t, "", nil, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.URL.Path == "/api/profiles" {
				reads.Add(1)
			}
			next.ServeHTTP(w, r)
		})
	})
	if _, rep := cleared(t, o, rowsFrom(0, 300)); rep.Rows.Applied != 300 || reads.Load() != 0 {
		t.Fatalf("%+v, %d reads of profiles", rep.Rows, reads.Load())
	}
	nulls := strings.ReplaceAll(rowsFrom(0, 250), "}", `,"plan":null}`)
	if _, rep := cleared(t, o, nulls+rowsFrom(1000, 300)); rep.Rows.Applied != 550 || reads.Load() != 3 {
		t.Errorf("%+v, %d reads of profiles, want 3", rep.Rows, reads.Load())
	}
}

// While profiles cannot be read, rows that clear stay applied and are not verified, and the run ends as an outage.
func TestClearedDuringAnOutage(t *testing.T) {
	t.Parallel()
	o := clearing(t, "", &simulator.Plan{Faults: []simulator.Fault{
		{On: "GET /api/profiles", Do: "status", Status: 503, Times: -1},
	}}, nil)
	rows, rep := cleared(t, o, `{"email":"a@example.com","plan":null}`+"\n"+`{"email":"b@example.com"}`)
	if want := []string{"applied unverified", "applied"}; cmp.Diff(want, rows) != "" || rep.ExitCode != 4 {
		t.Errorf("exit status %d, rows %q", rep.ExitCode, rows)
	}
}

// A resumed run, whose batches are mostly rows that are passed over, reads back what its own rows clear.
func TestClearedAfterResume(t *testing.T) {
	t.Parallel()
	o := clearing(t, "", &simulator.Plan{Faults: []simulator.Fault{
		{Do: "keep_properties", Addresses: []string{"p7@*"}, Times: -1},
	}}, nil)
	var earlier bytes.Buffer
	set := strings.ReplaceAll(rowsFrom(0, 10), "}", `,"plan":"x","n":1}`)
	if rep, err := Run(t.Context(), o, strings.NewReader(set), &earlier); err != nil {
		t.Fatal(rep, err)
	}
	// What is left is as after a crash: two of the rows have no result.
	var left string
	for i, line := range strings.SplitAfter(earlier.String(), "\n") {
		if i < 7 {
			left += line
		}
	}
	o.Resume = earlierResults(t, []byte(left))
	o.Checker = clearingChecker(t, "")
	nulls := strings.ReplaceAll(rowsFrom(0, 10), "}", `,"n":null,"plan":null}`)
	rows, _ := cleared(t, o, nulls)
	if want := []string{`unknown not_cleared n, left "n", "plan"`, "applied", "applied"}; cmp.Diff(want, rows) != "" {
		t.Errorf("got %q, want %q", rows, want)
	}
}

// The names of properties take bounded memory. A row whose names are not kept is not verified.
func TestProperties(t *testing.T) {
	t.Parallel()
	p := new(properties)
	numbers := p.append(nil, []byte(`"plan","a \"b\", c","\u0078"`))
	if got := p.of(numbers); cmp.Diff([]string{"plan", `a "b", c`, "x"}, got) != "" {
		t.Fatalf("got %q", got)
	}
	if again := p.append(numbers, []byte(`"\u0078","plan"`)); cmp.Diff([]uint16{0, 1, 2, 2, 0}, again) != "" {
		t.Fatalf("got %v", again)
	}
	for i := 3; i < maxProperties; i++ {
		if got := p.append(nil, fmt.Appendf(nil, `"%d"`, i)); len(got) != 1 || got[0] != uint16(i) {
			t.Fatalf("name %d has the numbers %v", i, got)
		}
	}
	if got := p.append([]uint16{5}, []byte(`"plan","one more"`)); cmp.Diff([]uint16{5}, got) != "" {
		t.Errorf("beyond the number: %v", got)
	}
	p = new(properties)
	long := fmt.Sprintf(`"%s"`, strings.Repeat("n", maxPropertyBytes/2))
	if got := p.append(p.append(nil, []byte(long)), []byte(`"x`+long[1:])); len(got) != 1 {
		t.Errorf("beyond the bytes: %v", got)
	}
}

// A row of a brief keeps its properties when the brief is a part of a batch.
func TestClearedInABrief(t *testing.T) {
	t.Parallel()
	names := func(first int64, numbers ...uint16) *results {
		b := &results{first: first, unsetNames: numbers}
		for range 3 {
			b.add([]byte(`"a@example.com"`))
		}
		b.unset = []unset{{1, 1}, {2, uint32(len(numbers))}}
		return b
	}
	r := new(results)
	r.takeBrief(names(1, 7, 8, 9), false, func(int64, bool) {})
	r.takeBrief(names(4, 5, 6), false, func(int64, bool) {})
	got := map[uint32][]uint16{}
	r.unsetOf(func(row uint32, numbers []uint16) { got[row] = numbers })
	if diff := cmp.Diff(map[uint32][]uint16{1: {7}, 2: {8, 9}, 4: {5}, 5: {6}}, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// TestClearedNames: nothing but a name that is kept can be read back. What is not kept is not verified, and not wrong.
func TestClearedNames(t *testing.T) {
	t.Parallel()
	o := clearing(t, "", nil, nil)
	o.WaitTimeout = time.Minute
	in := `{"email":"a@example.com","` + strings.Repeat("n", 60_000) + `":null}` + "\n"
	for i := range maxPropertyBytes / 60_000 {
		in += fmt.Sprintf(`{"email":"p%d@example.com","%d%s":null}`+"\n", i, i, strings.Repeat("n", 60_000))
	}
	rows, rep := cleared(t, o, in)
	verified := int64(0)
	for _, row := range rows {
		if row == "applied" {
			verified++
		} else if row != "applied unverified" {
			t.Fatal(row)
		}
	}
	if rep.Members.Unverified == 0 || verified == 0 || rep.Members.Verified != verified {
		t.Errorf("%d rows verified, %+v", verified, rep.Members.ReadBackCounts)
	}
}

// With a list for each row, the rows of each list are read back with what they clear.
func TestClearedOnManyLists(t *testing.T) {
	t.Parallel()
	plan := &simulator.Plan{Faults: []simulator.Fault{{Do: "keep_properties", Addresses: []string{"b@*"}, Times: -1}}}
	for _, email := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"} {
		plan.Profiles = append(plan.Profiles, simulator.Profile{
			Email: email, Properties: map[string]string{"plan": "x"}, Lists: []string{"Other"},
		})
	}
	o := clearing(t, "", plan, nil)
	checker, err := validate.New(validate.Options{Nulls: validate.Clear, ListColumn: "list"})
	if err != nil {
		t.Fatal(err)
	}
	o.Checker, o.List, o.Lists = checker, sink.ListRef{}, &ListsOptions{Create: 1}
	rows, _ := cleared(t, o, `{"email":"a@example.com","list":"News","plan":null}
{"email":"b@example.com","list":"Other","plan":null}
{"email":"c@example.com","list":"News"}
{"email":"d@example.com","list":"Other","plan":null,"n":null}
`)
	want := []string{"applied", `unknown not_cleared plan, left "plan"`, "applied", "applied"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
