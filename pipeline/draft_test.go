package pipeline

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
)

// draftOf keeps results: "2 skipped unchanged" is that of row 2.
func draftOf(t *testing.T, results ...string) *draft {
	t.Helper()
	d, err := newDraft()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.close)
	for _, text := range results {
		fields := append(strings.Fields(text), "")
		status, _ := report.ParseStatus(fields[1])
		d.Line(&report.Line{Row: int64(fields[0][0] - '0'), Status: status, Code: fields[2], Key: []byte(`"k@x.co"`)})
	}
	return d
}

// Each row of a mirror has its last result: that of the second draft where there is one. Rows that were skipped as
// unchanged are unsent when the list was not read, or when results are lost. Lost results are unknown, and rows without
// a result were resumed: they have no line.
func TestSettleDraft(t *testing.T) {
	first := []string{"1 applied", "2 skipped unchanged", "4 skipped unchanged", "5 rejected email_invalid"}
	for _, c := range []struct {
		name   string
		second []string // nil for no draft
		unread string
		lost   bool // the second draft cannot be read
		want   string
		fails  bool
	}{
		{"no second draft", nil, "", false,
			"1 applied, 2 skipped unchanged, 4 skipped unchanged, 5 rejected email_invalid", false},
		{"one row is sent again", []string{"4 applied"}, "", false,
			"1 applied, 2 skipped unchanged, 4 applied, 5 rejected email_invalid", false},
		{"the list was not read", nil, "interrupted", false,
			"1 applied, 2 unsent interrupted, 4 unsent interrupted, 5 rejected email_invalid", false},
		{"stopped while rows are sent again", []string{"2 accepted"}, "interrupted", false,
			"1 applied, 2 accepted, 4 unsent interrupted, 5 rejected email_invalid", false},
		{"the second draft is lost", []string{"4 applied"}, "", true,
			"1 applied, 2 unsent stopped, 3 unknown answer_lost, 4 unsent stopped, 5 rejected email_invalid", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var second *draft
			if c.second != nil {
				second = draftOf(t, c.second...)
			}
			if c.lost {
				_ = second.file.Close()
			}
			var out bytes.Buffer
			w := report.NewWriter(&out)
			err := settleDraft(w, draftOf(t, first...), second, 5, c.unread)
			var got []string
			for text := range strings.Lines(out.String()) {
				e, err := report.NewLines(strings.NewReader(text)).Next()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, strings.TrimSpace(strings.Join([]string{
					string('0' + rune(e.Row)), e.Status.String(), e.Code}, " ")))
			}
			if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" || (err != nil) != c.fails {
				t.Errorf("%v\n%s", err, diff)
			}
			if rows := w.Rows(); rows.Read != 5 {
				t.Errorf("%d rows are counted", rows.Read)
			}
		})
	}
}
