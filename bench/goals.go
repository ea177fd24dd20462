package main

import (
	"fmt"
	"slices"
	"strings"
)

// goal is a bound that this project has set for a figure of klaviyo-export, and the figure as measured.
type goal struct {
	what, aim, measured, met string
}

// atMost returns the goal that value is at most bound. Both are printed with format.
func atMost(what, format string, bound, value float64) goal {
	return newGoal(what, "≤ "+fmt.Sprintf(format, bound), fmt.Sprintf(format, value), value <= bound)
}

// atLeast returns the goal that value is at least bound. Both are printed with format.
func atLeast(what, format string, bound, value float64) goal {
	return newGoal(what, "≥ "+fmt.Sprintf(format, bound), fmt.Sprintf(format, value), value >= bound)
}

func newGoal(what, aim, measured string, met bool) goal {
	if met {
		return goal{what, aim, measured, "met"}
	}
	return goal{what, aim, measured, "**not met**"}
}

// goals returns all goals, in the order of the README's table.
func (c *comparison) goals() []goal {
	us := c.ours(c.main.count)
	million := us.median(cpu) / us.n() * 1e6
	goals := []goal{
		atMost("whole run, CPU s per 1M rows", "%.2f", 1.6, million),
		c.against("floor", "CPU of the floor, in one goroutine", cpu, 1.3),
		atLeast("rows/s on two cores against a server on the same two", "%.0f", 1_000_000, us.n()/us.median(wall)),
	}
	for _, g := range []struct {
		peer  string
		bound float64
	}{{"Python", 1. / 15}, {"Node", 1. / 10}, {"Redpanda", 1. / 30}, {"jq", 1. / 4}} {
		goals = append(goals, c.against(g.peer, "wall time of "+g.peer, wall, g.bound))
	}
	goals = append(goals,
		atMost("heap allocations per row", "%.3f", 0.2, c.facts.allocations),
		atLeast("one core → two, rows/s", "%.2f ×", 1.5, c.facts.one.median(wall)/c.facts.two.median(wall)),
		atMost("peak RSS in MB at concurrency 4, instant answers", "%.1f", 80, us.median(memMB)),
		c.flat(us),
		c.slow(),
		atMost("start to first byte in ms, one row", "%.1f", 15, c.facts.plain*1000),
		atMost("the same, with a telephone number", "%.1f", 15, c.facts.call*1000),
	)
	return append(goals, goal{
		"time to send 10M rows at Klaviyo's quota, against the ideal", "≤ 1.01 ×, no 429",
		"needs a simulated clock", "not measured here",
	})
}

// against returns the goal that klaviyo-export takes at most bound times what a peer takes. The peer's name begins
// with peer.
func (c *comparison) against(peer, what string, of func(took) float64, bound float64) goal {
	all := c.of(c.main.count)
	i := slices.IndexFunc(all, func(s *series) bool { return strings.HasPrefix(s.peer.name, peer) })
	format := "%.2f ×"
	aim := fmt.Sprintf("≤ "+format, bound)
	if bound < 1 {
		aim = fmt.Sprintf("≤ 1/%.0f", 1/bound)
	}
	if i < 0 {
		return goal{what, aim, "", "not measured here"}
	}
	ratio := all[0].median(of) / all[i].median(of)
	got := fmt.Sprintf(format, ratio)
	if bound < 1 {
		got = fmt.Sprintf("1/%.1f", 1/ratio)
	}
	return newGoal(what, aim, got, ratio <= bound)
}

// flat returns the goal that memory does not grow from the main size to 20 million rows.
func (c *comparison) flat(us *series) goal {
	const what, format = "peak RSS, 20M rows against 1M", "%.2f ×"
	most := c.ours(20_000_000)
	if most == nil || us.rows.count != mostForAll {
		return goal{what, "≤ 1.20 ×", "needs -sizes …,20000000", "not measured here"}
	}
	return atMost(what, format, 1.2, most.median(memMB)/us.median(memMB))
}

// slow returns the goal for the memory that each request takes while it waits for its answer.
func (c *comparison) slow() goal {
	what := fmt.Sprintf("RSS in MB per request in flight, server of %v", slowness)
	narrow, wide := c.facts.narrow, c.facts.wide
	more := wide.counts.AtOnce - narrow.counts.AtOnce
	if more < 1 {
		return goal{what, "≤ 6.0", "needs more rows", "not measured here"}
	}
	g := atMost(what, "%.1f", 6, megabytes(wide.rss-narrow.rss)/float64(more))
	g.measured += fmt.Sprintf(" (%.0f MB with %d, %.0f MB with %d)",
		megabytes(narrow.rss), narrow.counts.AtOnce, megabytes(wide.rss), wide.counts.AtOnce)
	return g
}
