package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A comparison measures the programs that it is told to, at each size, and prints its tables and a plot.
func TestCompare(t *testing.T) {
	var out, said strings.Builder
	begun := time.Now()
	args := []string{"compare", "-sizes", "400,5000", "-rounds", "1", "-peers", "floor, channel,jq"}
	if code := run(t.Context(), args, stdio{nil, &out, &said}); code != 0 {
		t.Fatalf("exit status %d: %s", code, &said)
	}
	t.Logf("took %v\n%s", time.Since(begun), &out)
	text := out.String()
	for _, want := range []string{
		"5,000 rows of ", "\n| klaviyo-export | ", "\n| floor: one goroutine | ", "\n| one channel send per row | ",
		"\n| 400 | ", "\n| 5,000 | ", "| heap allocations per row | ≤ 0.200 | ",
		"| wall time of Python | ≤ 1/15 |  | not measured here |", "| klaviyo-export | 400–5,000 | ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("expected the text %q in the results", want)
		}
	}
	if strings.Contains(text, "Python 3") {
		t.Error("Python ran, but -peers does not name it")
	}
	_, name, _ := strings.Cut(text, "\nplot: ")
	drawn, err := os.ReadFile(strings.TrimSpace(name))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, drawn)
}

// The sizes of -sizes run in ascending order, each once.
func TestSizesAreSorted(t *testing.T) {
	got, err := parseSizes("1000000,10,10,20000000")
	if err != nil || fmt.Sprint(got) != "[10 1000000 20000000]" {
		t.Errorf("expected [10 1000000 20000000], got %v, %v", got, err)
	}
}

// madeUp returns a comparison of two programs over three sizes. A run of the first costs 10 ms and 2 µs a row; the
// second costs five times as much.
func madeUp() *comparison {
	c := &comparison{peers: []*peer{{name: ours, results: true}, {name: "Python <by> hand"}}}
	for _, rows := range []int{1000, 100_000, 1_000_000} {
		set := &rowSet{count: rows}
		for i, p := range c.peers {
			times := time.Duration(1 + 4*i)
			cost := times * (10*time.Millisecond + time.Duration(rows)*2*time.Microsecond)
			one := took{wall: cost, cpu: cost, rss: 50e6 * int64(times)}
			c.series = append(c.series, &series{peer: p, rows: set, runs: []took{one, one, one}})
		}
		c.main = set
	}
	c.facts.one, c.facts.two = c.series[0], c.series[0]
	return c
}
