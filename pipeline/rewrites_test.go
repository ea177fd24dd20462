package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// jobsEnd answers every question about an import job: it is complete, without failures. asked is called before.
func jobsEnd(asked func()) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if id := jobID(r); id != "" {
				asked()
				fmt.Fprintf(w, `{"data":{"type":"profile-bulk-import-job","id":%q,`+
					`"attributes":{"status":"complete","failed_count":0}}}`, id)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// wait passes the last line of each row on byte for byte, however the results are encoded and however long a line is.
// A row that is waited for keeps its key and what was dropped.
func TestWaitPassesLinesOn(t *testing.T) {
	t.Parallel()
	long := `{"type":"row","row":3,"status":"rejected","key":"ö@","stage":"validate","code":"email_invalid",` +
		`"detail":"` + strings.Repeat("é", 20_000) + `"}` + "\n"
	first := `{"type":"row","row":1,"status":"accepted","key":"a@b.example","job":"J1",` +
		`"dropped":["phone_number"]}` + "\n" + `{"type":"row","row":2,"status":"unsent","code":"outage"}` + "\n" + long
	second := `{"type":"row","row":2,"status":"skipped","code":"duplicate","of":1, "own":"kept"}` + "\n" +
		`{"type":"row","row":4,"status":"accepted","key":"c@b.example","job":"J2"}` + "\n"
	members := `{"type":"member","status":"removed","key":"ö@b.example", "own":"kept"}` + "\n" +
		`{"type":"member","status":"unknown","code":"answer_lost","detail":"` + strings.Repeat("é", 20_000) + `"}` + "\n"
	first, second = first+members, second+members
	want := `{"type":"row","row":1,"status":"applied","key":"a@b.example","job":"J1","dropped":["phone_number"]}` + "\n" +
		`{"type":"row","row":2,"status":"skipped","code":"duplicate","of":1, "own":"kept"}` + "\n" + long +
		`{"type":"row","row":4,"status":"applied","key":"c@b.example","job":"J2"}` + "\n" + members + members
	var wide bytes.Buffer
	wide.WriteString("\xff\xfe")
	for _, unit := range utf16.Encode([]rune(first + second)) {
		wide.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	for name, in := range map[string]string{
		"as it is": first + second, "with a byte order mark": "\ufeff" + first + "\ufeff" + second,
		"with CRLF": strings.ReplaceAll(first+second, "\n", "\r\n"), "in UTF-16": wide.String(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			rep, _ := Wait(t.Context(), waitOptions(t, jobsEnd(func() {})), strings.NewReader(in), &out)
			if got := withoutReport(out.Bytes()); got != want {
				t.Errorf("%.300s\nwant\n%.300s", got, want)
			}
			if rep.Rows.Applied != 2 || rep.Rows.Skipped != 1 || rep.Rows.Rejected != 1 || rep.Dropped["phone_number"] != 1 ||
				len(rep.Reasons) != 2 || rep.Jobs.Complete != 2 {
				t.Errorf("%+v", rep)
			}
		})
	}
}

// Results that change between the two readings end the run with an error; no row gets the result of another.
func TestWaitOnChangingResults(t *testing.T) {
	t.Parallel()
	const row = `{"type":"row","row":%d,"status":"%s","key":"p%[1]d@example.com","job":"J%[3]d"}` + "\n"
	for _, c := range []struct {
		name   string
		change func(f *os.File) error
	}{
		{"cut", func(f *os.File) error { return f.Truncate(40_000) }},
		{"other jobs", func(f *os.File) error {
			_, err := f.WriteAt(bytes.Repeat([]byte(fmt.Sprintf(row, 4999, "accepted", 2)), 1000), 40_000)
			return err
		}},
		{"not results", func(f *os.File) error {
			_, err := f.WriteAt(bytes.Repeat([]byte("nope\n"), 10_000), 40_000)
			return err
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := filepath.Join(t.TempDir(), "results")
			var text strings.Builder
			for i := range 5000 {
				fmt.Fprintf(&text, row, i+1, "accepted", 1)
			}
			if err := os.WriteFile(name, []byte(text.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			in, err := os.OpenFile(name, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			o := waitOptions(t, jobsEnd(func() {
				if err := c.change(in); err != nil {
					t.Error(err)
				}
			}))
			rep, err := Wait(t.Context(), o, in, io.Discard)
			if rep.ExitCode != 2 || err == nil || !strings.Contains(err.Error(), "read results: ") ||
				rep.Rows.Applied == 0 || rep.Rows.Applied > 1000 {
				t.Errorf("exit %d, %v, %+v", rep.ExitCode, err, rep.Rows)
			}
		})
	}
}
