package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// The order and grouping in which reports are merged make no difference, also with writing and reading in between.
func TestMergeAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reports := rapid.SliceOfN(rapid.Custom(drawReport), 2, 5).Draw(t, "reports")
		var before []string
		for _, r := range reports {
			before = append(before, bytesOf(t, r))
		}
		var want *Report
		for _, r := range reports {
			want = Merge(want, r)
		}
		shuffled := rapid.Permutation(reports).Draw(t, "order")
		for len(shuffled) > 1 {
			i := rapid.IntRange(0, len(shuffled)-2).Draw(t, "pair")
			merged := Merge(shuffled[i], shuffled[i+1])
			if rapid.Bool().Draw(t, "written") {
				merged = again(t, bytesOf(t, merged))
			}
			shuffled = append(append(append([]*Report{}, shuffled[:i]...), merged), shuffled[i+2:]...)
		}
		if diff := cmp.Diff(bytesOf(t, want), bytesOf(t, shuffled[0])); diff != "" {
			t.Fatal(diff)
		}
		for i, r := range reports {
			if got := bytesOf(t, r); got != before[i] {
				t.Fatalf("Merge changed report %d: %s", i, cmp.Diff(before[i], got))
			}
		}
	})
}

// Merge combines each member of two reports by its own rule.
func TestMerge(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(1_800_000_000+s, 0).UTC() }
	a := &Report{
		Type: "report", Status: "failed", ExitCode: 1, Operation: "add", List: &List{ID: "X", Name: "News", Created: true},
		Rows: Rows{Read: 10, Accepted: 7, Rejected: 3},
		Reasons: []Reason{
			{Code: "email_invalid", Stage: "validate", Rows: 2, FirstRow: 4, FirstKey: "a@", Detail: "a"},
			{Code: "email_invalid", Stage: "import", Rows: 1, FirstRow: 9, FirstKey: "b@", Detail: "b"},
		},
		Account: &Account{"A", "Acme"}, BaseURL: "https://a.klaviyo.com",
		Columns:  []Column{{"town", "location.city", 7, 0}, {"email", "email", 7, 0}, {"town", "properties.town", 0, 1}},
		Dropped:  map[string]int64{"phone_number": 2},
		Jobs:     Jobs{Submitted: 2, Complete: 1, Open: []string{"01B", "01A"}, Latency: []Latency{{1, 1}, {8, 2}}},
		Requests: Requests{Sent: 3, Retried: 1, Throttled: 1, Bytes: 100, Resent: 1}, Version: "v1",
		Timeline: []Bucket{
			{At: at(0), Seconds: 1, Rows: Rows{Read: 4, Accepted: 4}, Requests: 2, ThrottledSeconds: 0.1, OpenJobs: 2},
			{At: at(3), Seconds: 1, Requests: 1, OpenJobs: 1},
		},
		Error: "the error of the better report",
	}
	a.Span(at(0), at(4))
	b := &Report{
		Type: "report", Status: "timed_out", ExitCode: 3, Operation: "add", List: &List{ID: "X"},
		Rows: Rows{Read: 10, Accepted: 6, Rejected: 4},
		Reasons: []Reason{
			{Code: "email_invalid", Stage: "validate", Rows: 4, FirstRow: 2, FirstKey: "c@", Detail: "c"},
			{Code: "email_invalid", Stage: "import", Rows: 1, FirstRow: 9, Detail: "a"},
		},
		Account: &Account{"A", "Acme"}, BaseURL: "http://[::1]", Simulated: true,
		Columns:  []Column{{"email", "email", 6, 0}, {"town", "properties.town", 9, 4}, {"x", "properties.x", 0, 2}},
		Dropped:  map[string]int64{"x": 1},
		Jobs:     Jobs{Submitted: 1, Cancelled: 1, Open: []string{"01A", "01C"}, Latency: []Latency{{4, 1}, {8, 1}}},
		Requests: Requests{Sent: 5, Retried: 1, Throttled: 2, Bytes: 200, Resent: 1}, Version: "v2",
		Timeline: []Bucket{
			{At: at(2), Seconds: 2, Rows: Rows{Read: 5, Accepted: 5}, Requests: 4, ThrottledSeconds: 0.2, OpenJobs: 3},
		},
		Error: "2 jobs were not done",
	}
	b.Span(at(2).Add(5*time.Millisecond), at(100).Add(250*time.Millisecond))
	want := &Report{
		Type: "report", Status: "timed_out", ExitCode: 3, Operation: "add",
		List: &List{ID: "X", Name: "News", Created: true},
		Rows: Rows{Read: 20, Accepted: 13, Rejected: 7},
		Reasons: []Reason{
			{Code: "email_invalid", Stage: "validate", Rows: 6, FirstRow: 2, FirstKey: "c@", Detail: "c"},
			{Code: "email_invalid", Stage: "import", Rows: 2, FirstRow: 9, FirstKey: "b@", Detail: "b"},
		},
		Account: &Account{"A", "Acme"}, Simulated: true,
		Columns: []Column{
			{"email", "email", 13, 0}, {"town", "properties.town", 9, 5}, {"town", "location.city", 7, 0},
			{"x", "properties.x", 0, 2},
		},
		Dropped: map[string]int64{"phone_number": 2, "x": 1},
		Jobs: Jobs{
			Submitted: 3, Complete: 1, Cancelled: 1, Open: []string{"01A", "01B", "01C"},
			Latency: []Latency{{1, 1}, {4, 1}, {8, 3}},
		},
		Requests:  Requests{Sent: 8, Retried: 2, Throttled: 3, Bytes: 300, Resent: 2},
		StartedAt: "2027-01-15T08:00:00.000Z", FinishedAt: "2027-01-15T08:01:40.250Z", Seconds: 100.25, Version: "several",
		Timeline: []Bucket{
			{At: at(0), Seconds: 2, Rows: Rows{Read: 4, Accepted: 4}, Requests: 2, ThrottledSeconds: 0.1, OpenJobs: 2},
			{At: at(2), Seconds: 2, Rows: Rows{Read: 5, Accepted: 5}, Requests: 5, ThrottledSeconds: 0.2, OpenJobs: 3},
		},
		Runs: 2, Error: "2 jobs were not done",
	}
	got := Merge(a, b)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if Merge(nil, a) != a || Merge(a, nil) != a {
		t.Error("merging with nil does not return the other report")
	}
	if runs := Merge(got, got).Runs; runs != 4 {
		t.Errorf("two reports of two runs each make %d runs, expected 4", runs)
	}
}

// An account and a base URL stay only when all reports have the same one, in whatever order they are merged.
func TestMergeAccounts(t *testing.T) {
	acme, other := &Account{"A", "Acme"}, &Account{"B", "Acme"}
	for _, c := range []struct {
		name     string
		accounts []*Account
		urls     []string
		want     Report
	}{
		{"all the same", []*Account{acme, {"A", "Acme"}, acme}, []string{"u", "u", "u"}, Report{Account: acme, BaseURL: "u"}},
		{"another one", []*Account{acme, other, acme}, []string{"u", "v", "u"}, Report{}},
		{"one that is unknown", []*Account{acme, nil, acme}, []string{"u", "", "u"}, Report{}},
		{"another name", []*Account{acme, {"A", "Acme Ltd"}, acme}, []string{"u", "u", "u"}, Report{BaseURL: "u"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for first := range 3 {
				var m *Report
				for i := range 3 {
					k := (first + i) % 3
					m = Merge(m, &Report{Account: c.accounts[k], BaseURL: c.urls[k]})
				}
				if got := (Report{Account: m.Account, BaseURL: m.BaseURL}); !cmp.Equal(got, c.want) {
					t.Errorf("from report %d on: got %+v, %q, expected %+v, %q",
						first, got.Account, got.BaseURL, c.want.Account, c.want.BaseURL)
				}
			}
		})
	}
}

// A report has at most 200 columns: those that come first by name.
func TestMergeManyColumns(t *testing.T) {
	of := func(from int) *Report {
		r := &Report{}
		for i := range maxColumns {
			r.Columns = append(r.Columns, Column{fmt.Sprintf("c%03d", from+i), "properties.c", int64(from + i), 0})
		}
		return r
	}
	for _, m := range []*Report{Merge(of(0), of(100)), Merge(of(100), of(0)), Merge(of(150), Merge(of(0), of(100)))} {
		n := len(m.Columns)
		if first, last := m.Columns[0], m.Columns[n-1]; n != maxColumns || last != (Column{"c000", "properties.c", 0, 0}) ||
			first.Rows < 2*199 {
			t.Errorf("got %d columns, first %+v, last %+v", n, first, last)
		}
	}
}

// The worst exit status wins, with its own error.
func TestMergeExit(t *testing.T) {
	order := []int{0, 1, 3, 4, 130, 143, 2}
	failed := func(exit int) *Report { return &Report{ExitCode: exit, Error: fmt.Sprint("error ", exit)} }
	for i, a := range order {
		for j, b := range order {
			m := Merge(failed(a), failed(b))
			want := order[max(i, j)]
			if m.ExitCode != want || m.Status != StatusOf(want) || m.Error != failed(want).Error {
				t.Errorf("%d and %d make %d, %s, %s; expected exit status %d", a, b, m.ExitCode, m.Status, m.Error, want)
			}
		}
	}
}

// Reasons have exactly one order, even when their rows, first rows or codes are equal.
func TestReasonsOrder(t *testing.T) {
	var want []Reason
	for i := range 81 {
		want = append(want, Reason{
			Code: fmt.Sprint(i / 3 % 3), Stage: fmt.Sprint(i % 3), Rows: 9 - int64(i/27), FirstRow: int64(i / 9 % 3),
		})
	}
	got := slices.Clone(want)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
	sortReasons(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
