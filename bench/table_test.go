package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// compare -write replaces the text between the README's two lines and nothing else.
func TestRewrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "README.md")
	put(t, name, "before\n"+beginning+"old\n"+ending+"after\n")
	for range 2 {
		if err := rewrite(name, beginning, ending, "new\n"); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(name)
	if want := "before\n" + beginning + "new\n" + ending + "after\n"; err != nil || string(text) != want {
		t.Errorf("expected %q, got %q, %v", want, text, err)
	}
	put(t, name, "neither line\n")
	if rewrite(name, beginning, ending, "new\n") == nil {
		t.Error("a README without the lines: expected an error")
	}
	own, err := os.ReadFile("README.md")
	if err != nil || !bytes.Contains(own, []byte(beginning)) || !bytes.Contains(own, []byte(ending)) {
		t.Errorf("bench/README.md: expected the lines around the results, %v", err)
	}
}

// The fitted line of a cost that is linear in the rows is that cost.
func TestFit(t *testing.T) {
	c := madeUp()
	start, slope := fit(c.by(c.peers[1]), wall)
	if math.Abs(start-0.05) > 1e-9 || math.Abs(slope-10e-6) > 1e-12 {
		t.Errorf("expected 0.05 s and 10 µs a row, got %v s and %v s a row", start, slope)
	}
}

// Each goal shows its figure, and says if the figure meets the bound.
func TestGoals(t *testing.T) {
	c := madeUp()
	c.facts.allocations = 0.3
	c.facts.narrow = took{rss: 60e6, counts: counts{AtOnce: 4}}
	c.facts.wide = took{rss: 120e6, counts: counts{AtOnce: 14}}
	got := map[string]goal{}
	for _, g := range c.goals() {
		got[g.what] = g
	}
	for what, want := range map[string]string{
		"whole run, CPU s per 1M rows":                     "2.01 **not met**",
		"wall time of Python":                              "1/5.0 **not met**",
		"wall time of Node":                                " not measured here",
		"heap allocations per row":                         "0.300 **not met**",
		"peak RSS in MB at concurrency 4, instant answers": "50.0 met",
		"peak RSS, 20M rows against 1M":                    "needs -sizes …,20000000 not measured here",
		"RSS in MB per request in flight, server of 200ms": "6.0 (60 MB with 4, 120 MB with 14) met",
		"start to first byte in ms, one row":               "0.0 met",
	} {
		if g := got[what].measured + " " + got[what].met; g != want {
			t.Errorf("%s: expected %q, got %q", what, want, g)
		}
	}
}
