package render

import (
	"strconv"
	"strings"
	"time"

	"klaviyo-export/report"
)

// clockSteps holds the distances that people expect between times on an axis, in seconds.
var clockSteps = []int64{
	1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
	86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400, 3640 * 86400,
}

// clock returns at most eight ticks, or six when their texts have seconds.
func clock(from, to time.Time) []tick {
	start, end := from.Unix(), to.Unix()
	step := clockSteps[len(clockSteps)-1]
	for _, s := range clockSteps {
		if n := (end - start) / s; n <= 5 || n <= 7 && s >= 60 {
			step = s
			break
		}
	}
	var ticks []tick
	for at := (start + step - 1) / step * step; at <= end; at += step {
		moment := time.Unix(at, 0).UTC()
		text := moment.Format("15:04:05")
		switch {
		case at%86400 == 0:
			text = moment.Format("2 Jan")
		case step >= 60:
			text = moment.Format("15:04")
		}
		ticks = append(ticks, tick{percent(float64(at-start), end-start), text, len(ticks)%2 == 1})
	}
	return ticks
}

func percent(part float64, all int64) string {
	return strconv.FormatFloat(rounded(part/float64(all)*100), 'f', -1, 64) + "%"
}

func pixel(n float64) string { return strings.TrimSuffix(strconv.FormatFloat(n, 'f', 1, 64), ".0") }

// compact writes a number as 0.5, 800, 20k or 1.5M.
func compact(n float64) string {
	unit := ""
	for _, larger := range []string{"k", "M", "G", "T", "P"} {
		if n < 9999 && unit == "" || n < 999.9 {
			break
		}
		n, unit = n/1000, larger
	}
	if unit == "" && n >= 1000 {
		return grouped(int64(n))
	}
	return strconv.FormatFloat(n, 'g', 4, 64) + unit
}

// exactly writes seconds as 4 s, 2m8s or 18h12m16s.
func exactly(seconds int64) string {
	if seconds < 60 {
		return strconv.FormatInt(seconds, 10) + " s"
	}
	return time.Duration(seconds * int64(time.Second)).String()
}

// about writes seconds in the unit that makes the number small: 4 s, 2.1 min, 4.6 h or 12 d.
func about(seconds int64) string {
	value, unit := float64(seconds), " s"
	switch {
	case seconds >= 2*86400:
		value, unit = value/86400, " d"
	case seconds >= 2*3600:
		value, unit = value/3600, " h"
	case seconds > 64:
		value, unit = value/60, " min"
	}
	return strconv.FormatFloat(value, 'g', 2, 64) + unit
}

// span names the time of a bucket.
func span(b *report.Bucket) string {
	return b.At.Format(time.DateTime) + " UTC, " + exactly(b.Seconds)
}
