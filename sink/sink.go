// Package sink is Klaviyo: it finds the list, adds profiles to it or takes them off it, and says of each what became of it.
package sink

import "context"

// Sender delivers profiles to one Klaviyo list. It retries by itself; its methods may be called at once.
// Its implementations are Import and Removal.
type Sender interface {
	// Limits returns how many profiles one request takes, and how many bytes of them with a comma behind each.
	Limits() (profiles, bytes int)

	// Send delivers the profiles, within Limits, and sets each one's Outcome, Job and Fault.
	// An error is an *Error and means that the run is over: what was not sent then is Unsent, what may have
	// arrived is Unknown. When ctx ends nothing more is sent; a request under way ends by its own time limit.
	Send(ctx context.Context, profiles []Profile) error
}

// Profile is one row on its way. JSON is its element of the request's array, as sent; it must not change during Send.
type Profile struct {
	JSON    []byte
	Status Status
	Job     string // id of the import job that took it
	Fault   *Fault // why, when Rejected or Unknown
}

// Status is what became of a profile.
type Status uint8

// Outcomes. The zero value claims nothing.
const (
	Unsent   Status = iota
	Accepted         // taken by a job, whose end is not known
	Applied          // proved done
	Rejected         // refused by Klaviyo
	Unknown          // sent, its fate not provable
)

// Fault is Klaviyo's reason against a profile. Column is the attribute that it names, or empty.
type Fault struct {
	Code   string
	Column string
	Detail string
}
