package schedule

import "github.com/netresearch/go-cron"

// The fields of an expression, in their order.
const (
	minute = iota
	hour
	monthDay
	month
	weekday
)

// expression has the five fields as written.
type expression [5]entry

// entry is one field: the elements of its list. A field that is * alone has no element.
type entry struct {
	text     string
	column   int
	elements []element
}

// element is a value, a range or */n.
type element struct {
	low, high, step int
	star            bool
}

// starred reports whether the field begins with a star.
func (e *entry) starred() bool { return e.elements == nil || e.elements[0].star }

// mask returns the values of a field as bits.
func (e *entry) mask(f *field, r reading) uint64 {
	if e.elements == nil {
		return f.all()
	}
	var bits uint64
	for _, one := range e.elements {
		for v := one.low; v <= one.high; v++ {
			counted := v - one.low
			if one.star && r == treasureData {
				counted = v
			}
			if counted%one.step == 0 {
				bits |= 1 << v
			}
		}
	}
	return bits
}

// unweighed returns the values of all fields as bits, before fields for days compete.
func (x *expression) unweighed(r reading) *cron.SpecSchedule {
	return &cron.SpecSchedule{
		Second: 1,
		Minute: x[minute].mask(&fields[minute], r),
		Hour:   x[hour].mask(&fields[hour], r),
		Dom:    x[monthDay].mask(&fields[monthDay], r),
		Month:  x[month].mask(&fields[month], r),
		Dow:    cron.NormalizeDOW(x[weekday].mask(&fields[weekday], r)),
	}
}

// spec returns what an expression means to r.
func (x *expression) spec(r reading) *cron.SpecSchedule {
	s := x.unweighed(r)
	switch {
	case r == vixie:
		s.DowOrDom = !x[monthDay].starred() && !x[weekday].starred()
	case r == treasureData && x.conflict():
		if monthDays, weekdays := calendar().weigh(s); monthDays > weekdays {
			s.Dow = fields[weekday].all()
		} else {
			s.Dom = fields[monthDay].all()
		}
	}
	return s
}

// conflict reports whether both fields for days restrict them.
func (x *expression) conflict() bool {
	return x[monthDay].elements != nil && x[weekday].elements != nil
}
