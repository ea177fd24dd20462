package report

import "slices"

// follow makes r, the report of a run that did not bring all rows to their end, the report of this run and of the one that took it
// up again: rows without a final result are what next says of them, and so is the outcome.
func (r *Report) follow(next *Report) {
	resumed := next.Rows.Resumed
	rest := *next
	rest.Rows.Read -= resumed
	rest.Rows.Resumed = 0
	r.Rows.Read -= r.Rows.Unknown + r.Rows.Unsent
	r.Rows.Unknown, r.Rows.Unsent = 0, 0
	// A run that was killed in between has no report: the rows that it brought to their end are known by their number alone.
	if known := r.Rows.Read; resumed > known {
		r.Rows.Resumed += resumed - known
		r.Rows.Read = resumed
	}
	r.Reasons = slices.DeleteFunc(r.Reasons, func(one Reason) bool { return one.Stage == "" && one.Code != "duplicate" })
	runs := r.Runs
	*r = *Merge(r, &rest)
	r.Status, r.ExitCode, r.Error, r.Runs = next.Status, next.ExitCode, next.Error, runs
}

// final counts the rows that have a final result.
func (r Rows) final() int64 { return r.Applied + r.Accepted + r.Skipped + r.Rejected }
