package render

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"klaviyo-export/report"
)

// The latency of import jobs is said in as few words as possible.
func TestLatencyWords(t *testing.T) {
	for _, c := range []struct {
		name    string
		classes []report.Latency
		want    string
	}{
		{"unknown", nil, ""},
		{"one class", []report.Latency{{Seconds: 8, Jobs: 3}}, "all within 8s"},
		{"few jobs", []report.Latency{{Seconds: 8, Jobs: 3}, {Seconds: 64, Jobs: 1}}, "half within 8s, all within 1m4s"},
		{"one late job", []report.Latency{{Seconds: 8, Jobs: 99}, {Seconds: 64, Jobs: 1}},
			"half within 8s, all within 1m4s"},
		{"many jobs", []report.Latency{{Seconds: 1, Jobs: 50}, {Seconds: 16, Jobs: 45}, {Seconds: 64, Jobs: 5}},
			"half within 1s, 95 % within 16s, all within 1m4s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := latency(c.classes); got != c.want {
				t.Errorf("got %q, expected %q", got, c.want)
			}
		})
	}
}

// Rows per second count the rows of the run itself: no resumed rows, and no rows of killed runs.
func TestTook(t *testing.T) {
	for _, c := range []struct {
		name string
		rows report.Rows
		want string
	}{
		{"only resumed rows", report.Rows{Read: 5, Resumed: 5}, "10s"},
		{"some resumed rows", report.Rows{Read: 10, Resumed: 5}, "10s, 0.5 rows per second"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &report.Report{
				StartedAt: "2026-11-23T09:30:00.000Z", Rows: report.Rows{Read: 100}, Seconds: 10,
				Timeline: []report.Bucket{{Rows: c.rows}},
			}
			if got := took(r); got != c.want {
				t.Errorf("got %q, expected %q", got, c.want)
			}
		})
	}
}

// Rows per second have three digits at least.
func TestRowsPerSecond(t *testing.T) {
	for rows, want := range map[int64]string{1: "0.0333", 2795: "93.2", 300_000: "10,000"} {
		r := &report.Report{Seconds: 30, Timeline: []report.Bucket{
			{Rows: report.Rows{Read: rows + 2, Resumed: 5}}, {Rows: report.Rows{Read: 3}},
		}}
		if got := rowsPerSecond(r); got != want {
			t.Errorf("%d rows in 30 s are %s per second, expected %s", rows, got, want)
		}
	}
}

// The facts name the account, an address that is not Klaviyo's, and values that were left out.
func TestFacts(t *testing.T) {
	acme := &report.Account{ID: "AbC123", Name: "Acme"}
	for _, c := range []struct {
		name   string
		report report.Report
		want   []fact
	}{
		{"Klaviyo", report.Report{Account: acme, BaseURL: "https://a.klaviyo.com"}, []fact{{"account", "Acme (AbC123)"}}},
		{"Klaviyo in capitals", report.Report{BaseURL: "https://A.Klaviyo.com/"}, nil},
		{"no account, no address", report.Report{}, nil},
		{"an account without a name", report.Report{Account: &report.Account{ID: "AbC123"}}, []fact{{"account", "AbC123"}}},
		{"a proxy", report.Report{BaseURL: "https://klaviyo.com.example"},
			[]fact{{"base URL", "https://klaviyo.com.example"}}},
		{"unencrypted", report.Report{BaseURL: "http://a.klaviyo.com"}, []fact{{"base URL", "http://a.klaviyo.com"}}},
		{"killed mirror", report.Report{Members: &report.Members{Mirrored: &report.Mirrored{Extras: 12, Removed: 11}}},
			[]fact{{"members", "11 removed; 1 extra left on the list"}}},
		{"mirror that read rows back", report.Report{Members: &report.Members{
			ReadBackCounts: &report.ReadBackCounts{Verified: 5, New: 1},
			Mirrored:       &report.Mirrored{Read: 6, Matched: 5, Added: 1, JoinedLater: 1},
		}}, []fact{
			{"members", "4 before, 1 added, 1 joined meanwhile, 0 removed, 6 after"}, {"read back", "5 verified, 1 new"},
		}},
		{"plan while somebody joins", report.Report{
			Rows:    report.Rows{Read: 4, Valid: 4},
			Members: &report.Members{Mirrored: &report.Mirrored{Read: 6, Matched: 3, Added: 1, JoinedLater: 1, Extras: 2}},
		}, []fact{{"members", "5 now, 1 would be added, 1 joined meanwhile, 2 would be removed, 5 after that"}}},
		{"counts that no run has", report.Report{Members: &report.Members{Mirrored: &report.Mirrored{Read: 1, Removed: 2}}},
			[]fact{{"members", "1 before, 0 added, 2 removed, 0 after"}}},
		{"no counts", report.Report{Members: &report.Members{}}, nil},
		{"dropped", report.Report{Dropped: map[string]int64{"phone_number": 566, "x": 1}},
			[]fact{{"dropped", "the phone_number of 566 rows was left out, the x of 1 row was left out"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, facts(&c.report)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The summary and the page name the lists that rows name, with their rows, and count the lists that they leave out.
func TestListsOfRows(t *testing.T) {
	r := &report.Report{Runs: 2}
	for i := range 12 {
		one := report.ListRows{Rows: int64(1200 - 100*i)}
		one.ID, one.Name, one.Created = fmt.Sprint("X", i), fmt.Sprint("List ", i), i == 0
		r.Lists = append(r.Lists, one)
	}
	r.Lists = slices.Delete(r.Lists, 1, 9)
	if got, want := targets(r), "List 0 (X0, created), 1,200 rows; List 9 (X9), 300 rows; List 10 (X10), 200 rows; "+
		"List 11 (X11), 100 rows"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := target(r); got != "" {
		t.Errorf("one list: %q", got)
	}
	for len(r.Lists) < textLists+2 {
		r.Lists = append(r.Lists, report.ListRows{Rows: 3})
	}
	if got, want := targets(r), "2 further lists, 6 rows"; !strings.HasSuffix(got, "; "+want) {
		t.Errorf("got %q, want %q at the end", got, want)
	}
	r.RowsOfOthers = 10
	if got, want := targets(r), "further lists, 16 rows"; !strings.HasSuffix(got, "; "+want) {
		t.Errorf("got %q, want %q at the end", got, want)
	}
}
