package report

import (
	"cmp"
	"slices"
	"time"
)

// several replaces an operation or a version that differs between merged reports.
const several = "several"

// worse holds the exit statuses, from best to worst.
var worse = []int{0, 1, 3, 4, 130, 143, 2}

// Merge returns the report of all runs in a and b, which it does not change. The order and grouping in which reports
// are merged make no difference. When one report is nil, Merge returns the other one.
//
//   - Counts and timelines add up. The times span all runs.
//   - Reasons add up by code and stage, but for those beyond maxReasons, which become "other".
//   - The worst exit status wins. If several errors have it, the smallest text wins.
//   - An operation or version stays, or becomes "several" when the reports differ. An empty one matches any.
//   - A list stays when all reports name the same one, and becomes nil otherwise. An empty id or name matches any.
//   - The rows of lists that rows name add up by list. Those of lists beyond MaxLists become one sum.
//   - An account and a base URL stay when all reports have the same one.
//   - A campaign stays, with "several" in place of an id or a status that differs.
//   - One simulated run makes the report simulated, and one with unread input makes it unread.
func Merge(a, b *Report) *Report {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	m := &Report{
		Type: "report", ExitCode: worst(a.ExitCode, b.ExitCode),
		Operation: agreed(a.Operation, b.Operation), By: agreed(a.By, b.By), List: mergeLists(a.List, b.List),
		Rows: a.Rows, Reasons: mergeReasons(a.Reasons, b.Reasons), Jobs: mergeJobs(&a.Jobs, &b.Jobs),
		Requests: Requests{
			Sent: a.Requests.Sent + b.Requests.Sent, Retried: a.Requests.Retried + b.Requests.Retried,
			Throttled: a.Requests.Throttled + b.Requests.Throttled, Bytes: a.Requests.Bytes + b.Requests.Bytes,
			Resent: a.Requests.Resent + b.Requests.Resent,
		},
		Members: a.Members.Plus(b.Members), Consent: a.Consent.Plus(b.Consent),
		Campaign: mergeCampaigns(a.Campaign, b.Campaign),
		Account:  mergeAccounts(a.Account, b.Account), Simulated: a.Simulated || b.Simulated,
		Columns: mergeColumns(a.Columns, b.Columns), Dropped: mergeDropped(a.Dropped, b.Dropped),
		StartedAt: extreme(a.StartedAt, b.StartedAt, -1), FinishedAt: extreme(a.FinishedAt, b.FinishedAt, 1),
		Version: agreed(a.Version, b.Version), Timeline: mergeTimelines(a.Timeline, b.Timeline),
		Runs: max(a.Runs, 1) + max(b.Runs, 1),
	}
	lists, others := mergeListRows(a.Lists, b.Lists)
	m.Lists, m.RowsOfOthers = lists, a.RowsOfOthers+b.RowsOfOthers+others
	m.Status, m.Unread = StatusOf(m.ExitCode), a.Unread || b.Unread
	if a.BaseURL == b.BaseURL {
		m.BaseURL = a.BaseURL
	}
	m.Rows.Continues = false
	m.Rows.add(b.Rows)
	m.Seconds = secondsBetween(m.StartedAt, m.FinishedAt)
	for _, r := range []*Report{a, b} {
		if r.ExitCode == m.ExitCode && r.Error != "" && (m.Error == "" || r.Error < m.Error) {
			m.Error = r.Error
		}
	}
	return m
}

func worst(a, b int) int {
	if slices.Index(worse, a) > slices.Index(worse, b) {
		return a
	}
	return b
}

func agreed(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "":
		return a
	}
	return several
}

// mergeLists returns nil when a and b are different lists.
func mergeLists(a, b *List) *List {
	if a == nil || b == nil ||
		a.ID != "" && b.ID != "" && a.ID != b.ID || a.Name != "" && b.Name != "" && a.Name != b.Name {
		return nil
	}
	return &List{
		ID: cmp.Or(a.ID, b.ID), Name: cmp.Or(a.Name, b.Name), Created: a.Created || b.Created,
		LeftBehind: leftBehind(union(a.LeftBehind, b.LeftBehind)),
	}
}

// leftBehind returns the first lists of a sorted list of ids.
func leftBehind(ids []string) []string { return slices.Clone(ids[:min(len(ids), maxColumns)]) }

// mergeAccounts returns nil unless a and b are the same account.
func mergeAccounts(a, b *Account) *Account {
	if a == nil || b == nil || *a != *b {
		return nil
	}
	return a
}

// extreme returns the earlier of two times, or the later one when sign is 1. An empty time does not count.
func extreme(a, b string, sign int) string {
	if a == "" || b != "" && cmp.Compare(b, a) == sign {
		return b
	}
	return a
}

// secondsBetween returns 0 when one of the times is unknown.
func secondsBetween(from, to string) float64 {
	start, err := time.Parse(timeForm, from)
	end, err2 := time.Parse(timeForm, to)
	if err != nil || err2 != nil {
		return 0
	}
	return round(end.Sub(start).Seconds())
}
