// Package sink speaks to Klaviyo: it finds the list, adds profiles to it or removes them, and settles the status of
// each. Start with Sender, the contract that Client.call and its retries serve; Import and Jobs are the two halves
// of an import.
package sink

import "context"

// Sender sends profiles to one Klaviyo list. It retries by itself; its methods may be called concurrently.
// NewImport and NewRemoval return one.
type Sender interface {
	// Limits returns how many profiles one request holds, and how many bytes of them with a comma behind each.
	Limits() (profiles, bytes int)

	// Send sends the profiles, within Limits, and sets the Status, Job and Fault of each one. Its error is an
	// *Error and ends the run. Profiles that were not sent are Unsent then, and those that may have arrived are
	// Unknown. Those that were refused without a name are Unsent too, unless a request of the same call was
	// accepted: the request itself may be wrong. That is an error by itself when it refuses two or more profiles
	// of all calls alone, without a name, and accepts none; a call waits for the others in flight to know. When
	// ctx ends, no further request starts; one in flight ends by its own time limit.
	Send(ctx context.Context, profiles []Profile) error

	// To returns the Sender to another list of the same run. All of them count together what Klaviyo refuses and accepts,
	// and keep to the same number of look-ups in flight.
	To(list *List) Sender
}

// Profile is one row as it is sent. JSON is its element of the request's array; it must not change during Send.
type Profile struct {
	JSON     []byte
	Status   Status
	Job      string   // id of the import job that accepted it
	Fault    *Fault   // the reason, when Skipped, Rejected or Unknown
	Others   int      // further profiles of the same person or number that a removal removed
	Channels Channels // whose consent is set or withdrawn
}

// Status is how far a profile got.
type Status uint8

// Statuses of a Profile. The zero value claims nothing.
const (
	Unsent   Status = iota
	Accepted        // accepted by an import job whose end is not known
	Applied         // proved done
	Skipped         // not sent, because there is nothing to change
	Rejected        // refused by Klaviyo
	Unknown         // sent, but the result cannot be proved
)

// Fault is Klaviyo's reason against a profile. Column is the attribute that it names, or empty. Rows share equal ones.
type Fault struct {
	Code   string
	Column string
	Detail string
	texts  *texts // that hold it, nil for none
}

// Free notes that the results of the fault's batch are written: others get the room that its reasons took. Free of nil
// does nothing.
func (f *Fault) Free() {
	if f != nil && f.texts != nil {
		f.texts.free()
	}
}

// AnswerLost is the reason of profiles whose request may have arrived.
var AnswerLost = &Fault{
	Code: "answer_lost",
	Detail: "the request was sent, but no usable answer came back; the row may or may not have arrived; " +
		"sending it again is safe",
}

// rejectAs rejects the profile as a step on the way to it was. Its reason is not among the texts that are bounded: a
// batch of look-ups has at most a thousand.
func (p *Profile) rejectAs(step *Profile) {
	f := step.Fault
	p.Status, p.Fault = Rejected, &Fault{Code: f.Code, Column: f.Column, Detail: f.Detail}
}

// refuse rejects the profile. Of several reasons, the first gives code and column, and the detail holds all.
func (p *Profile) refuse(t *texts, code, column, detail string) {
	if p.Status == Rejected {
		p.Fault = t.both(p.Fault, detail)
		return
	}
	p.Status, p.Fault = Rejected, t.keep(code, column, detail)
}
