package render

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
)

const mixedResults = `{"type":"row","row":1,"status":"applied","key":"ann@example.com","job":"01J"}
{"type":"row","row":2,"status":"rejected","key":"bob@","stage":"validate","code":"email_invalid","column":"email",` +
	`"detail":"\"bob@\" has nothing after the @, <see> the row"}
{"type":"row","row":3,"status":"rejected","stage":"validate","code":"json_invalid","detail":"two\nlines"}
{"type":"row","row":4,"status":"unsent","key":"名前,@b.example","code":"interrupted"}
`

// The rows that did not get there become a table for a spreadsheet, or objects for jq, with the same five members.
func TestRejected(t *testing.T) {
	for format, want := range map[string]string{
		"csv": `row,key,column,code,detail
2,bob@,email,email_invalid,"""bob@"" has nothing after the @, <see> the row"
3,,,json_invalid,"two
lines"
4,"名前,@b.example",,interrupted,
`,
		"json": `{"row":2,"key":"bob@","column":"email","code":"email_invalid",` +
			`"detail":"\"bob@\" has nothing after the @, <see> the row"}
{"row":3,"code":"json_invalid","detail":"two\nlines"}
{"row":4,"key":"名前,@b.example","code":"interrupted"}
`,
	} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			add, end := Rejected(&out, format)
			if _, err := report.Rejects("s", strings.NewReader(mixedResults), add); err != nil {
				t.Fatal(err)
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Without such rows the table has its names, and nothing is written for jq.
func TestNoneRejected(t *testing.T) {
	for format, want := range map[string]string{"csv": "row,key,column,code,detail\n", "json": ""} {
		var out bytes.Buffer
		_, end := Rejected(&out, format)
		if err := end(); err != nil || out.String() != want {
			t.Errorf("%s: got %q, %v", format, out.String(), err)
		}
	}
}

// An output that breaks ends the reading of results at once, with the error of the output alone.
func TestRejectedBrokenOutput(t *testing.T) {
	var results strings.Builder
	for row := range 10_000 {
		fmt.Fprintf(&results, `{"type":"row","row":%d,"status":"unsent","key":"ann@example.com"}`+"\n", row+1)
	}
	for _, format := range []string{"csv", "json"} {
		add, end := Rejected(full{}, format)
		added := 0
		_, err := report.Rejects("s", strings.NewReader(results.String()), func(r *report.Reject) error {
			added++
			return add(r)
		})
		if want := "write the rejected rows: no space left"; !errors.Is(err, errFull) || err.Error() != want || added > 5000 {
			t.Errorf("%s: %v after %d rows", format, err, added)
		}
		if err := end(); !errors.Is(err, errFull) {
			t.Errorf("%s: %v at the end", format, err)
		}
	}
}
