package render

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"klaviyo-export/report"
)

// The charts of any report have few ticks, and their bars stay inside.
func TestChart(t *testing.T) {
	number := func(t *rapid.T, text string) float64 {
		n, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rapid.Check(t, func(t *rapid.T) {
		r := drawReport(t)
		for range rapid.IntRange(0, 2).Draw(t, "more") {
			r = report.Merge(r, drawReport(t))
		}
		for _, c := range charts(r) {
			if n := len(c.Columns); n < 3 {
				t.Fatalf("%s has only %d columns", c.Title, n)
			}
			if n := len(c.Y); n < 2 || n > 6 {
				t.Fatalf("%s has %d ticks on the vertical axis", c.Title, n)
			}
			if n := len(c.X); n > 9 || n == 0 && c.ID == "latency" {
				t.Fatalf("%s has %d ticks on the horizontal axis", c.Title, n)
			}
			for _, tick := range c.X {
				if at := number(t, tick.At); at < 0 || at > 100 {
					t.Fatalf("a tick of %s is at %v", c.Title, at)
				}
			}
			for _, column := range c.Columns {
				if x := number(t, column.X); x < 0 || x+number(t, column.Width) > 100.01 {
					t.Fatalf("%+v is outside of %s", column, c.Title)
				}
				below := float64(c.Height)
				for _, box := range column.Boxes {
					y, height := number(t, box.Y), number(t, box.Height)
					if y < -leastBox*7 || y+height > below+0.11 {
						t.Fatalf("%+v is outside of %s", column, c.Title)
					}
					below = y
				}
			}
		}
	})
}

// Bars have the right place, height and text.
func TestChartValues(t *testing.T) {
	at := time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)
	r := &report.Report{StartedAt: "x", Timeline: []report.Bucket{
		{At: at, Seconds: 4, Rows: report.Rows{Read: 1500, Applied: 1200, Unsent: 300}},
		{At: at.Add(60 * time.Second), Seconds: 4, Rows: report.Rows{Read: 1500, Applied: 1499, Unknown: 1}},
		{At: at.Add(116 * time.Second), Seconds: 4, Rows: report.Rows{Read: 1001, Applied: 1000, Rejected: 1}},
	}}
	c := charts(r)[0]
	want := []column{
		{
			X: "0%", Width: "3%", Text: "2026-11-23 23:59:00 UTC, 4 s\napplied 1,200\nunsent 300",
			Boxes: []box{{"0%", "30", "3%", "120", "applied"}, {"0%", "0", "3%", "30", "unsent"}},
		},
		{
			X: "50%", Width: "3%", Text: "2026-11-24 00:00:00 UTC, 4 s\napplied 1,499\nunknown 1",
			Boxes: []box{{"50%", "0.1", "3%", "149.9", "applied"}, {"50%", "-1.4", "3%", "1.5", "unknown"}},
		},
		{
			X: "96.667%", Width: "3%", Text: "2026-11-24 00:00:56 UTC, 4 s\napplied 1,000\nrejected 1",
			Boxes: []box{{"96.667%", "50", "3%", "100", "applied"}, {"96.667%", "48.5", "3%", "1.5", "rejected"}},
		},
	}
	if diff := cmp.Diff(want, c.Columns); diff != "" {
		t.Error(diff)
	}
	got := []string{c.Title, c.Label, fmt.Sprint(c.X), fmt.Sprint(c.Y), fmt.Sprint(c.Legend)}
	if diff := cmp.Diff([]string{
		"Rows in each 4 s",
		"Rows in each 4 s, from 2026-11-23 23:59:00 to 2026-11-24 00:01:00 UTC. The maximum is 1,500.",
		"[{0% 23:59:00 false} {25% 23:59:30 true} {50% 24 Nov false} {75% 00:00:30 true} {100% 00:01:00 false}]",
		"[{150 0 false} {100 500 false} {50 1,000 false} {0 1,500 false}]",
		"[{applied applied} {rejected rejected} {unknown unknown} {unsent unsent}]",
	}, got); diff != "" {
		t.Error(diff)
	}
}

// A class without jobs leaves its place empty.
func TestLatencies(t *testing.T) {
	c := chart{Title: "T", Sum: "sum"}.latencies([]report.Latency{{Seconds: 2, Jobs: 1}, {Seconds: 16, Jobs: 4}})
	want := []column{
		{
			X: "1.25%", Width: "22.5%", Text: "1 import job ended after 1 s to 2 s",
			Boxes: []box{{"1.25%", "112.5", "22.5%", "37.5", "jobs"}},
		},
		{
			X: "76.25%", Width: "22.5%", Text: "4 import jobs ended after 8 s to 16 s",
			Boxes: []box{{"76.25%", "0", "22.5%", "150", "jobs"}},
		},
	}
	if diff := cmp.Diff(want, c.Columns); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprint(c.X); got != "[{12.5% 2 s false} {37.5% 4 s true} {62.5% 8 s false} {87.5% 16 s true}]" {
		t.Error(got)
	}
}
