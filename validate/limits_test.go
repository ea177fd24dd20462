package validate

import (
	"fmt"
	"strings"
	"testing"
)

// A row may have 100 nesting levels, counted from the row itself, and not one more.
func TestDepth(t *testing.T) {
	nest := func(levels int, open, close string) string {
		return strings.Repeat(open, levels) + "1" + strings.Repeat(close, levels)
	}
	for _, test := range []struct{ open, close string }{{"[", "]"}, {`{"x":`, "}"}, {`[{"x":[`, "]}]"}} {
		levels := strings.Count(test.open, "[") + strings.Count(test.open, "{")
		for _, column := range []string{"x", "properties"} {
			n := (maxDepth - 1) / levels
			good := `{"email":"a@b.co","` + column + `":` + nest(n, test.open, test.close) + `}`
			if got := check(t, Options{}, good); column == "x" && got.Profile == "" || got.Fault.Code == RowTooDeep {
				t.Errorf("%s: %+v", good, got)
			}
			want := result{Fault: Fault{RowTooDeep, "", "the row has more than 100 nesting levels"}}
			bad := `{"email":"a@b.co","` + column + `":` + nest(n+1, test.open, test.close) + `}`
			if got := check(t, Options{}, bad); got != want {
				t.Errorf("%s: %+v", bad, got)
			}
		}
	}
	row := strings.Repeat("[", MaxRow)
	if got := check(t, Options{}, row); got.Fault.Code != RowTooDeep {
		t.Errorf("a million brackets: %+v", got.Fault)
	}
}

// A profile of 100,000 bytes and a row of 1 MiB are accepted, and not one byte more.
func TestLengths(t *testing.T) {
	const around = `{"email":"a@b.co","x":""}`
	const envelope = `{"type":"profile","attributes":{"email":"a@b.co","properties":{"x":""}}}`
	row := func(n int) string { return `{"email":"a@b.co","x":"` + strings.Repeat("x", n-len(around)) + `"}` }
	tooLarge := func(n int) result {
		detail := fmt.Sprintf("expected a profile of at most 100000 bytes, got %d; leave columns out with --drop", n)
		return result{Key: `"a@b.co"`, Required: Present, Fault: Fault{ProfileTooLarge, "", detail}}
	}
	fits := maxProfile - len(envelope) + len(around)
	if got := check(t, Options{}, row(fits)); len(got.Profile) != maxProfile || got.Fault != (Fault{}) {
		t.Errorf("a profile of %d bytes: %+v", len(got.Profile), got.Fault)
	}
	if got := check(t, Options{}, row(fits+1)); got != tooLarge(maxProfile+1) {
		t.Errorf("a profile of one byte more: %.200v", got)
	}
	if got := check(t, Options{}, row(MaxRow)+"\r\n"); got != tooLarge(MaxRow-len(around)+len(envelope)) {
		t.Errorf("a row of the greatest length: %.200v", got)
	}
	want := result{Fault: Fault{RowTooLong, "", "the row is longer than 1048576 bytes"}}
	if got := check(t, Options{}, row(MaxRow+1)); got != want {
		t.Errorf("a row of one byte more: %.200v", got)
	}
}

// An over-long row that is a client's whole answer gets the remedy for that client, from its beginning alone.
func TestTooLong(t *testing.T) {
	const mysqlsh = "; this is mysqlsh's whole answer, not a row: pipe it through jq -c '.rows[]'"
	c := checker(t, Options{})
	for head, hint := range map[string]string{
		"":                                   "",
		`{"email":"a@b`:                      "",
		"\xe3\x81":                           "",
		` [["email",`:                        "; " + arrayHint,
		` [{"email":`:                        "; " + lateHint,
		`{ "rows":[`:                         mysqlsh,
		`{"hasData":true,`:                   mysqlsh,
		`{"meta":[{"name":"email","type":"`:  "; this is clickhouse's whole answer, not a row: use FORMAT JSONEachRow",
		`{"rowsum":5,"email":"a@b.co","x":"`: "",
	} {
		var out Rows
		c.TooLong([]byte(head), &out)
		want := result{Fault: Fault{RowTooLong, "", "the row is longer than 1048576 bytes" + hint}}
		if got := results(&out); len(got) != 1 || got[0] != want {
			t.Errorf("%q\ngot  %+v\nwant %+v", head, got, want)
		}
	}
}
