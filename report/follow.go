package report

import (
	"cmp"
	"slices"
)

// follow turns r, the report of a run that did not finish all rows, into the report of that run and of next, the run
// that resumed it. Rows without a final result get the result that next has for them. Status, exit status and error
// are those of next.
func (r *Report) follow(next *Report) {
	resumed := next.Rows.Resumed
	rest := *next
	rest.Rows = rest.Rows.own()
	settled := min(next.Settled, r.Rows.Accepted)
	r.Rows.Read -= r.Rows.Unknown + r.Rows.Unsent + settled
	r.Rows.Accepted -= settled
	r.Rows.Unknown, r.Rows.Unsent = 0, 0
	// next has waited for so many import jobs that it did not send. Those of them that are open are in its own report.
	waited := next.Jobs.Complete + next.Jobs.Cancelled + int64(len(next.Jobs.Open)) - next.Jobs.Submitted
	if r.Rows.Accepted == 0 || waited >= int64(len(r.Jobs.Open)) {
		r.Jobs.Open = nil
	}
	// A run that was killed in between has no report. Only the number of its finished rows is known.
	if known := r.Rows.Read; resumed > known {
		r.Rows.Resumed += resumed - known
		r.Rows.Read = resumed
	}
	r.Reasons = slices.DeleteFunc(r.Reasons, func(one Reason) bool {
		return one.Stage == "" && one.Fault()
	})
	merged := *Merge(r, &rest)
	merged.Status, merged.ExitCode, merged.Error, merged.Runs = next.Status, next.ExitCode, next.Error, r.Runs
	merged.Rows.Continues, merged.Unread, merged.Settled = r.Rows.Continues, next.Unread, r.Settled
	if m := merged.Members; m != nil {
		merged.Members = &Members{m.ReadBackCounts, r.Members.mirrored().follow(next.Members.mirrored())}
	}
	merged.Campaign = cmp.Or(next.Campaign, r.Campaign)
	merged.Columns = followColumns(r.Columns, next.Columns)
	// Rows without a report after them name neither an account nor a base URL.
	if r.Account == nil || next.Account == nil {
		merged.Account = cmp.Or(r.Account, next.Account)
	}
	if r.BaseURL == "" || next.BaseURL == "" {
		merged.BaseURL = cmp.Or(r.BaseURL, next.BaseURL)
	}
	*r = merged
}
