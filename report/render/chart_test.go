package render

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Charts of any timeline have a few sensible ticks, and bars that stay within.
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
			r = Merge(r, drawReport(t))
		}
		for _, c := range r.charts() {
			if len(c.Columns) == 0 {
				if c.Empty == "" {
					t.Fatalf("%s says nothing", c.Title)
				}
				continue
			}
			if n := len(c.Y); n < 2 || n > 6 {
				t.Fatalf("%s has %d ticks upwards", c.Title, n)
			}
			if n := len(c.X); n > 9 || n == 0 && c.ID == "latency" {
				t.Fatalf("%s has %d ticks", c.Title, n)
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

// What a bar says, and how high it is.
func TestChartValues(t *testing.T) {
	at := time.Date(2026, 11, 23, 23, 59, 0, 0, time.UTC)
	r := &Report{StartedAt: "x", Timeline: []Bucket{
		{At: at, Seconds: 4, Rows: Rows{Read: 1500, Applied: 1200, Unsent: 300}},
		{At: at.Add(60 * time.Second), Seconds: 4, Rows: Rows{Read: 1500, Applied: 1499, Unknown: 1}},
		{At: at.Add(116 * time.Second), Seconds: 4, Rows: Rows{Read: 1001, Applied: 1000, Rejected: 1}},
	}}
	c := r.charts()[0]
	want := []column{
		{X: "0%", Width: "3%", Text: "2026-11-23 23:59:00 UTC, 4 s\napplied 1,200\nunsent 300", Boxes: []box{{"0%", "30", "3%", "120", "applied"}, {"0%", "0", "3%", "30", "unsent"}}},
		{X: "50%", Width: "3%", Text: "2026-11-24 00:00:00 UTC, 4 s\napplied 1,499\nunknown 1", Boxes: []box{{"50%", "0.1", "3%", "149.9", "applied"}, {"50%", "-1.4", "3%", "1.5", "unknown"}}},
		{X: "96.667%", Width: "3%", Text: "2026-11-24 00:00:56 UTC, 4 s\napplied 1,000\nrejected 1", Boxes: []box{{"96.667%", "50", "3%", "100", "applied"}, {"96.667%", "48.5", "3%", "1.5", "rejected"}}},
	}
	if diff := cmp.Diff(want, c.Columns); diff != "" {
		t.Error(diff)
	}
	if c.Title != "Rows in each 4 s" || c.Label != "Rows in each 4 s, from 2026-11-23 23:59:00 to 2026-11-24 00:01:00 UTC. The most is 1,500." {
		t.Error(c.Title, c.Label)
	}
	if got := fmt.Sprint(c.X, c.Y); got != "[{0% 23:59:00 false} {25% 23:59:30 true} {50% 24 Nov false} {75% 00:00:30 true} {100% 00:01:00 false}] [{150 0 false} {100 500 false} {50 1,000 false} {0 1,500 false}]" {
		t.Error(got)
	}
	if got := fmt.Sprint(c.Legend); got != "[{applied applied} {rejected rejected} {unknown unknown} {unsent unsent}]" {
		t.Error(got)
	}
}

// Classes without jobs have their place, too.
func TestLatencies(t *testing.T) {
	c := chart{Title: "T", Sum: "sum"}.latencies([]Latency{{2, 1}, {16, 4}})
	want := []column{
		{X: "1.25%", Width: "22.5%", Text: "1 job ended within 2 s, and not within 1 s", Boxes: []box{{"1.25%", "112.5", "22.5%", "37.5", "jobs"}}},
		{X: "76.25%", Width: "22.5%", Text: "4 jobs ended within 16 s, and not within 8 s", Boxes: []box{{"76.25%", "0", "22.5%", "150", "jobs"}}},
	}
	if diff := cmp.Diff(want, c.Columns); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprint(c.X); got != "[{12.5% 2 s false} {37.5% 4 s true} {62.5% 8 s false} {87.5% 16 s true}]" {
		t.Error(got)
	}
}

func TestAxisTexts(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 0.25: "0.25", 800: "800", 2500: "2,500", 10000: "10k", 25e3: "25k", 1.5e6: "1.5M", 2e9: "2G"} {
		if got := compact(n); got != want {
			t.Errorf("%v is %s, want %s", n, got, want)
		}
	}
	for seconds, want := range map[int64][2]string{1: {"1 s", "1 s"}, 64: {"64 s", "1m4s"}, 128: {"2.1 min", "2m8s"}, 4096: {"68 min", "1h8m16s"}, 16384: {"4.6 h", "4h33m4s"}, 1 << 20: {"12 d", "291h16m16s"}} {
		if got := [2]string{about(seconds), exactly(seconds)}; got != want {
			t.Errorf("%d s is %q, want %q", seconds, got, want)
		}
	}
}
