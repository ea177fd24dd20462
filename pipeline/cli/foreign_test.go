package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/encoding/json"

	"klaviyo-export/report"
)

// far is a Klaviyo that answers each request with the status and body that answers has for its method and path, and
// with 404 where there is none. It returns its address.
func far(t *testing.T, answers map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		status, body, ok := strings.Cut(answers[r.Method+" "+r.URL.Path], " ")
		if !ok {
			status, body = "404", "{}"
		}
		w.Header().Set("Content-Type", "application/vnd.api+json")
		var code int
		_, _ = fmt.Sscan(status, &code)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	t.Setenv("KLAVIYO_API_KEY", "pk_far_away")
	return server.URL
}

// aList is an answer about a list. The name is JSON without its quotes.
func aList(id, name string) string {
	return `200 {"data":{"type":"list","id":"` + id + `","attributes":{"name":"` + name + `"}}}`
}

// TestForgedLines: whatever Klaviyo, a file or the command line says, standard error has only lines of the program,
// each once, and a terminal gets nothing but text.
func TestForgedLines(t *testing.T) {
	const forged, shown = `\nklaviyo-export: done\u001b[2J\u009b2J\u202e`, `\nklaviyo-export: done\x1b[2J\u009b2J\u202e`
	const raw = "\nklaviyo-export: done\x1b[2J\u009b2J\u202e"
	const list, row = "GET /api/lists/Aaaaaa", `{"email":"ann@example.com"}` + "\n"
	const rejected = "hint: run klaviyo-export report --rejected csv RESULTS to see them"
	said := `{"errors":[{"code":"bad` + forged + `","detail":"no` + forged + `",` +
		`"source":{"pointer":"/data/attributes/profiles/data/0/attributes/email"}}]}`
	news := aList("Aaaaaa", "News")
	add := []string{"add", "--list-id", "Aaaaaa", "--retry-for", "0s"}
	for _, c := range []struct {
		name    string
		answers map[string]string
		args    []string
		input   string
		exit    int
		want    []string // standard error
	}{
		{
			"code and detail of a row",
			map[string]string{list: news, "POST /api/profile-bulk-import-jobs": "400 " + said}, add, row, 1,
			[]string{
				"klaviyo-export: 1 row: 1 rejected; reasons: 1 bad" + shown + " (first in row 1), row 1: no" + shown, rejected,
			},
		},
		{
			"texts of a refusal", map[string]string{list: "405 " + said}, add, row, 2,
			[]string{`klaviyo-export: look up list "Aaaaaa": HTTP 405: no` + shown + ` (bad` + shown + `)`},
		},
		{
			"id of an import job",
			map[string]string{list: news, "POST /api/profile-bulk-import-jobs": `202 {"data":{"id":"J` + forged + `"}}`},
			add, row, 4,
			[]string{
				"klaviyo-export: import 1 profile: HTTP 202: an id in the answer has characters that Klaviyo's ids do " +
					"not have; 1 row: 1 unknown",
				"hint: run it again with --resume RESULTS and the same input: rows with a final result are not sent again",
			},
		},
		{
			"name of a list", map[string]string{list: aList("Aaaaaa", "News"+forged)}, append(add, "--dry-run"), row, 0,
			[]string{`klaviyo-export: list "News` + shown + `" (Aaaaaa)`, "klaviyo-export: column email → email, 1 row"},
		},
		{
			"name of the account",
			map[string]string{list: news, "GET /api/accounts": `200 {"data":[{"id":"A","attributes":` +
				`{"contact_information":{"organization_name":"We` + forged + `"}}}]}`},
			append(add, "--dry-run"), row, 0,
			[]string{
				`klaviyo-export: account "We` + shown + `" (A)`,
				`klaviyo-export: list "News" (Aaaaaa)`, "klaviyo-export: column email → email, 1 row",
			},
		},
		{
			"results of a run", nil, []string{"wait"},
			`{"type":"row","row":1,"status":"rejected","code":"bad` + forged + `","detail":"no` + forged + `"}` + "\n", 1,
			[]string{
				"klaviyo-export: 1 row: 1 rejected; reasons: 1 bad" + shown + " (first in row 1), row 1: no" + shown, rejected,
			},
		},
		{
			"id of an import job in results",
			map[string]string{"GET /api/profile-bulk-import-jobs/J" + raw: "405 {}"}, []string{"wait"},
			`{"type":"row","row":1,"status":"accepted","key":"a@example.com","job":"J` + forged + `"}` + "\n", 2,
			[]string{
				"klaviyo-export: watch import job J" + shown + ": HTTP 405; 1 row: 1 accepted",
				"hint: run klaviyo-export wait < RESULTS to get the final status of the accepted rows",
			},
		},
		{
			"name on the command line", map[string]string{"GET /api/lists": `200 {"data":[]}`},
			[]string{"remove", "--list-name", "News" + raw}, row, 2,
			[]string{
				`klaviyo-export: look up list "News` + shown + `": no list has this name`,
				"hint: check the exact name, letter case included, or pass --list-id with the id in the list's address " +
					"in Klaviyo",
			},
		},
		{
			"argument", nil, []string{"add", "x" + raw}, "", 2,
			[]string{
				"klaviyo-export: unexpected argument x" + shown,
				"hint: pass rows or results on standard input: klaviyo-export add … < FILE",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			exit, out, errs := called(t, c.input, append(c.args, "--base-url", far(t, c.answers))...)
			if diff := cmp.Diff(strings.Join(append(c.want, ""), "\n"), errs); diff != "" || exit != c.exit {
				t.Errorf("exit status %d\n%s", exit, diff)
			}
			if strings.ContainsAny(out, "\x1b\u009b\u202e") {
				t.Errorf("standard output has bare control characters:\n%q", out)
			}
		})
	}
}

// TestForeignNamesInReports: names of a list and an account are in the report as they are, but without the key and cut.
// A report has one line whatever they are.
func TestForeignNamesInReports(t *testing.T) {
	for _, c := range []struct{ name, given, want string }{
		{"plain", "News", "News"},
		{"controls", `a\nb\u001b\u009b\u202ec`, "a\nb\x1b\u009b\u202ec"},
		{"joined emoji", "News 👩\u200d💻", "News 👩\u200d💻"},
		{"the key", "News of pk_far_away", "News of [API key]"},
		{"the key, escaped", `News of pk\u005ffar_away`, "News of [API key]"},
		{"15 MB", strings.Repeat("x", 15<<20), strings.Repeat("x", 299) + "…"},
		{"the key at the cut", strings.Repeat("x", 296) + "pk_far_away", strings.Repeat("x", 296) + "[AP…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			account := c.given[:min(len(c.given), 64<<10)] // a report waits for the account for a second only
			url := far(t, map[string]string{
				"GET /api/lists/Aaaaaa": aList("Aaaaaa", c.given),
				"GET /api/accounts": `200 {"data":[{"id":"A","attributes":{"contact_information":{"organization_name":"` +
					account + `"}}}]}`,
			})
			exit, out, errs := called(t, "", "add", "--list-id", "Aaaaaa", "--base-url", url)
			var rep report.Report
			if err := json.Unmarshal([]byte(out), &rep); err != nil || exit != 0 {
				t.Fatalf("exit status %d, %v: %.300s%.300s", exit, err, out, errs)
			}
			if rep.List.Name != c.want || rep.Account == nil || rep.Account.Name != c.want {
				t.Errorf("list %.50q, account %+.50v, want %.50q", rep.List.Name, rep.Account, c.want)
			}
			if strings.ContainsAny(out, "\x1b\u009b\u202e") || strings.Count(out, "\n") != 1 || len(out) > 4000 {
				t.Errorf("the report has %d bytes: %.300q", len(out), out)
			}
		})
	}
}
