package render

import (
	"fmt"
	"strings"

	"klaviyo-export/report"
)

// meanings explains each status in a few words.
var meanings = [...]string{
	report.Applied:  "done, Klaviyo confirmed it",
	report.Accepted: "Klaviyo accepted it, its outcome is not known yet",
	report.Skipped:  "not sent: a duplicate of an earlier row",
	report.Rejected: "refused by the checks or by Klaviyo",
	report.Unknown:  "sent, but the outcome cannot be proved",
	report.Unsent:   "never sent: the run stopped first",
	report.Valid:    "passed the checks, nothing was sent",
	report.Resumed:  "an earlier run has its result",
}

// bad holds the statuses of rows that did not succeed.
var bad = []report.Status{report.Rejected, report.Unknown, report.Unsent}

// count returns the number of rows with one of the statuses, and the names of those statuses that have rows.
func count(rows *report.Rows, statuses ...report.Status) (n int64, names []string) {
	counts := rows.ByStatus()
	for _, status := range statuses {
		if counts[status] > 0 {
			n += counts[status]
			names = append(names, status.String())
		}
	}
	return n, names
}

// outcome says in a sentence what the exit status means for the rows.
func outcome(r *report.Report) string {
	switch r.ExitCode {
	case 0:
		if n := withCode(r, report.Pending); n > 0 && n == r.Rows.Accepted {
			return "no row failed; " + numbered(n, "row") + " wait for people to confirm, and klaviyo-export wait shows who did"
		}
		return success(&r.Rows)
	case 1:
		if n, _ := count(&r.Rows, bad...); n == 0 {
			if m := mirrored(r); m != nil {
				return stopped(r, m)
			}
			return "no row failed, but the input was not as expected"
		}
		return failure(&r.Rows)
	case 3:
		if r.Operation == "mirror" {
			return "some import jobs did not finish in time; continue with klaviyo-export mirror --resume"
		}
		if r.Consent != nil {
			return "Klaviyo did not show the consent of some rows in time; run klaviyo-export wait on the results"
		}
		return "some import jobs did not finish in time; run klaviyo-export wait on the results"
	case 4:
		return "Klaviyo or the network failed for too long; run it again later"
	case 130:
		return "the run was interrupted (SIGINT)"
	case 143:
		return "the run was stopped (SIGTERM or SIGHUP) or killed"
	}
	return "the run could not finish; fix the cause, then run it again"
}

// success says how the rows ended when the exit status is 0. It never counts accepted rows as done.
func success(rows *report.Rows) string {
	const wait = "not known yet: klaviyo-export wait finds it out"
	_, good := count(rows, report.Applied, report.Valid, report.Skipped, report.Resumed)
	n, _ := count(rows, bad...)
	switch {
	case rows.Read == 0:
		return "there were no rows"
	case n > 0:
		return failure(rows) + ", no more than --max-invalid allows"
	case rows.Accepted == rows.Read:
		return "Klaviyo accepted every row, but the outcome is " + wait
	case rows.Accepted > 0:
		return fmt.Sprintf("no row failed, but the outcome of %s of %s rows is %s",
			grouped(rows.Accepted), grouped(rows.Read), wait)
	case rows.Valid > 0 && rows.Applied == 0:
		return "every row is " + oneOf(good) + "; nothing was sent"
	}
	return "every row is " + oneOf(good)
}

// failure says how many rows did not succeed.
func failure(rows *report.Rows) string {
	n, names := count(rows, bad...)
	switch n {
	case rows.Read:
		return "every row is " + oneOf(names)
	case 1:
		return fmt.Sprintf("1 of %s rows is %s", grouped(rows.Read), oneOf(names))
	}
	return fmt.Sprintf("%s of %s rows are %s", grouped(n), grouped(rows.Read), oneOf(names))
}

// headline returns the report's status with the exit status, and what that means.
func headline(r *report.Report) (status, meaning string) {
	status = fmt.Sprintf("%s, exit status %d", strings.ReplaceAll(r.Status, "_", " "), r.ExitCode)
	switch {
	case r.Runs < 2:
		return status, outcome(r)
	case r.ExitCode == 0:
		return status, fmt.Sprintf("%s runs; %s", grouped(r.Runs), outcome(r))
	}
	return status, fmt.Sprintf("worst of %s runs; %s", grouped(r.Runs), outcome(r))
}

// simulated says that the run, or one of the merged runs, sent nothing to Klaviyo.
func simulated(r *report.Report) string {
	if r.Runs < 2 {
		return "Simulated, nothing was sent to Klaviyo."
	}
	return "Simulated, at least in part."
}
