package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	plotHeight = 150 // pixels
	leastBox   = 1.5 // pixels, of what is not 0; for its sake a full column may rise a little above the plot
	filled     = 0.9 // of a column's place
)

// chart is a bar chart as the page draws it. Places from left to right are in percent of the width, so that it fits any
// screen, those from top to bottom in pixels.
type chart struct {
	ID, Title string
	Sum       string // the whole, in words
	Empty     string // what to say where there is nothing to draw
	Label     string // what there is to see, for those who do not see it
	Height    int
	Columns   []column
	X, Y      []tick
	Legend    []mark
	least     float64 // between two ticks of Y
}

// column is what stands at one place, and a text that tells its values.
type column struct {
	X, Width string
	Text     string
	Boxes    []box // from the bottom to the top
}

// Total is the height with that of the texts below, TickEnd where their ticks end, Labels where the texts stand.
func (c chart) Total() int   { return c.Height + 24 }
func (c chart) TickEnd() int { return c.Height + 4 }
func (c chart) Labels() int  { return c.Height + 18 }

type box struct{ X, Y, Width, Height, Class string }

// tick is a mark on an axis. Minor ones have no text on narrow screens.
type tick struct {
	At, Text string
	Minor    bool
}

type mark struct{ Class, Name string }

// series are the values of bars that have one colour.
type series struct {
	mark
	of    func(*Bucket) float64
	total float64
}

// overTime draws series one upon the other over a timeline. Those that are all 0 are left out.
func (c chart) overTime(buckets []Bucket, all []series, write func(float64) string) chart {
	most := 0.0
	for i := range buckets {
		sum := 0.0
		for k := range all {
			value := all[k].of(&buckets[i])
			all[k].total += value
			sum += value
		}
		most = max(most, sum)
	}
	all = slices.DeleteFunc(all, func(s series) bool { return s.total == 0 })
	if len(all) == 0 {
		return c
	}
	width := buckets[0].Seconds
	from, to := buckets[0].At, buckets[len(buckets)-1].At.Add(time.Duration(width)*time.Second)
	places := (to.Unix() - from.Unix()) / width
	if places < 2 {
		c.Empty = "All within " + exactly(width) + ": too short to be drawn over time."
		return c
	}
	step := c.scale(most)
	for i := range buckets {
		b := &buckets[i]
		place := column{X: percent(float64(b.At.Unix()-from.Unix())/float64(width), places), Width: percent(filled, places), Text: span(b)}
		var values []float64
		for _, s := range all {
			value := s.of(b)
			values = append(values, value)
			if value > 0 {
				place.Text += "\n" + s.Name + " " + write(value)
			}
		}
		place.Boxes = c.stack(place, values, all, step)
		c.Columns = append(c.Columns, place)
	}
	for _, s := range all {
		c.Legend = append(c.Legend, s.mark)
	}
	c.X = clock(from, to)
	if c.Title += " in each second"; width > 1 {
		c.Title = strings.TrimSuffix(c.Title, "second") + exactly(width)
	}
	c.Label = fmt.Sprintf("%s, from %s to %s UTC. The most is %s.", c.Title, from.Format(time.DateTime), to.Format(time.DateTime), write(most))
	return c
}

// stack puts values one upon the other.
func (c *chart) stack(place column, values []float64, all []series, pixels float64) []box {
	var boxes []box
	y := float64(c.Height)
	for i, value := range values {
		if value == 0 {
			continue
		}
		height := max(value*pixels, leastBox)
		y -= height
		boxes = append(boxes, box{place.X, pixel(y), place.Width, pixel(height), all[i].Class})
	}
	return boxes
}

// scale sets the upward axis for values up to most, and returns the pixels of 1.
func (c *chart) scale(most float64) float64 {
	c.Height = plotHeight
	step := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, times := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if most/step > 5 {
			step *= times
		}
	}
	step = max(step, c.least)
	n := math.Ceil(most/step - 1e-9)
	pixels := float64(c.Height) / (n * step)
	for i := 0.0; i <= n; i++ {
		c.Y = append(c.Y, tick{At: pixel(float64(c.Height) - i*step*pixels), Text: compact(i * step)})
	}
	return pixels
}

// clockSteps are the distances between times on an axis that people count in, in seconds.
var clockSteps = []int64{
	1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
	86400, 2 * 86400, 7 * 86400, 14 * 86400, 28 * 86400, 91 * 86400, 364 * 86400, 3640 * 86400,
}

// clock marks at most eight times, or six where their texts have seconds.
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

// latencies draws how many jobs ended within each time.
func (c chart) latencies(classes []Latency) chart {
	most := int64(0)
	for _, l := range classes {
		most = max(most, l.Jobs)
	}
	if most == 0 {
		return c
	}
	first := classes[0].Seconds
	places := int64(1)
	for last := classes[len(classes)-1].Seconds; first<<(places-1) < last; {
		places++
	}
	c.least = 1
	pixels := c.scale(float64(most))
	all := []series{{mark: mark{"jobs", "jobs"}}}
	every := (places + 7) / 8
	for i, class := int64(0), 0; i < places; i++ {
		within := first << i
		at := tick{At: percent(float64(i)+0.5, places), Text: about(within), Minor: i%(2*every) != 0}
		if i%every == 0 {
			c.X = append(c.X, at)
		}
		if classes[class].Seconds != within {
			continue
		}
		jobs := classes[class].Jobs
		class++
		text := fmt.Sprintf("%s ended within %s", numbered(jobs, "job"), exactly(within))
		if within > 1 {
			text += ", and not within " + exactly(within/2)
		}
		place := column{X: percent(float64(i)+(1-filled)/2, places), Width: percent(filled, places), Text: text}
		place.Boxes = c.stack(place, []float64{float64(jobs)}, all, pixels)
		c.Columns = append(c.Columns, place)
	}
	c.Label = c.Title + ": " + c.Sum
	return c
}

func percent(part float64, all int64) string {
	return strconv.FormatFloat(round(part/float64(all)*100), 'f', -1, 64) + "%"
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

// about writes seconds in the unit that makes a small number.
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

// span names a bucket's time.
func span(b *Bucket) string {
	return b.At.Format(time.DateTime) + " UTC, " + exactly(b.Seconds)
}
