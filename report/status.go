package report

import "slices"

// Status is the outcome of a row (DESIGN.md §4).
type Status uint8

// The statuses of a row, in the order of the report's counts.
const (
	Applied  Status = iota // Klaviyo confirmed it
	Accepted               // Klaviyo accepted it; the outcome is not known yet
	Skipped                // not sent on purpose
	Rejected               // refused by the checks or by Klaviyo
	Unknown                // sent, but the outcome cannot be proved
	Unsent                 // never sent: the run stopped first
	Valid                  // passed the checks in a run that sends nothing
	Resumed                // an earlier run has its result: this run writes no line for it
	statuses
)

var statusNames = [statuses]string{
	"applied", "accepted", "skipped", "rejected", "unknown", "unsent", "valid", "resumed",
}

func (s Status) String() string { return statusNames[s] }

// ParseStatus returns the status with that name. It accepts only statuses that a result line can have.
func ParseStatus(name string) (Status, bool) {
	i := slices.Index(statusNames[:Resumed], name)
	return Status(max(i, 0)), i >= 0
}

// Final reports whether a resumed run sends no row with that status again. It may wait for the import jobs of rows that
// are accepted.
func (s Status) Final() bool {
	return s == Applied || s == Accepted || s == Skipped || s == Rejected
}
