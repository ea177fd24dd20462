package schedule

import (
	"errors"
	"fmt"
	"time"
)

// Plan is a schedule in its zone, with its options. Schedule and Location are always set.
type Plan struct {
	Schedule       *Schedule
	Location       *time.Location
	Delay          time.Duration // from a scheduled time to its run
	Start, End     Date          // the first and the last day of scheduled times, in Location
	SkipOnOvertime bool          // skip runs whose time comes during another run
	SkipDelayedBy  time.Duration // skip runs that are later than this; 0 is never
}

// Next returns the first scheduled time strictly after the given one, in the plan's zone. It is false when there is
// none.
func (p *Plan) Next(after time.Time) (time.Time, bool) {
	after = after.In(p.Location)
	if p.Start != (Date{}) {
		// No zone has been further ahead of UTC than 15:13 hours.
		early := time.Date(p.Start.year, p.Start.month, p.Start.day, -16, 0, 0, 0, time.UTC)
		if after.Before(early) {
			after = early.In(p.Location)
		}
	}
	at, ok := p.Schedule.Next(after)
	for ok && dateOf(at).before(p.Start) {
		at, ok = p.Schedule.Next(at)
	}
	if ok && p.End != (Date{}) && p.End.before(dateOf(at)) {
		return time.Time{}, false
	}
	return at, ok
}

// Check returns an error for options that make no sense, such as a first day after the last one. Run calls it;
// Next, Explain and Export rely on it.
func (p *Plan) Check() error {
	switch {
	case p.Delay < 0:
		return fmt.Errorf("delay: expected 0s or more, got %v", p.Delay)
	case p.SkipDelayedBy < 0:
		return fmt.Errorf("skip delayed by: expected 0s or more, got %v", p.SkipDelayedBy)
	case p.End != (Date{}) && p.End.before(p.Start):
		return fmt.Errorf("start: expected the end, %v, or earlier, got %v", p.End, p.Start)
	}
	return nil
}

// Date is a day of the calendar. The zero value is none.
type Date struct {
	year  int
	month time.Month
	day   int
}

func dateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// UnmarshalText reads YYYY-MM-DD.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil {
		var fault *time.ParseError
		if errors.As(err, &fault) && fault.Message == ": day out of range" {
			return fmt.Errorf("expected a day of the calendar, got %q", text)
		}
		return fmt.Errorf("expected a date as YYYY-MM-DD, got %s", quoted(string(text)))
	}
	*d = dateOf(t)
	return nil
}

// String is YYYY-MM-DD.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

func (d Date) before(other Date) bool {
	return time.Date(d.year, d.month, d.day, 0, 0, 0, 0, time.UTC).
		Before(time.Date(other.year, other.month, other.day, 0, 0, 0, 0, time.UTC))
}
