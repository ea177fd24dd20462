package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"klaviyo-export/report"
)

// Pick passes rows of every kind on byte for byte, and numbers them as the run that wrote the results did.
func TestPick(t *testing.T) {
	row := `{"email":"a@example.com","x":"` + strings.Repeat("y", 3<<20) + `"}`
	var results strings.Builder
	for row := 1; row <= 6; row++ {
		status := []string{"rejected", "applied"}[row%2]
		fmt.Fprintf(&results, `{"type":"row","row":%d,"status":"%s"}`+"\n", row, status)
		results.WriteString(`{"type":"member","status":"removed","key":"old@example.com"}` + "\n")
	}
	// A line of blanks that is longer than a row may be counts as a row.
	in := "one\r\n\n \n" + row + "\n" + strings.Repeat(" ", 2<<20) + "\n4\n5\n6\n" + row + "8"
	for _, read := range []struct {
		how string
		by  func(io.Reader) io.Reader
	}{
		{"whole", func(r io.Reader) io.Reader { return r }},
		{"in pieces", iotest.HalfReader},
	} {
		for selection, want := range map[string]string{
			"rejected": row + "\n4\n6\n",
			"applied":  "one\r\n" + strings.Repeat(" ", 2<<20) + "\n5\n",
			"missing":  row + "8\n",
		} {
			t.Run(selection+"/"+read.how, func(t *testing.T) {
				earlier, err := openEarlier(t.Context(), strings.NewReader(results.String()))
				if err != nil {
					t.Fatal(err)
				}
				defer earlier.Close()
				var out bytes.Buffer
				err = Pick(t.Context(), selected(selection), earlier, read.by(strings.NewReader(in)), &out)
				if err != nil || out.String() != want {
					t.Errorf("%v, %d bytes, want %d: %.80q…", err, out.Len(), len(want), out.String())
				}
			})
		}
	}
}

// Earlier results that are no results any more when Pick reads them are an error: their rows are not passed over in
// silence.
func TestPickReadsResultsAgain(t *testing.T) {
	name := filepath.Join(t.TempDir(), "results")
	const line = `{"type":"row","row":1,"status":"rejected"}` + "\n"
	if err := os.WriteFile(name, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	earlier, err := OpenEarlier(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer earlier.Close()
	if err := os.WriteFile(name, []byte(strings.ToUpper(line)), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = Pick(t.Context(), selected("rejected"), earlier, strings.NewReader("1\n"), &out)
	if err == nil || !strings.Contains(err.Error(), "line 1") || out.Len() > 0 {
		t.Errorf("error %v, output %q", err, out.String())
	}
}

// selected returns the selection of one status, or of rows without a result.
func selected(name string) Selection {
	status, ok := report.ParseStatus(name)
	if !ok {
		return Selection{Missing: true}
	}
	return Selection{Statuses: []report.Status{status}}
}

// pick compares the person of each row with that of its result, as --resume does.
func TestPickComparesIdentifiers(t *testing.T) {
	for _, c := range []struct {
		name, key, row string
		same           bool
	}{
		{"the same", `"ann@example.com"`, `{"email":"ann@example.com"}`, true},
		{"blanks around it", `"ann@example.com"`, `{"email":" ann@example.com\t"}`, true},
		{"escaped", `"ann@example.com"`, `{"email":"\u0061nn@example.com"}`, true},
		{"in a mapped column", `"ann@example.com"`, `{"id":7,"mail":"ann@example.com"}`, true},
		{"cut", `"` + strings.Repeat("a", 100) + `…"`, `{"email":"` + strings.Repeat("a", 120) + `"}`, true},
		{"cut, as a rejected row's", `"` + strings.Repeat("a", 100) + `"`,
			`{"email":"` + strings.Repeat("a", 120) + `"}`, true},
		{"of 99 characters", `"` + strings.Repeat("a", 99) + `"`, `{"email":"` + strings.Repeat("a", 120) + `"}`, false},
		{"a number in another form", `"+4930901820"`, `{"phone_number":"(030) 90 18 20","country":"DE"}`, true},
		{"another number", `"+4930901820"`, `{"phone_number":"030 901821"}`, false},
		{"no key", ``, `{"x":1}`, true},
		{"not JSON", `"ann@example.com"`, `{"email":"ann@exa`, true},
		{"somebody else", `"ann@example.com"`, `{"email":"bo@example.com"}`, false},
		{"a longer address", `"ann@example.com"`, `{"email":"joann@example.com"}`, false},
		{"in a text", `"ann@example.com"`, `{"email":"bo@example.com","note":"friend of ann@example.com"}`, false},
		{"in an object", `"ann@example.com"`, `{"email":"bo@example.com","friend":{"email":"ann@example.com"}}`, false},
		{"as a name", `"email"`, `{"email":"bo@example.com"}`, false},
	} {
		if got := holds([]byte(c.row), []byte(c.key)); got != c.same {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
