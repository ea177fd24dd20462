package simulator

import "time"

// between returns how many requests of the other clients came from one time to another, both included.
func (o Others) between(from, to time.Time) int {
	if o == (Others{}) {
		return 0
	}
	return o.until(to.UnixNano()) - o.until(from.UnixNano()-1)
}

// until returns how many came up to a time since 1970. Each minute has the same: as many bursts as it takes, at even distances.
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
