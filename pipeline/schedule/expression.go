package schedule

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

// times are the times at which an expression fires: the values of each field as bits.
type times struct {
	minute, hour, monthDay, month, weekday uint64
	either                                 bool // a day has to match one of its two fields; otherwise both
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
func (x *expression) unweighed(r reading) *times {
	weekdays := x[weekday].mask(&fields[weekday], r)
	return &times{
		minute:   x[minute].mask(&fields[minute], r),
		hour:     x[hour].mask(&fields[hour], r),
		monthDay: x[monthDay].mask(&fields[monthDay], r),
		month:    x[month].mask(&fields[month], r),
		weekday:  weekdays&fields[weekday].all() | weekdays>>fields[weekday].top, // 7 is 0
	}
}

// spec returns what an expression means to r.
func (x *expression) spec(r reading) *times {
	s := x.unweighed(r)
	switch {
	case r == vixie:
		s.either = !x[monthDay].starred() && !x[weekday].starred()
	case r == treasureData && x.conflict():
		if monthDays, weekdays := calendar().weigh(s); monthDays > weekdays {
			s.weekday = fields[weekday].all()
		} else {
			s.monthDay = fields[monthDay].all()
		}
	}
	return s
}

// conflict reports whether both fields for days restrict them.
func (x *expression) conflict() bool {
	return x[monthDay].elements != nil && x[weekday].elements != nil
}
