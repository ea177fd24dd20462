package simulator

import "time"

// between returns how many requests the other clients sent between two times, both included.
func (o Others) between(from, to time.Time) int {
	if o == (Others{}) {
		return 0
	}
	return o.until(to.UnixNano()) - o.until(from.UnixNano()-1)
}

// until returns how many requests came from 1970 to a time. Every minute is the same: as many bursts as needed, evenly
// spaced.
func (o Others) until(ns int64) int {
	minute, burst := o.Minute, o.Second
	switch {
	case minute == 0:
		minute, burst = 60*o.Second, 1
	case burst == 0:
		burst = 1
	}
	bursts := (minute + burst - 1) / burst
	begun := int(ns%int64(time.Minute)*int64(bursts)/int64(time.Minute)) + 1
	return int(ns/int64(time.Minute))*minute + min(minute, begun*burst)
}
