package render

import (
	"slices"
	"strconv"
	"time"
)

// paceOver is the time over which a pace counts rows.
const paceOver = 10 * time.Second

// pace measures rows per second.
type pace struct{ samples []sample }

type sample struct {
	at   time.Time
	rows int64
}

// rate returns the rows per second over the last paceOver, or -1 in the first second.
func (p *pace) rate(now time.Time, rows int64) float64 {
	p.samples = append(p.samples, sample{now, rows})
	for len(p.samples) > 2 && now.Sub(p.samples[1].at) >= paceOver {
		p.samples = slices.Delete(p.samples, 0, 1)
	}
	first := p.samples[0]
	if span := now.Sub(first.at); span >= time.Second {
		return float64(rows-first.rows) / span.Seconds()
	}
	return -1
}

// perSecond writes a rate as 0.3/s or 82,310/s.
func perSecond(rate float64) string {
	if rate > 0 && rate < 10 {
		return strconv.FormatFloat(rate, 'f', 1, 64) + "/s"
	}
	return grouped(int64(rate)) + "/s"
}
