package simulator

import "time"

// Plan says what goes wrong in a Simulator. Several simulators may share one Plan; each counts for itself.
//
// The faults are tried in their order. Several may act on one request. The first that gives its own answer, or no
// answer, is the last to act. So a delay comes before the fault that it delays.
type Plan struct {
	Faults []Fault `yaml:"faults"`
	// Others are other clients of the account that use up its rate limits, by endpoint. Endpoints are written as in
	// Fault.On.
	Others map[string]Others `yaml:"others"`
	// Retirement is a date, YYYY-MM-DD: the answers say that their revision ends then. "" is no such header.
	Retirement string `yaml:"retirement"`
	// Profiles are profiles that the account has from the start.
	Profiles []Profile `yaml:"profiles"`
	// Campaigns are campaigns that the account has from the start.
	Campaigns []Campaign `yaml:"campaigns"`
	// Consent is how the account treats requests that set or withdraw consent; nil is the default.
	Consent *Consent `yaml:"consent"`
	// AlsoFound says which filters find a profile by another address than its first: any and equals ("any" or ""), equals
	// alone ("equals"), or none ("never").
	AlsoFound string `yaml:"also_found"`
	// Cursors says what a page goes by. "stable" or "": a place that stays, so that whoever is there all the time comes
	// once. "shifting": how many came before, so that a page misses somebody after another one left, and repeats
	// somebody after another one joined ahead.
	Cursors string `yaml:"cursors"`
	// Seed seeds Fault.Percent and what as: drawn draws: the same requests in the same order meet the same faults.
	Seed uint64 `yaml:"seed"`
}

// Fault is one thing that goes wrong: on which requests, and how. testdata/plan.yaml shows every kind.
// The zero value of a parameter is its default, and a kind takes only its own parameters.
type Fault struct {
	// On is the method and path of an operation as in Requests, or "*" for every request. Import faults need none.
	On string `yaml:"on"`
	// Skip lets that many matching requests pass first. An import fault counts only imports that would be accepted and
	// have a profile that the fault concerns. The other kinds count every request, whatever other faults do to it.
	Skip int `yaml:"skip"`
	// Times is how often the fault acts: 0 is once, -1 without end.
	Times int `yaml:"times"`
	// Every is 5 to act on every fifth matching request.
	Every int `yaml:"every"`
	// Percent is the chance of acting on a matching request; 0 is always.
	Percent float64 `yaml:"percent"`
	// Do is the kind.
	Do string `yaml:"do"`

	// Parameters of the kinds that answer.
	Status  int               `yaml:"status"`
	As      string            `yaml:"as"`      // error, page, empty, text, legacy or no_id; other kinds have own values
	Body    string            `yaml:"body"`    // instead of As
	Type    string            `yaml:"type"`    // the media type
	Headers map[string]string `yaml:"headers"` // additional headers
	To      string            `yaml:"to"`      // a URL

	RetryAfter time.Duration `yaml:"retry_after"` // of throttle; 0 is one second
	Form       string        `yaml:"form"`        // of Retry-After: seconds, date or none
	Window     string        `yaml:"window"`      // second, minute or day: Retry-After ends with it

	Processed bool          `yaml:"processed"` // it comes after the request's effect, not before
	Before    time.Duration `yaml:"before"`    // of delay: before the request's effect
	// After is of delay: between effect and answer. Of cancel: how long the import job is processing. Of expire: time
	// since the import.
	After time.Duration `yaml:"after"`

	// Parameters of the import faults. Without Addresses and Indexes a fault concerns all profiles of an import.
	Addresses []string `yaml:"addresses"` // patterns of emails, where * is any text; case does not matter. Of join: emails
	Indexes   []int    `yaml:"indexes"`   // places in the request, from 0
	Phones    []string `yaml:"phones"`    // patterns of phone numbers; not of fail and join
	Naming    string   `yaml:"naming"`    // of refuse: all, rounds (only the first in each answer) or unnamed
	Code      string   `yaml:"code"`      // of the error; of the kinds that answer too
	Detail    string   `yaml:"detail"`    // of the error; of the kinds that answer too
	Attribute string   `yaml:"attribute"` // of refuse: the attribute that it points at
	Profiles  int      `yaml:"profiles"`  // of too_large: the most that pass; of join, leave and others: how many
	Bytes     int      `yaml:"bytes"`     // of too_large: the most that pass; of truncate: how many are sent, 0: half
	Payload   string   `yaml:"payload"`   // of fail: original_payload is full, none or attributes (in that member)
	Pointer   string   `yaml:"pointer"`   // of fail: index or data
	Report    *int     `yaml:"report"`    // of fail: only that many errors of the import job can be read
	Uppercase bool     `yaml:"uppercase"` // of fail: the email in original_payload is in upper case

	// Parameters of the kinds that change lists and profiles.
	Into   string `yaml:"into"`   // of merge: the email of the survivor
	Forget bool   `yaml:"forget"` // of merge: the old id is unknown at once
	Name   string `yaml:"name"`   // of rename_list: the new name
}

// Others is what other clients use of one endpoint: Minute requests a minute, in evenly spaced bursts of Second.
// With Minute alone requests come one by one. With Second alone that many come in every second.
type Others struct {
	Minute int `yaml:"minute"`
	Second int `yaml:"second"`
}
