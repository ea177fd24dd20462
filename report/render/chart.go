package render

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"klaviyo-export/report"
)

const (
	plotHeight = 150 // pixels
	leastBox   = 1.5 // pixels of a value above 0; a full column may rise a little above the plot because of it
	filled     = 0.9 // share of its place that a column fills
)

// chart is a bar chart as the page draws it. Horizontal places are in percent of the width, so that the chart fits
// any screen. Vertical places are in pixels.
type chart struct {
	ID, Title string
	Sum       string // the totals in words
	Label     string // the chart in words, for screen readers
	Height    int
	Columns   []column
	X, Y      []tick
	Legend    []mark
	least     float64 // between two ticks of Y
}

// column is a bar at one place. Text names its values.
type column struct {
	X, Width string
	Text     string
	Boxes    []box // from the bottom to the top
}

// Total is the height with the texts below the plot. The ticks there end at TickEnd, the texts stand at Labels.
func (c chart) Total() int   { return c.Height + 24 }
func (c chart) TickEnd() int { return c.Height + 4 }
func (c chart) Labels() int  { return c.Height + 18 }

type box struct{ X, Y, Width, Height, Class string }

// tick is a mark on an axis. A minor tick has no text on narrow screens.
type tick struct {
	At, Text string
	Minor    bool
}

// mark is an entry of the legend.
type mark struct{ Class, Name string }

// series holds the values of the bars of one colour.
type series struct {
	mark
	of    func(*report.Bucket) float64
	total float64
}

// overTime stacks series over a timeline. It leaves out series that are all 0.
func (c chart) overTime(buckets []report.Bucket, all []series, write func(float64) string) chart {
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
		return c
	}
	step := c.scale(most)
	for i := range buckets {
		b := &buckets[i]
		place := column{
			X:     percent(float64(b.At.Unix()-from.Unix())/float64(width), places),
			Width: percent(filled, places), Text: span(b),
		}
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
	c.Label = fmt.Sprintf("%s, from %s to %s UTC. The maximum is %s.",
		c.Title, from.Format(time.DateTime), to.Format(time.DateTime), write(most))
	return c
}

// stack returns the boxes of values, from the bottom to the top.
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

// scale sets the vertical axis for values up to most. It returns the pixels per unit.
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

// latencies draws the number of import jobs in each class.
func (c chart) latencies(classes []report.Latency) chart {
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
		place := column{
			X: percent(float64(i)+(1-filled)/2, places), Width: percent(filled, places),
			Text: numbered(jobs, "import job") + " ended " + after(within),
		}
		place.Boxes = c.stack(place, []float64{float64(jobs)}, all, pixels)
		c.Columns = append(c.Columns, place)
	}
	c.Label = c.Title + ": " + c.Sum
	return c
}

// ended is a line of the table of import jobs by the time until they ended.
type ended struct{ After, Jobs string }

func endings(classes []report.Latency) (all []ended) {
	for _, l := range classes {
		all = append(all, ended{after(l.Seconds), grouped(l.Jobs)})
	}
	return all
}

// after names a class of latencies by its upper bound.
func after(within int64) string {
	if within <= 1 {
		return "within 1 s"
	}
	return "after " + exactly(within/2) + " to " + exactly(within)
}
