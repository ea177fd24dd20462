package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A run and the run that resumed it are one report: each row counts once, also among the dropped values, and the
// columns of the whole input count once. Account and base URL stay, also when the first run left no report.
func TestFollow(t *testing.T) {
	const dropped = `,"dropped":["phone_number"]}` + "\n"
	rows := `{"type":"row","row":1,"status":"applied"` + dropped +
		`{"type":"row","row":2,"status":"rejected","code":"a","key":"b@","detail":"d"` + dropped +
		`{"type":"row","row":3,"status":"unknown","code":"answer_lost"` + dropped +
		`{"type":"row","row":4,"status":"unsent","code":"interrupted"` + dropped
	again := `{"type":"row","row":3,"status":"applied"` + dropped +
		`{"type":"row","row":4,"status":"applied"` + "}\n" + `{"type":"row","row":5,"status":"applied"` + dropped
	report := func(exit int, rows, more string) string {
		return `{"type":"report","status":"` + StatusOf(exit) + `","exit_code":` + string(rune('0'+exit)) +
			`,"list":{"id":"X","name":""},"rows":{` + rows + `}` + more + "}\n"
	}
	const known = `,"account":{"id":"A","name":"Acme"},"base_url":"u"`
	first := report(4, `"read":4,"applied":1,"rejected":1,"unknown":1,"unsent":1`,
		known+`,"dropped":{"phone_number":2},"columns":[{"column":"town","as":"location.city","rows":3},`+
			`{"column":"email","as":"email","rows":3},{"column":"plan","as":"properties.plan","rows":0,"cleared":2}]`+
			`,"reasons":[{"code":"a","rows":1,"first_row":2,"first_key":"b@","detail":"d"},`+
			`{"code":"answer_lost","rows":1,"first_row":3}]`)
	second := report(1, `"read":5,"applied":3,"resumed":2`, known+`,"dropped":{"phone_number":2},"columns":[`+
		`{"column":"email","as":"email","rows":4},{"column":"plan","as":"properties.plan","rows":1,"cleared":3},`+
		`{"column":"town","as":"location.city","rows":3}]`)
	for _, c := range []struct {
		name, text string
		columns    []Column
	}{
		{"with both reports", rows + first + again + second,
			[]Column{{"town", "location.city", 3, 0}, {"email", "email", 4, 0}, {"plan", "properties.plan", 1, 3}}},
		{"after a crash", rows + again + second,
			[]Column{{"email", "email", 4, 0}, {"plan", "properties.plan", 1, 3}, {"town", "location.city", 3, 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, notes, err := ReadStream("s", strings.NewReader(c.text))
			if err != nil || notes != nil {
				t.Fatal(err, notes)
			}
			want := Report{
				Account: &Account{"A", "Acme"}, BaseURL: "u", Columns: c.columns,
				Dropped: map[string]int64{"phone_number": 4}, Rows: Rows{Read: 5, Applied: 4, Rejected: 1},
			}
			same := Report{
				Account: got.Account, BaseURL: got.BaseURL, Columns: got.Columns, Dropped: got.Dropped, Rows: got.Rows,
			}
			if diff := cmp.Diff(want, same); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An import job that the resumed run has waited for is as open as that run says, also when a row of it stays accepted.
func TestFollowJobs(t *testing.T) {
	for _, c := range []struct {
		name        string
		jobs, rows  string // of the second run
		open        []string
		ended, rest int64
	}{
		{"both ended", `"submitted":0,"complete":2`, `"applied":3,"resumed":1`, []string{}, 2, 1},
		{"both seen", `"submitted":1,"complete":2,"open":["B"]`, `"applied":2,"accepted":1,"resumed":1`, []string{"B"}, 2, 2},
		{"one seen", `"submitted":0,"complete":1`, `"applied":3,"resumed":1`, []string{"A", "B"}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, _, err := ReadStream("s", strings.NewReader(
				`{"type":"report","status":"succeeded","rows":{"read":4,"accepted":4},"jobs":{"submitted":2,"open":["A","B"]}}`+
					"\n"+`{"type":"report","status":"succeeded","settled":3,"rows":{"read":4,`+c.rows+`},"jobs":{`+c.jobs+"}}\n"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.open, append([]string{}, got.Jobs.Open...)); diff != "" || got.Jobs.Complete != c.ended ||
				got.Rows.Read != 4 || got.Rows.Accepted != c.rest {
				t.Errorf("%s%+v, %+v", diff, got.Jobs, got.Rows)
			}
		})
	}
}

// Rows without a report have their dropped values counted from their lines, whatever form the lines have.
func TestKilledDropped(t *testing.T) {
	got, _, err := ReadStream("s", strings.NewReader(
		`{"type":"row","row":1,"status":"applied","key":"a","dropped":["phone_number"]}`+"\n"+
			`{ "dropped":["phone_number","x\ny"],"type":"row","row":2,"status":"valid"}`+"\n"+
			`{"type":"row","row":3,"status":"applied","dropped":null}`+"\n"+
			`{"type":"row","row":4,"status":"unsent","dropped":["phone_number"]}`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int64{"phone_number": 2, "x\ny": 1}, got.Dropped); diff != "" {
		t.Error(diff)
	}
}
