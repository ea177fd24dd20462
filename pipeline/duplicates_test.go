package pipeline

import (
	"bytes"
	"strings"
	"testing"

	"klaviyo-export/report"
)

// The first row of a person within the window is sent and later ones are skipped. Letter case and blanks do not
// matter.
func TestDuplicates(t *testing.T) {
	in := `{"email":"a@example.com"}
{"email":"bad"}
{"email":"A@Example.com"}
{"email":" a@example.com "}
{"email":"b@example.com"}
{"email":"c@example.com"}
{"email":"d@example.com"}
{"email":"a@example.com"}
`
	const before = "1 valid, 2 rejected email_invalid, "
	for _, c := range []struct {
		name   string
		window int
		want   string
	}{
		{"no window", 0, "3 valid, 4 valid, 5 valid, 6 valid, 7 valid, 8 valid"},
		{
			"a window that ends before the last row", 3,
			"3 skipped duplicate, 4 skipped duplicate, 5 valid, 6 valid, 7 valid, 8 valid",
		},
		{
			"a window that reaches the last row", 4,
			"3 skipped duplicate, 4 skipped duplicate, 5 valid, 6 valid, 7 valid, 8 skipped duplicate",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			o := checkOptions(t)
			o.Window = c.window
			if _, err := Run(t.Context(), o, strings.NewReader(in), &out); err == nil {
				t.Error("no error for a rejected row")
			}
			rows, _ := parse(t, out.Bytes())
			if got := brief(rows); got != before+c.want {
				t.Errorf("got %s, want %s", got, before+c.want)
			}
			for _, r := range rows {
				if r.Status == "skipped" && r.Of != 1 {
					t.Errorf("row %d repeats row %d", r.Row, r.Of)
				}
			}
		})
	}
}

// Rows that were skipped because all is well with them are no reason for a failure, however many they are.
func TestSkippedRowsAreNoFault(t *testing.T) {
	rows := report.Rows{Read: 21, Applied: 1, Skipped: 18, Rejected: 2}
	err := rowsError(rows, []report.Reason{
		{Code: "unchanged", Rows: 9, FirstRow: 1, Detail: "d"}, {Code: "duplicate", Rows: 9, FirstRow: 2, Detail: "d"},
		{Code: "email_invalid", Stage: "validate", Rows: 2, FirstRow: 3, Detail: "no @"},
	}, 0)
	const want = "21 rows: 1 applied, 18 skipped, 2 rejected; reasons: 2 email_invalid (first in row 3), row 3: no @"
	if err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
